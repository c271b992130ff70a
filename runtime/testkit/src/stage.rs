//! The stage: one program on a pseudo-terminal of its own, a person's hands and eyes in code.
//!
//! Runs in the test's process, with two threads a stage: one reads the terminal into a screen, one
//! reads the shim's reports; whoever waits is woken by them.
//!
//! ```text
//!     keyboard --write--> master ~~ slave --> program        shim --reports---> Ended, Stopped, …
//!     screen  <--watch--- master ~~ slave <-- program        shim <--requests-- Clear, Gone, …
//! ```
//!
//! # Rules
//! 1. A failure to see something in time shows the screen, the whole output and the processes.
//! 2. Dropping a stage kills and reaps what is left on it, and nothing else.

mod job;
mod watch;

use crate::PATIENCE;
use crate::lines;
use crate::process::{self, ProcessInfo};
use crate::program::{StagedProgram, WindowSize};
use crate::shim::protocol::ShimRequest;
use nix::fcntl::OFlag;
use nix::libc;
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::termios::{Termios, tcgetattr};
use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use watch::{StageWatch, StreamState};

/// What can go wrong on a stage.
#[derive(thiserror::Error)]
pub enum StageError {
    /// The stage or the program on it could not be set up.
    #[error("failed to start {program}: {source}")]
    Start {
        /// The program.
        program: String,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
    /// What was waited for did not come, or cannot come any longer.
    #[error("failed to see {what}: {why}\n{dump}")]
    Unseen {
        /// What was waited for.
        what: String,
        /// The deadline, or an end.
        why: String,
        /// All there was.
        dump: String,
    },
    /// The terminal or the shim does not do what it is told.
    #[error("failed to {operation}: {source}")]
    Operation {
        /// What was tried.
        operation: &'static str,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
}

/// As it is displayed: it spans lines, and a test that unwraps it must be legible.
impl fmt::Debug for StageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

type Result<T, E = StageError> = std::result::Result<T, E>;

/// One program on a pseudo-terminal of its own.
pub struct TerminalStage {
    program: String,
    pid: i32,
    shim: Child,
    control: UnixStream,
    master: Option<PtyMaster>,
    screen: Option<JoinHandle<()>>,
    reports: Option<JoinHandle<()>>,
    /// Dropping it ends the thread that reads the terminal.
    wake: Option<OwnedFd>,
    watch: Arc<StageWatch>,
}

impl TerminalStage {
    /// Starts a program; `shim` is the command that calls [`crate::shim::run`].
    ///
    /// # Errors
    /// No terminal is left, the shim does not run, or the program could not be executed.
    pub fn open(shim: Command, program: &StagedProgram) -> Result<Self> {
        let name = program.path.display().to_string();
        let failed = |source| StageError::Start { program: name.clone(), source };
        let mut stage = Self::set_up(shim, program).map_err(failed)?;
        stage.pid = stage
            .watch
            .wait(|seen| seen.started.take())
            .map_err(|why| stage.unseen("the program's start", why))?
            .map_err(|why| failed(io::Error::other(why)))?;
        Ok(stage)
    }

    fn set_up(mut shim: Command, program: &StagedProgram) -> io::Result<Self> {
        let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        set_size(&master, program.size)?;
        let slave = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NOCTTY)
            .open(ptsname_r(&master)?)?;
        let (control, theirs) = UnixStream::pair()?;
        let shim = shim
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(slave))
            .stderr(Stdio::inherit())
            .spawn()?;
        lines::write(&control, program)?;
        let watch = Arc::new(StageWatch::new(program.size));
        let (screen, wake) = watch::read_terminal(&watch, master.as_fd())?;
        let reports = watch::read_reports(&watch, control.try_clone()?);
        Ok(Self {
            program: program.path.display().to_string(),
            pid: 0,
            shim,
            control,
            master: Some(master),
            screen: Some(screen),
            reports: Some(reports),
            wake: Some(wake),
            watch,
        })
    }

