//! A session without a person: a report, a script, or a wait.
//!
//! Runs in the editor's thread. Everything goes to standard error.
//!
//! # Rules
//! 1. None of these hangs: what does not answer in time is told to go on, and when it does not take
//!    even that, this end hangs up.

use super::attended::{Next, PATIENCE, answer, finish, perform};
use super::desk::{Desk, Waited};
use super::link::Link;
use super::{escape, render};
use crate::session::{Command, Frames, Greeting, Kind};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Writes a report, and continues.
pub(super) fn report(desk: &Desk, link: &Link) {
    let Some(greeting) = greet(desk, link) else { return };
    desk.write(&render::opening(&greeting, desk.color));
    if !greeting.file.is_empty() {
        answer(desk, link, Command::List { around: AROUND });
    }
    answer(desk, link, Command::Locals);
    match greeting.kind {
        Kind::Breakpoint => {}
        Kind::PostMortem => answer(desk, link, Command::Backtrace { frames: Frames::Own }),
    }
    desk.write("nobody is at the prompt: it goes on\n");
    go_on(desk, link);
}

/// Runs the next commands of a file, until one ends the session.
pub(super) fn script(desk: &Desk, link: &Link, path: &Path) {
    let Some(greeting) = greet(desk, link) else { return };
    desk.write(&render::opening(&greeting, desk.color));
    let prompt = render::prompt(&greeting.path, 0);
    loop {
        match next_line(path) {
            Err(error) => {
                let path = escape::line(&path.display().to_string());
                desk.write(&format!("the script {path} can not be read: {error}\n"));
                return go_on(desk, link);
            }
            Ok(None) => {
                desk.write(&format!("{prompt}continue (the script is at its end)\n"));
                return go_on(desk, link);
            }
            Ok(Some(line)) => {
                desk.write(&format!("{prompt}{}\n", escape::tabbed(&line)));
                if perform(desk, link, &line) == Next::Leave {
                    return;
                }
            }
        }
    }
}

/// Keeps the prompt open for a while, and continues.
pub(super) fn wait(desk: &Desk, link: &Link, limit: Duration) {
    let Some(greeting) = greet(desk, link) else { return };
    desk.write(&render::opening(&greeting, desk.color));
    let path = escape::line(&greeting.path);
    desk.write(&format!("{path} waits {limit:?} for somebody, and goes on then\n"));
    match desk.await_some(limit, |_| None::<()>) {
        Waited::Ordered => {}
        Waited::Came(()) | Waited::Late => {
            desk.write(&format!("nobody came: {path} goes on\n"));
            go_on(desk, link);
        }
    }
}

fn greet(desk: &Desk, link: &Link) -> Option<Greeting> {
    match desk.await_some(GREETING, |look| look.greeting()) {
        Waited::Came(greeting) => Some(greeting),
        Waited::Ordered => None,
        Waited::Late => {
            desk.write("the holder of the prompt does not answer: it is told to go on\n");
            go_on(desk, link);
            None
        }
    }
}

fn go_on(desk: &Desk, link: &Link) {
    match finish(desk, link, Command::Continue) {
        Next::Leave => {}
        // It does not answer commands: end of file it will see when it runs again.
        Next::Again => link.hang_up(),
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
