//! Trees of programs that know nothing of the tree: what `exec` and `up` have in common.

use super::forwarding::{self, Forwarding};
use holdfast::host::{self, HostReport, HostedProgram, ProgramEnd};
use holdfast::{BoxError, Context, Program, Timing};
use std::pin::Pin;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The program whose actors are hosts.
pub fn program(grace: Duration) -> Program {
    let mut timing = Timing::default();
    timing.grace = grace;
    // A host ends its program on two rungs, and then what that has left behind.
    timing.body = grace * 4 + Duration::from_secs(1);
    Program::new().actor(host::ACTOR, host::run).timing(timing)
}

/// Runs this process as the actor that it was started as, if it was.
#[must_use]
pub fn play_a_part() -> Option<ExitCode> {
    std::env::var_os("HOLDFAST_LINK")?;
    // The grace periods come from the supervisor.
    Some(program(Duration::ZERO).run(async |_: Context| Ok::<_, BoxError>(())))
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How programs have ended, the first one first.
#[derive(Clone, Debug, Default)]
pub struct ProgramEnds(Arc<Mutex<Vec<(String, ProgramEnd)>>>);

impl ProgramEnds {
    /// Those of the programs that have ended so far.
    #[must_use]
    pub fn all(&self) -> Vec<(String, ProgramEnd)> {
        locked(&self.0).clone()
    }
}

/// What each program does, by name, in the order of their starts.
#[derive(Clone, Debug, Default)]
pub struct ProgramStates(Arc<Mutex<Vec<ProgramState>>>);

#[derive(Clone, Debug)]
struct ProgramState {
    name: String,
    pid: Option<u32>,
    last: Option<HostReport>,
}

impl ProgramStates {
    fn note(&self, index: usize, report: &HostReport) {
        if let Some(state) = locked(&self.0).get_mut(index) {
            match report {
                HostReport::Started(pid) => state.pid = Some(*pid),
                other => state.last = Some(other.clone()),
            }
        }
    }

    fn add(&self, name: &str) -> usize {
        let mut states = locked(&self.0);
        states.push(ProgramState { name: name.to_owned(), pid: None, last: None });
        states.len() - 1
    }

    /// One line for each program.
    #[must_use]
    pub fn table(&self) -> String {
        let states = locked(&self.0);
        let widest = states.iter().map(|state| state.name.len()).max().unwrap_or(0);
        let mut text = String::new();
        for ProgramState { name, pid, last } in states.iter() {
            let pid = pid.map_or("-".to_owned(), |pid| pid.to_string());
            let what = match last {
                None | Some(HostReport::Rests | HostReport::Started(_)) => "runs".to_owned(),
                Some(HostReport::Asks) => "waits for the keyboard".to_owned(),
                Some(HostReport::Has) => "has the keyboard".to_owned(),
                Some(HostReport::Ended(end)) => format!("has ended ({})", end.exit_code()),
                Some(_) => "is there".to_owned(),
            };
            text.push_str(&format!("{name:widest$}  {pid:>7}  {what}\n"));
        }
        text
    }
}

/// Where what a program does is noted.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    /// How programs have ended.
    pub ends: ProgramEnds,
    /// What they do.
    pub states: ProgramStates,
}

/// Ends when nothing of a program is left.
pub type ProgramWait = Pin<Box<dyn Future<Output = Option<ProgramEnd>>>>;

/// Starts a program; the future that it returns ends when nothing of it is left, and need not be
/// awaited. A cancel ends the program, but not the wait for it.
///
/// # Errors
/// The host cannot be started, or a signal cannot be forwarded.
pub async fn attend(
    tree: &Context,
    name: &str,
    program: HostedProgram,
    notes: &Notes,
    forwarding: Option<Forwarding>,
    mut seen: impl FnMut(&HostReport) + 'static,
) -> Result<ProgramWait, BoxError> {
    let index = notes.states.add(name);
    let host = Rc::new(host::start(tree, name, program).await?);
    if let Some(forwarding) = forwarding {
        forwarding::start(&host, forwarding)?;
    }
    let (name, notes) = (name.to_owned(), notes.clone());
    let wait = tree.shield(async move {
        while let Ok(Some(report)) = host.receive::<HostReport>().await {
            notes.states.note(index, &report);
            if let HostReport::Ended(end) = &report {
                locked(&notes.ends.0).push((name, end.clone()));
                seen(&report);
                // The host ends by itself.
                return end.clone();
            }
            seen(&report);
        }
        ProgramEnd::Unknown
    });
    Ok(Box::pin(wait))
}
