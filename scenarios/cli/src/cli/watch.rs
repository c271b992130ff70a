//! Looks after a search: shows how far it is, and lets Ctrl-C end it.
//!
//! The first Ctrl-C asks the search to end with what it has; the second kills as usual.

use holdfast_check::explore::Progress;
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How often the terminal is redrawn and Ctrl-C is looked for.
const TICK: Duration = Duration::from_millis(100);

/// What is shown meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgressView {
    /// How far the search is, on a terminal.
    Search,
    /// How many walks were taken, on a terminal.
    Walks,
    /// How many runs of real trees have ended, on a terminal.
    Runs,
    /// How many states of the present kind of actor there are, on a terminal.
    Proof,
    /// Nothing is shown.
    None,
}

/// Ctrl-C cannot be caught.
#[derive(Debug, thiserror::Error)]
#[error("failed to catch Ctrl-C")]
pub struct CtrlCError(#[from] io::Error);

/// Runs a search and looks after it.
///
/// # Errors
/// If Ctrl-C cannot be caught.
pub fn watched<T>(
    show: ProgressView,
    search: impl FnOnce(&Progress) -> T,
) -> Result<(T, Interruption), CtrlCError> {
    let asked = Arc::new(AtomicBool::new(false));
    let signal = signal_hook::consts::SIGINT;
    // In this order: a Ctrl-C that finds the flag set has its default effect.
    let default = signal_hook::flag::register_conditional_default(signal, Arc::clone(&asked))?;
    let flag = signal_hook::flag::register(signal, Arc::clone(&asked))?;
    let progress = Progress::default();
    let (done, over) = channel();
    let result = std::thread::scope(|scope| {
        let (progress, asked) = (&progress, &*asked);
        scope.spawn(move || look_after(show, progress, asked, &over));
        let result = search(progress);
        drop(done);
        result
    });
    signal_hook::low_level::unregister(flag);
    signal_hook::low_level::unregister(default);
    let asked = if asked.load(Relaxed) { Interruption::ByUser } else { Interruption::None };
    Ok((result, asked))
}

/// What the person asked for meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interruption {
    /// To stop.
    ByUser,
    /// The search ended by itself.
    None,
}

fn look_after(show: ProgressView, progress: &Progress, asked: &AtomicBool, over: &Receiver<()>) {
    let bar = match show {
        ProgressView::Search | ProgressView::Walks | ProgressView::Runs | ProgressView::Proof
            if io::stderr().is_terminal() =>
        {
            ProgressBar::new_spinner()
        }
        _ => ProgressBar::hidden(),
    };
    bar.set_style(ProgressStyle::default_spinner());
    let started = Instant::now();
    while over.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
        progress.interrupt.fetch_or(asked.load(Relaxed), Relaxed);
        bar.set_message(match show {
            ProgressView::Proof => {
                format!("{} states of a kind of actor", HumanCount(progress.states.load(Relaxed)))
            }
            ProgressView::Walks => walks(progress, started.elapsed()),
            ProgressView::Runs => format!("{} runs", HumanCount(progress.states.load(Relaxed))),
            ProgressView::Search | ProgressView::None => line(progress, started.elapsed()),
        });
        bar.tick();
    }
    bar.finish_and_clear();
}

fn line(progress: &Progress, elapsed: Duration) -> String {
    let states = progress.states.load(Relaxed);
    let estimate =
        progress.estimate().map_or_else(String::new, |told| format!(", estimate: {told}"));
    format!(
        "{} states, depth {}, frontier {}, {} states/s, {}{estimate}",
        HumanCount(states),
        progress.depth.load(Relaxed),
        HumanCount(progress.frontier.load(Relaxed)),
        HumanCount((states as f64 / elapsed.as_secs_f64().max(1e-3)) as u64),
        HumanBytes(progress.bytes.load(Relaxed)),
    )
}

fn walks(progress: &Progress, elapsed: Duration) -> String {
    let walks = progress.states.load(Relaxed);
    format!(
        "{} walks, {} steps, {} walks/s",
        HumanCount(walks),
        HumanCount(progress.frontier.load(Relaxed)),
        HumanCount((walks as f64 / elapsed.as_secs_f64().max(1e-3)) as u64),
    )
}
