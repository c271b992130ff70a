//! The nanny: starts one program on a terminal, says how it ends and what it leaves, and clears up.
//!
//! Runs as a process of its own between the stage and the program, with one thread: it is the
//! subreaper of all that the program starts, so that nobody gets away, and a test that dies takes
//! all of it along. A binary of one line, `holdfast-shim`, calls [`run`]; a program that drives
//! stages itself can call it from a hidden subcommand instead.
//!
//! ```text
//!     stdin   the control socket: the program, then asks, as lines of JSON; reports go back
//!     stdout  the terminal, that is the slave of the stage's pseudo-terminal
//!     stderr  for complaints
//!
//!     start -- Started --> asks are answered, Stopped and Ended told -- end of stdin --> clear
//! ```
//!
//! # Rules
//! 1. Only the program itself is reaped unasked: what it left, zombies too, is there to be counted.
//! 2. That there is no descendant is the kernel's word (`ECHILD`), not the result of a search.
//! 3. The end of the control socket kills every descendant, whatever it was that ended it.

pub(crate) mod protocol;
mod start;

pub use protocol::Exit;

use crate::lines;
use crate::process::{self, Process, State};
use crate::program::{Leader, Program};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::{Signal, killpg};
use nix::sys::signalfd::SignalFd;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::{Pid, dup2_stdin, dup2_stdout, getpgrp, setsid, tcsetpgrp};
use protocol::{Ask, Report};
use std::fs::OpenOptions;
use std::io::{self, BufReader};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

/// Does all that a nanny does, in this process: nothing else may run in it.
#[must_use]
pub fn run() -> ExitCode {
    match Nanny::begin().and_then(|nanny| nanny.map_or(Ok(()), Nanny::serve)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("holdfast-shim: {error} (a stage starts this program, with a terminal)");
            ExitCode::from(2)
        }
    }
}

/// Whether the stage waits to hear that everybody is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waits {
    No,
    ForGone,
}

/// Whether the stage is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Present,
    Left,
}

struct Nanny {
    control: BufReader<UnixStream>,
    signals: SignalFd,
    leader: Leader,
    program: Pid,
    /// Open as long as the program runs, so that the output ends with it and not before.
    terminal: Option<OwnedFd>,
    waits: Waits,
}

impl Nanny {
    /// Nothing if the program could not be started, and the stage knows.
    fn begin() -> io::Result<Option<Self>> {
        let control = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
        let terminal = io::stdout().as_fd().try_clone_to_owned()?;
        let nowhere = OpenOptions::new().read(true).write(true).open("/dev/null")?;
        dup2_stdin(&nowhere)?;
        dup2_stdout(&nowhere)?;
        let mut control = BufReader::new(control);
        let program: Program = lines::read(&mut control)?.ok_or(io::ErrorKind::UnexpectedEof)?;

        setsid()?;
        set_child_subreaper(true)?;
        let signals = start::take_signals()?;
        match start::start(&program, &terminal) {
            Ok(pid) => {
                lines::write(control.get_ref(), &Report::Started { pid })?;
                Ok(Some(Self {
                    control,
                    signals,
                    leader: program.leader,
                    program: Pid::from_raw(pid),
                    terminal: Some(terminal),
                    waits: Waits::No,
                }))
            }
            Err(error) => {
                let why = error.to_string();
                lines::write(control.get_ref(), &Report::Failed { why })?;
                Ok(None)
            }
        }
    }

    fn serve(mut self) -> io::Result<()> {
        loop {
            let mut wanted = [
                PollFd::new(self.control.get_ref().as_fd(), PollFlags::POLLIN),
                PollFd::new(self.signals.as_fd(), PollFlags::POLLIN),
            ];
            match poll(&mut wanted, PollTimeout::NONE) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
            let [asked, signalled] =
                wanted.map(|fd| fd.revents().is_some_and(|events| !events.is_empty()));
            let stage = match self.hear(signalled).and_then(|()| self.answer(asked)) {
                Ok(stage) => stage,
                // The other end is gone: nobody hears the report.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Stage::Left,
                Err(error) => {
                    eprintln!("holdfast-shim: {error}");
                    Stage::Left
                }
            };
            if stage == Stage::Left {
                // Reports fail now; the deed counts.
                let _ = self.clear();
                return Ok(());
            }
        }
    }

    fn report(&self, report: &Report) -> io::Result<()> {
        lines::write(self.control.get_ref(), report)
    }

    fn hear(&mut self, signalled: bool) -> io::Result<()> {
        while signalled && let Some(signal) = self.signals.read_signal()? {
            if signal.ssi_signo == Signal::SIGHUP as u32 && self.running() {
                // The kernel hangs up on the leader of the session alone; a shell tells its jobs.
                let _ = killpg(self.program, Signal::SIGHUP);
                let _ = killpg(self.program, Signal::SIGCONT);
            }
        }
        self.watch_program()?;
        self.reap_gone()
    }

