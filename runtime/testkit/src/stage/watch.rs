//! What a stage has seen so far, filled by two threads, and the waiting for more of it.

use crate::process::ProcessInfo;
use crate::program::WindowSize;
use crate::shim::protocol::{ProcessEnd, ShimReport};
use crate::{PATIENCE, lines};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use std::collections::VecDeque;
use std::fmt;
use std::io::{self, BufReader};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Whether a stream has more to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StreamState {
    Open,
    Ended,
}

/// What job control did to the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JobEvent {
    Stopped(Signal),
    Continued,
}

/// All that was seen.
pub(super) struct Seen {
    pub(super) screen: vt100::Parser,
    pub(super) transcript: Vec<u8>,
    /// Where the search of `find` goes on.
    found_to: usize,
    pub(super) output: StreamState,
    pub(super) reports: StreamState,
    pub(super) started: Option<Result<i32, String>>,
    pub(super) job: VecDeque<JobEvent>,
    pub(super) ended: Option<(ProcessEnd, Vec<ProcessInfo>)>,
    pub(super) leftovers: VecDeque<Vec<ProcessInfo>>,
    pub(super) cleared: VecDeque<Vec<ProcessInfo>>,
    pub(super) gone: VecDeque<()>,
    patience: Duration,
}

impl Seen {
    /// Whether these bytes come after those found before; if so they are found.
    pub(super) fn find(&mut self, bytes: &[u8]) -> bool {
        let rest = &self.transcript[self.found_to..];
        let place = rest.windows(bytes.len().max(1)).position(|window| window == bytes);
        self.found_to += place.map_or(0, |place| place + bytes.len());
        place.is_some()
    }

    /// A failure, if no more output can come.
    pub(super) fn ended_output<T>(&self) -> Option<Result<T, String>> {
        (self.output == StreamState::Ended).then(|| Err("the output has ended".to_owned()))
    }

    /// A failure, if the program has ended.
    pub(super) fn ended_program<T>(&self) -> Option<Result<T, String>> {
        self.ended.is_some().then(|| Err("the program has ended".to_owned()))
    }

    fn take(&mut self, report: ShimReport) {
        match report {
            ShimReport::Started { pid } => self.started = Some(Ok(pid)),
            ShimReport::Failed { why } => self.started = Some(Err(why)),
            ShimReport::Stopped { signal } => {
                let signal = Signal::try_from(signal).unwrap_or(Signal::SIGSTOP);
                self.job.push_back(JobEvent::Stopped(signal));
            }
            ShimReport::Continued {} => self.job.push_back(JobEvent::Continued),
            ShimReport::Ended { exit, leftovers } => self.ended = Some((exit, leftovers)),
            ShimReport::Leftovers { leftovers } => self.leftovers.push_back(leftovers),
            ShimReport::Cleared { killed } => self.cleared.push_back(killed),
            ShimReport::Gone {} => self.gone.push_back(()),
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.ended {
            Some((exit, leftovers)) => {
                writeln!(f, "{exit}, {} left at that moment", leftovers.len())?;
            }
            None => writeln!(f, "has not ended")?,
        }
        let screen = self.screen.screen();
        let (row, column) = screen.cursor_position();
        writeln!(f, "screen, cursor in row {row}, column {column}:")?;
        for line in screen.contents().lines() {
            writeln!(f, "  |{line}")?;
        }
        writeln!(f, "output:")?;
        for line in self.transcript.split_inclusive(|byte| *byte == b'\n') {
            writeln!(f, "  {}", line.escape_ascii())?;
        }
        Ok(())
    }
}

/// What was seen, and what wakes those who wait for more.
pub(super) struct StageWatch {
    seen: Mutex<Seen>,
    changed: Condvar,
}

impl StageWatch {
    pub(super) fn new(size: WindowSize) -> Self {
        Self {
            seen: Mutex::new(Seen {
                screen: vt100::Parser::new(size.rows, size.columns, 0),
                transcript: Vec::new(),
                found_to: 0,
                output: StreamState::Open,
                reports: StreamState::Open,
                started: None,
                job: VecDeque::new(),
                ended: None,
                leftovers: VecDeque::new(),
                cleared: VecDeque::new(),
                gone: VecDeque::new(),
                patience: PATIENCE,
            }),
            changed: Condvar::new(),
        }
    }

