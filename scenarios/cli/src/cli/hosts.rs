//! Trees of programs that know nothing of the tree: what `exec` and `up` have in common.

use holdfast::host::{self, HostReport, HostedProgram, ProgramEnd};
use holdfast::{BoxError, Context, Program, RuntimeError, Timing};
use std::process::ExitCode;
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

/// How programs have ended, the first one first.
#[derive(Clone, Debug, Default)]
pub struct ProgramEnds(Arc<Mutex<Vec<(String, ProgramEnd)>>>);

impl ProgramEnds {
    fn add(&self, name: &str, end: ProgramEnd) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((name.to_owned(), end));
    }

    /// Those of the programs that have ended so far.
    #[must_use]
    pub fn all(&self) -> Vec<(String, ProgramEnd)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Starts a program, and returns when nothing of it is left. A cancel ends the program, but not this
/// wait for it.
///
/// # Errors
/// The host cannot be started.
pub async fn attend(
    tree: &Context,
    name: &str,
    program: HostedProgram,
    ends: &ProgramEnds,
) -> Result<ProgramEnd, RuntimeError> {
    let host = host::start(tree, name, program).await?;
    let (name, ends) = (name.to_owned(), ends.clone());
    let end = tree.shield(async move {
        while let Ok(Some(report)) = host.receive::<HostReport>().await {
            if let HostReport::Ended(end) = report {
                ends.add(&name, end.clone());
                // The host ends by itself; its end is the actor's, and not of interest.
                return end;
            }
        }
        ProgramEnd::Unknown
    });
    Ok(end.await.unwrap_or(ProgramEnd::Unknown))
}