    fn running(&self) -> bool {
        self.terminal.is_some()
    }

    fn watch_program(&mut self) -> io::Result<()> {
        // Not WCONTINUED: the kernel forgets a continuation once the next stop has followed it.
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WSTOPPED | WaitPidFlag::WNOHANG;
        while self.running() {
            match waitid(Id::Pid(self.program), flags)? {
                WaitStatus::StillAlive => break,
                WaitStatus::Stopped(_, signal) => {
                    self.hand_terminal_to(getpgrp());
                    self.report(&Report::Stopped { signal: signal as i32 })?;
                }
                status => self.ended(status)?,
            }
        }
        Ok(())
    }

    fn ended(&mut self, status: WaitStatus) -> io::Result<()> {
        let exit = match status {
            WaitStatus::Exited(_, code) => Exit::Code(code),
            WaitStatus::Signaled(_, signal, _) => Exit::by(signal),
            other => return Err(io::Error::other(format!("an end of a strange kind: {other:?}"))),
        };
        let leftovers = leftovers()?;
        self.hand_terminal_to(getpgrp());
        self.terminal = None;
        self.report(&Report::Ended { exit, leftovers })
    }

    fn hand_terminal_to(&self, group: Pid) {
        if let (Some(terminal), Leader::Shell) = (&self.terminal, self.leader) {
            // It fails once the terminal is hung up, and then there is nothing to hand over.
            let _ = tcsetpgrp(terminal, group);
        }
    }

    fn go_on(&self, foreground: Pid) -> io::Result<()> {
        self.hand_terminal_to(foreground);
        killpg(self.program, Signal::SIGCONT)?;
        self.report(&Report::Continued {})
    }

    fn answer(&mut self, asked: bool) -> io::Result<Stage> {
        if !asked {
            return Ok(Stage::Present);
        }
        loop {
            let Some(ask) = lines::read(&mut self.control)? else { return Ok(Stage::Left) };
            match ask {
                Ask::Leftovers {} => {
                    let mut leftovers = leftovers()?;
                    leftovers.retain(|left| !self.running() || left.pid != self.program.as_raw());
                    self.report(&Report::Leftovers { leftovers })?;
                }
                Ask::Clear {} => {
                    let killed = self.clear()?;
                    self.report(&Report::Cleared { killed })?;
                }
                Ask::Gone {} => {
                    self.waits = Waits::ForGone;
                    self.reap_gone()?;
                }
                Ask::Foreground {} if self.running() => {
                    self.go_on(self.program)?;
                }
                Ask::Background {} if self.running() => {
                    self.go_on(getpgrp())?;
                }
                Ask::Foreground {} | Ask::Background {} => {}
            }
            if self.control.buffer().is_empty() {
                return Ok(Stage::Present);
            }
        }
    }

    /// Reaps what ends by itself, once the program has ended and the stage waits for that.
    fn reap_gone(&mut self) -> io::Result<()> {
        while self.waits == Waits::ForGone && !self.running() {
            match waitid(Id::All, WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG) {
                Ok(WaitStatus::StillAlive) => break,
                Ok(_) => {}
                Err(Errno::ECHILD) => {
                    self.waits = Waits::No;
                    self.report(&Report::Gone {})?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Kills every descendant and reaps it; returns those that were there.
    ///
    /// A child that one of them has forked meanwhile shows in the next round at the latest, for
    /// its parent was killed and is reaped here.
    fn clear(&mut self) -> io::Result<Vec<Process>> {
        let mut killed: Vec<Process> = Vec::new();
        loop {
            for process in process::descendants(own_pid()) {
                if process.state != State::Zombie {
                    // One that went by itself meanwhile is reaped all the same.
                    let _ = process.signal(Signal::SIGKILL);
                }
                if !killed.iter().any(|known| known.pid == process.pid) {
                    killed.push(process);
                }
            }
            match waitid(Id::All, WaitPidFlag::WEXITED) {
                Ok(status) if self.running() && status.pid() == Some(self.program) => {
                    let _ = self.ended(status);
                }
                Ok(_) => {}
                Err(Errno::ECHILD) => return Ok(killed),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// All descendants; the kernel confirms that there are none.
fn leftovers() -> io::Result<Vec<Process>> {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    loop {
        let found = process::descendants(own_pid());
        match (found.is_empty(), waitid(Id::All, flags)) {
            (false, _) | (true, Err(Errno::ECHILD)) => return Ok(found),
            // The search missed a child while another one went.
            (true, Ok(_) | Err(Errno::EINTR)) => {}
            (true, Err(error)) => return Err(error.into()),
        }
    }
}

fn own_pid() -> i32 {
    nix::unistd::getpid().as_raw()
}