    /// A test's closure may panic while it looks; what was seen stays sound.
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn look<T>(&self, at: impl FnOnce(&mut Seen) -> T) -> T {
        at(&mut self.lock())
    }

    pub(super) fn set_patience(&self, patience: Duration) {
        self.lock().patience = patience;
    }

    fn add(&self, more: impl FnOnce(&mut Seen)) {
        more(&mut self.lock());
        self.changed.notify_all();
    }

    /// Waits until `find` finds something; says why when it does not.
    pub(super) fn wait<T>(&self, find: impl FnMut(&mut Seen) -> Option<T>) -> Result<T, String> {
        let patience = self.lock().patience;
        self.wait_for(patience, find)
    }

    /// The same, for so long.
    pub(super) fn wait_for<T>(
        &self,
        patience: Duration,
        mut find: impl FnMut(&mut Seen) -> Option<T>,
    ) -> Result<T, String> {
        let mut seen = self.lock();
        let deadline = Instant::now() + patience;
        loop {
            if let Some(found) = find(&mut seen) {
                return Ok(found);
            }
            if seen.reports == StreamState::Ended {
                return Err("the shim has ended".to_owned());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(format!("not within {patience:?}"));
            }
            let woken = self.changed.wait_timeout(seen, left);
            seen = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Starts the thread that reads the terminal; it ends with the returned descriptor.
pub(super) fn read_terminal(
    watch: &Arc<StageWatch>,
    master: BorrowedFd<'_>,
) -> io::Result<(JoinHandle<()>, OwnedFd)> {
    let master = master.try_clone_to_owned()?;
    let (sleep, wake) = io::pipe()?;
    let watch = Arc::clone(watch);
    let reader = thread::spawn(move || {
        // Whatever ends the reading, no more output comes.
        let _ = follow(&watch, &master, sleep.as_fd());
        watch.add(|seen| seen.output = StreamState::Ended);
    });
    Ok((reader, wake.into()))
}

fn follow(watch: &StageWatch, master: &OwnedFd, sleep: BorrowedFd<'_>) -> io::Result<()> {
    let mut bytes = [0; 4096];
    loop {
        let mut wanted =
            [PollFd::new(master.as_fd(), PollFlags::POLLIN), PollFd::new(sleep, PollFlags::POLLIN)];
        match poll(&mut wanted, PollTimeout::NONE) {
            Ok(_) => {}
            Err(Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
        }
        if wanted[1].revents().is_some_and(|events| !events.is_empty()) {
            return Ok(());
        }
        // EIO: nobody has the slave open any longer, and all that was written has been read.
        let count = nix::unistd::read(master, &mut bytes)?;
        if count == 0 {
            return Ok(());
        }
        watch.add(|seen| {
            seen.transcript.extend_from_slice(&bytes[..count]);
            show(&mut seen.screen, &bytes[..count]);
        });
    }
}

/// Shows output on the screen. The emulator panics on some output after it was made smaller; it is
/// reset then, as a person would reset a terminal.
fn show(screen: &mut vt100::Parser, output: &[u8]) {
    let (rows, columns) = screen.screen().size();
    if panic::catch_unwind(AssertUnwindSafe(|| screen.process(output))).is_err() {
        *screen = vt100::Parser::new(rows, columns, 0);
    }
}

/// Starts the thread that reads the shim's reports; it ends with the shim.
pub(super) fn read_reports(watch: &Arc<StageWatch>, control: UnixStream) -> JoinHandle<()> {
    let watch = Arc::clone(watch);
    thread::spawn(move || {
        let mut control = BufReader::new(control);
        while let Ok(Some(report)) = lines::read(&mut control) {
            watch.add(|seen| seen.take(report));
        }
        watch.add(|seen| seen.reports = StreamState::Ended);
    })
}
