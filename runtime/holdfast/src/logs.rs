//! The last log events of this process, kept for the prompt's command `log`.
//!
//! Runs in every actor: a [`Layer`] of `tracing` fills the ring, the agent reads it.
//!
//! # Rules
//! 1. The ring keeps the last [`KEPT`] events, and its memory is bounded: a text is cut at
//!    [`LONGEST`] bytes, and the strings of an event that falls out are used again.
//! 2. A value's `Debug` may log while it is written down: nothing is locked at that time.

use crate::session::cut;
use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// How many events are kept.
pub(crate) const KEPT: usize = 256;

/// The longest text of an event, in bytes.
const LONGEST: usize = 1024;

/// The ring of this process.
#[derive(Clone, Debug)]
pub(crate) struct LogRing {
    inner: Arc<RingInner>,
}

#[derive(Debug)]
struct RingInner {
    /// When the ring was made, and how old the process was then.
    made: Instant,
    age: Duration,
    entries: Mutex<VecDeque<LogEntry>>,
}

#[derive(Debug)]
struct LogEntry {
    at: Duration,
    level: Level,
    target: String,
    text: String,
}

impl LogRing {
    /// The one of this process.
    pub(crate) fn global() -> Self {
        static GLOBAL: OnceLock<LogRing> = OnceLock::new();
        GLOBAL.get_or_init(|| Self::new(age_of_process())).clone()
    }

    fn new(age: Duration) -> Self {
        let entries = Mutex::new(VecDeque::with_capacity(KEPT));
        Self { inner: Arc::new(RingInner { made: Instant::now(), age, entries }) }
    }

    /// The last events as text, the oldest first.
    pub(crate) fn last(&self, count: usize) -> Vec<String> {
        let entries = self.entries();
        let skipped = entries.len().saturating_sub(count);
        entries.iter().skip(skipped).map(LogEntry::to_string).collect()
    }

    fn record(&self, level: Level, target: &str, text: &str) {
        let at = self.inner.age + self.inner.made.elapsed();
        let mut entries = self.entries();
        let mut entry = match entries.len() {
            KEPT.. => entries.pop_front(),
            _ => None,
        }
        .unwrap_or_else(|| LogEntry {
            at,
            level,
            target: String::new(),
            text: String::new(),
        });
        entry.at = at;
        entry.level = level;
        entry.target.clear();
        entry.target.push_str(cut(target, LONGEST));
        entry.text.clear();
        entry.text.push_str(cut(text, LONGEST));
        if entry.text.len() < text.len() {
            entry.text.push('…');
        }
        entries.push_back(entry);
    }

    fn entries(&self) -> MutexGuard<'_, VecDeque<LogEntry>> {
        self.inner.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for LogEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at;
        write!(f, "{:>5}.{:03} ", at.as_secs(), at.subsec_millis())?;
        write!(f, "{:>5} {}: {}", self.level, self.target, self.text)
    }
}

/// What fills the ring.
#[derive(Clone, Debug)]
pub struct LogLayer {
    ring: LogRing,
}

/// A layer that keeps the recent events of this process, which `log` shows at a prompt.
///
/// A program that sets a subscriber of its own, before [`crate::Program::run`], adds it there; one
/// that sets none gets it together with warnings on the standard error (or what `RUST_LOG` says).
pub fn layer() -> LogLayer {
    LogLayer { ring: LogRing::global() }
}

impl<S: Subscriber> Layer<S> for LogLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        thread_local! {
            static TEXT: Cell<String> = const { Cell::new(String::new()) };
        }
        // Taken and not borrowed: a value that logs while it is written down finds an empty one.
        let mut text = TEXT.take();
        text.clear();
        event.record(&mut FieldWriter { text: &mut text });
        self.ring.record(*event.metadata().level(), event.metadata().target(), &text);
        TEXT.set(text);
    }
}

