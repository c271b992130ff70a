//! What the runtime says on the standard error, never by the driver's own hand.
//!
//! Who reads the standard error may not read it: a terminal that is held (Ctrl-S), a pipe whose other
//! end sleeps. A driver that wrote there would wait for somebody, and with it everybody who waits
//! for the driver. So the driver's words, and what it logs, are written by a thread, `words`.
//!
//! ```text
//!     driver: say() --queue, at most MOST--> thread `words` --write--> standard error
//! ```
//!
//! # Rules
//! 1. [`say`] never waits. What is too much is dropped, and how much it was is said.
//! 2. [`end`] waits for whoever reads, as a program without the runtime does, but for one who takes
//!    nothing no longer than [`PATIENCE`] once somebody wants the end.
//! 3. All other threads log with their own hands, as a program without the runtime would.

use crate::signals::{Held, set_mask};
use nix::sys::signal::SigSet;
use std::cell::Cell;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tracing_subscriber::fmt::MakeWriter;

/// How many texts may wait.
const MOST: usize = 1024;

/// How long the end of a process waits for a reader that takes nothing.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);

thread_local! {
    static DRIVES: Cell<bool> = const { Cell::new(false) };
}

/// The thread that writes.
struct Words {
    queue: SyncSender<Vec<u8>>,
    /// Ends when the thread does.
    ended: Receiver<()>,
}

static WORDS: Mutex<Option<Words>> = Mutex::new(None);

/// How many texts were dropped that nobody has been told of.
static DROPPED: AtomicUsize = AtomicUsize::new(0);

/// How many texts were written.
static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// From now on, what this thread says and logs is written by another.
pub(crate) fn drive() {
    DRIVES.set(true);
}

/// Says something, in one piece.
pub(crate) fn say(text: &str) {
    queue(text.as_bytes().to_vec());
}

fn queue(text: Vec<u8>) {
    let mut words = WORDS.lock().unwrap_or_else(PoisonError::into_inner);
    if words.is_none() {
        *words = start().ok();
    }
    let sent = words.as_ref().map(|words| words.queue.try_send(text));
    if !matches!(sent, Some(Ok(()))) {
        DROPPED.fetch_add(1, Ordering::Relaxed);
    }
}

fn start() -> io::Result<Words> {
    let (queue, texts) = sync_channel::<Vec<u8>>(MOST);
    let (end, ended) = sync_channel(0);
    let run = move || {
        // Signals are the driver's; and in the background this one writes all the same.
        set_mask(&SigSet::all());
        let _end: SyncSender<()> = end;
        for text in texts {
            write(&text);
            let dropped = DROPPED.swap(0, Ordering::Relaxed);
            if dropped > 0 {
                write(format!("… ({dropped} texts were too many)\n").as_bytes());
            }
            WRITTEN.fetch_add(1, Ordering::Relaxed);
        }
    };
    std::thread::Builder::new().name("words".to_owned()).spawn(run)?;
    Ok(Words { queue, ended })
}

/// Writes in one piece, as `eprint!` does not: all actors share the standard error, and what another
/// one writes would come between.
fn write(text: &[u8]) {
    // Nobody is left to be told.
    let _ = io::stderr().write_all(text);
}

/// Waits until everything is written; while nobody takes it, only for as long as nobody is in a hurry.
pub(crate) fn end(in_a_hurry: impl Fn() -> bool) {
    let words = WORDS.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(Words { queue, ended }) = words else { return };
    drop(queue);
    let mut written = WRITTEN.load(Ordering::Relaxed);
    while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(PATIENCE) {
        let before = std::mem::replace(&mut written, WRITTEN.load(Ordering::Relaxed));
        if before == written && in_a_hurry() {
            return;
        }
    }
}

/// Where log events are written to.
#[derive(Debug)]
pub(crate) struct LogSink;

impl<'a> MakeWriter<'a> for LogSink {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}

impl Write for LogSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if DRIVES.get() {
            queue(bytes.to_vec());
            return Ok(bytes.len());
        }
        let _held = Held::background();
        io::stderr().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