    /// How long a wait takes before it fails; [`PATIENCE`] without this.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        self.watch.set_patience(patience);
        self
    }

    /// The process of the program.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// All processes on the stage, the program first, alive or zombie; but not the warden of a tree,
    /// which does nothing while its root lives.
    #[must_use]
    pub fn processes(&self) -> Vec<ProcessInfo> {
        let all = process::descendants(self.shim.id().cast_signed());
        all.into_iter().filter(|one| one.name != "holdfast-warden").collect()
    }

    /// Types these bytes.
    ///
    /// # Errors
    /// The terminal is closed.
    pub fn write(&self, bytes: &[u8]) -> Result<()> {
        self.with_master("type", |mut master| master.write_all(bytes))
    }

    /// Types a line, and Enter.
    ///
    /// # Errors
    /// The terminal is closed.
    pub fn type_line(&self, line: &str) -> Result<()> {
        self.write(format!("{line}\r").as_bytes())
    }

    /// Types Ctrl-C.
    ///
    /// # Errors
    /// The terminal is closed.
    pub fn ctrl_c(&self) -> Result<()> {
        self.write(b"\x03")
    }

    /// Types Ctrl-D.
    ///
    /// # Errors
    /// The terminal is closed.
    pub fn ctrl_d(&self) -> Result<()> {
        self.write(b"\x04")
    }

    /// Types Ctrl-Z.
    ///
    /// # Errors
    /// The terminal is closed.
    pub fn ctrl_z(&self) -> Result<()> {
        self.write(b"\x1a")
    }

    /// Waits until the screen is like that.
    ///
    /// # Errors
    /// The wait times out, or the output has ended.
    pub fn wait_screen(&self, what: &str, like: impl Fn(&vt100::Screen) -> bool) -> Result<()> {
        self.wait(what, |seen| match like(seen.screen.screen()) {
            true => Some(Ok(())),
            false => seen.ended_output(),
        })
    }

    /// Whether the screen is like that, now or within this time.
    #[must_use]
    pub fn shows(&self, patience: Duration, like: impl Fn(&vt100::Screen) -> bool) -> bool {
        let find = |seen: &mut watch::Seen| like(seen.screen.screen()).then_some(());
        self.watch.wait_for(patience, find).is_ok()
    }

    /// Waits until the screen shows this text.
    ///
    /// # Errors
    /// The wait times out.
    pub fn wait_text(&self, text: &str) -> Result<()> {
        let what = format!("{text:?} on the screen");
        self.wait_screen(&what, |screen| screen.contents().contains(text))
    }

    /// Waits for these bytes in the output, after those that the last such wait has found.
    ///
    /// # Errors
    /// The wait times out.
    pub fn wait_output(&self, bytes: &str) -> Result<()> {
        self.wait(&format!("{bytes:?} in the output"), |seen| match seen.find(bytes.as_bytes()) {
            true => Some(Ok(())),
            false => seen.ended_output(),
        })
    }

    /// The screen as text.
    #[must_use]
    pub fn screen(&self) -> String {
        self.watch.look(|seen| seen.screen.screen().contents())
    }

    /// All output so far, as the program wrote it.
    #[must_use]
    pub fn transcript(&self) -> Vec<u8> {
        self.watch.look(|seen| seen.transcript.clone())
    }

    /// The modes of the terminal.
    ///
    /// # Errors
    /// The terminal is closed.
    pub fn modes(&self) -> Result<Termios> {
        // Through the master of a pseudo-terminal these are the modes of its slave.
        self.with_master("read the modes", |master| Ok(tcgetattr(master)?))
    }

    /// The process group in the foreground of the terminal.
    ///
    /// # Errors
    /// The terminal is closed.
    pub fn foreground_group(&self) -> Result<i32> {
        self.with_master("read the foreground group", |master| {
            Ok(nix::unistd::tcgetpgrp(master)?.as_raw())
        })
    }

    /// Changes the size of the window, which the foreground hears as SIGWINCH.
    ///
    /// # Errors
    /// The terminal is closed.
    pub fn resize(&self, rows: u16, columns: u16) -> Result<()> {
        self.watch.look(|seen| seen.screen.screen_mut().set_size(rows, columns));
        self.with_master("resize", |master| set_size(master, WindowSize { rows, columns }))
    }

    /// Closes the window: the session hears SIGHUP, and the terminal is gone.
    pub fn close_terminal(&mut self) {
        self.wake = None;
        if let Some(screen) = self.screen.take() {
            // Its panic has been printed, and the output ends there.
            let _ = screen.join();
        }
        self.master = None;
    }

    /// The screen, the output and the processes, for a person.
    #[must_use]
    pub fn dump(&self) -> String {
        let processes: Vec<_> = self.processes().iter().map(|one| format!("  {one}\n")).collect();
        let seen = self.watch.look(|seen| seen.to_string());
        format!("program {} ({})\n{seen}processes:\n{}", self.program, self.pid, processes.concat())
    }

    fn wait<T>(
        &self,
        what: &str,
        find: impl FnMut(&mut watch::Seen) -> Option<Result<T, String>>,
    ) -> Result<T> {
        let found = self.watch.wait(find).and_then(|found| found);
        found.map_err(|why| self.unseen(what, why))
    }

    fn unseen(&self, what: &str, why: String) -> StageError {
        StageError::Unseen { what: what.to_owned(), why, dump: self.dump() }
    }

    fn ask(&self, ask: &ShimRequest) -> Result<()> {
        let failed = |source| StageError::Operation { operation: "ask the shim", source };
        lines::write(&self.control, ask).map_err(failed)
    }

    fn with_master<T>(
        &self,
        operation: &'static str,
        act: impl FnOnce(&PtyMaster) -> io::Result<T>,
    ) -> Result<T> {
        let master = self.master.as_ref().ok_or_else(|| io::ErrorKind::NotConnected.into());
        master.and_then(act).map_err(|source| StageError::Operation { operation, source })
    }
}

impl Drop for TerminalStage {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- a stage at the end of a failed test ---\n{}", self.dump());
        }
        self.close_terminal();
        // The end of the stream is the order to clear; the shim ends after it.
        let _ = self.control.shutdown(Shutdown::Write);
        self.watch.set_patience(PATIENCE);
        if self.watch.wait(|seen| (seen.reports == StreamState::Ended).then_some(())).is_err() {
            eprintln!("the shim of {} had to be killed\n{}", self.program, self.dump());
            let _ = self.shim.kill();
        }
        let _ = self.shim.wait();
        if let Some(reports) = self.reports.take() {
            let _ = reports.join();
        }
    }
}

fn set_size(master: &PtyMaster, size: WindowSize) -> io::Result<()> {
    let size =
        libc::winsize { ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the request reads a `winsize`, which lives until the call returns.
    let result = unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
    nix::errno::Errno::result(result)?;
    Ok(())
}