/// Writes the message and then the fields, `name=value`.
struct FieldWriter<'t> {
    text: &'t mut String,
}

impl FieldWriter<'_> {
    fn write(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let mut to = Bounded { text: self.text };
        let separator = if to.text.is_empty() { "" } else { " " };
        // A value that does not fit is cut: that is not a failure.
        let _ = match field.name() {
            "message" => write!(to, "{separator}{value}"),
            name => write!(to, "{separator}{name}={value}"),
        };
    }
}

impl Visit for FieldWriter<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.write(field, format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.write(field, format_args!("{value:?}"));
    }
}

/// Ends a value's output as soon as the event has text enough.
struct Bounded<'t> {
    text: &'t mut String,
}

impl fmt::Write for Bounded<'_> {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        // One byte more than is kept, so that the cut can be seen.
        let room = (LONGEST + 1).saturating_sub(self.text.len());
        let upto = piece.ceil_char_boundary(room.min(piece.len()));
        self.text.push_str(&piece[..upto]);
        if upto < piece.len() { Err(fmt::Error) } else { Ok(()) }
    }
}

/// How old this process is; zero if the kernel does not tell.
fn age_of_process() -> Duration {
    // Field 22 of proc_pid_stat(5), in clock ticks since boot; the name before it may hold spaces.
    let started = || {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        let ticks: u64 = stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()?;
        let uptime = std::fs::read_to_string("/proc/uptime").ok()?;
        let uptime: f64 = uptime.split_whitespace().next()?.parse().ok()?;
        let per_second = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK).ok()??;
        let per_second = u64::try_from(per_second).ok()?;
        let started = Duration::from_millis(ticks * 1000 / per_second.max(1));
        Some(Duration::try_from_secs_f64(uptime).ok()?.saturating_sub(started))
    };
    started().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_subscriber::layer::SubscriberExt as _;

    fn recorded(log: impl FnOnce()) -> Vec<String> {
        let ring = LogRing::new(Duration::from_secs(7));
        let recorder = LogLayer { ring: ring.clone() };
        tracing::subscriber::with_default(tracing_subscriber::registry().with(recorder), log);
        ring.last(usize::MAX)
    }

    #[test]
    fn an_event_has_time_level_target_message_and_fields() {
        let lines = recorded(|| {
            tracing::warn!(target: "here", answer = 42, name = "x", "it {}", "is");
        });
        assert_eq!(lines.len(), 1);
        assert!(lines[0].starts_with("    7.0"), "{lines:?}");
        assert!(lines[0].ends_with("  WARN here: it is answer=42 name=x"), "{lines:?}");
    }

    #[test]
    fn the_last_ones_are_kept() {
        let lines = recorded(|| (0..KEPT + 3).for_each(|n| tracing::info!(n)));
        assert_eq!(lines.len(), KEPT);
        assert!(lines[0].ends_with("n=3"), "{}", lines[0]);
        assert!(lines[KEPT - 1].ends_with(&format!("n={}", KEPT + 2)));
    }

    #[test]
    fn a_long_text_is_cut() {
        let lines = recorded(|| tracing::info!("{}", "é".repeat(LONGEST)));
        assert!(lines[0].ends_with('…'));
        assert!(lines[0].len() < LONGEST + 100);
    }

    #[test]
    fn a_value_that_logs_does_not_lock_up() {
        struct Chatty;
        impl fmt::Debug for Chatty {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // What an event in here leads to, if tracing lets it through.
                LogRing::global().record(Level::INFO, "here", "inner");
                f.write_str("chatty")
            }
        }
        let subscriber = tracing_subscriber::registry().with(layer());
        tracing::subscriber::with_default(subscriber, || tracing::info!(value = ?Chatty));
        let lines = LogRing::global().last(2);
        assert!(lines[0].ends_with("here: inner"), "{lines:?}");
        assert!(lines[1].ends_with("logs::tests: value=chatty"), "{lines:?}");
    }
}
