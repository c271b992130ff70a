//! A session without a person: a report, a script, or a wait.
//!
//! Runs in the editor's thread. Everything goes to standard error.
//!
//! # Rules
//! 1. None of these hangs: what does not answer in time is told to go on, and when it does not take
//!    even that, this end hangs up.

use super::attended::{AfterCommand, PATIENCE, answer, finish, perform};
use super::baton::BatonLink;
use super::state::{SessionState, Waited};
use super::{escape, render};
use crate::session::{Frames, Greeting, PromptCommand, PromptKind};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Writes a report, and continues.
pub(super) fn report(session: &SessionState, link: &BatonLink) {
    let Some(greeting) = greet(session, link) else { return };
    session.write(&render::opening(&greeting, session.color));
    if !greeting.file.is_empty() {
        answer(session, link, PromptCommand::List { around: AROUND });
    }
    match greeting.kind {
        PromptKind::Breakpoint => answer(session, link, PromptCommand::Locals),
        // It describes itself to nobody.
        PromptKind::Program(_) => {}
        PromptKind::PostMortem => {
            answer(session, link, PromptCommand::Locals);
            answer(session, link, PromptCommand::Backtrace { frames: Frames::Own })
        }
    }
    session.write("nobody is at the prompt: it goes on\n");
    go_on(session, link);
}

/// Runs the next commands of a file, until one ends the session.
pub(super) fn script(session: &SessionState, link: &BatonLink, path: &Path) {
    let Some(greeting) = greet(session, link) else { return };
    session.write(&render::opening(&greeting, session.color));
    let prompt = render::prompt(&greeting.path, 0);
    loop {
        match next_line(path) {
            Err(error) => {
                let path = escape::line(&path.display().to_string());
                session.write(&format!("the script {path} cannot be read: {error}\n"));
                return go_on(session, link);
            }
            Ok(None) => {
                session.write(&format!("{prompt}continue (the script is at its end)\n"));
                return go_on(session, link);
            }
            Ok(Some(line)) => {
                session.write(&format!("{prompt}{}\n", escape::tabbed(&line)));
                if perform(session, link, &line) == AfterCommand::Leave {
                    return;
                }
            }
        }
    }
}

/// Keeps the prompt open for a while, and continues.
pub(super) fn wait(session: &SessionState, link: &BatonLink, limit: Duration) {
    let Some(greeting) = greet(session, link) else { return };
    session.write(&render::opening(&greeting, session.color));
    let path = escape::line(&greeting.path);
    session.write(&format!("{path} waits {limit:?} for somebody, and goes on then\n"));
    match session.await_some(limit, |_| None::<()>) {
        Waited::Ordered => {}
        Waited::Came(()) | Waited::Late => {
            session.write(&format!("nobody came: {path} goes on\n"));
            go_on(session, link);
        }
    }
}

fn greet(session: &SessionState, link: &BatonLink) -> Option<Greeting> {
    match session.await_some(GREETING, |look| look.greeting()) {
        Waited::Came(greeting) => Some(greeting),
        Waited::Ordered => None,
        Waited::Late => {
            session.write("the holder of the prompt does not answer: it is told to go on\n");
            go_on(session, link);
            None
        }
    }
}

fn go_on(session: &SessionState, link: &BatonLink) {
    match finish(session, link, PromptCommand::Continue) {
        AfterCommand::Leave => {}
        // It does not answer commands: end of file it will see when it runs again.
        AfterCommand::Again => link.hang_up(),
    }
}

/// Takes the next command of a script; one script for the whole life of the process.
fn next_line(path: &Path) -> std::io::Result<Option<String>> {
    static SCRIPTS: Mutex<BTreeMap<PathBuf, VecDeque<String>>> = Mutex::new(BTreeMap::new());
    let mut scripts = SCRIPTS.lock().unwrap_or_else(PoisonError::into_inner);
    if !scripts.contains_key(path) {
        let text = std::fs::read_to_string(path)?;
        let lines = text.lines().map(str::trim);
        let commands = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        scripts.insert(path.to_owned(), commands.map(str::to_owned).collect());
    }
    Ok(scripts.get_mut(path).and_then(VecDeque::pop_front))
}

/// How long the agent has for its greeting.
const GREETING: Duration = Duration::from_secs(6 * PATIENCE.as_secs());

/// Lines before and after the place in a report.
const AROUND: u32 = 3;
