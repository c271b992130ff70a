//! The shim: starts one program on a terminal, says how it ends and what it leaves, and clears up.
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

pub use protocol::ProcessEnd;

use crate::lines;
use crate::process::{self, ProcessInfo, RunState};
use crate::program::{SessionLeader, StagedProgram};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::{Signal, killpg};
use nix::sys::signalfd::SignalFd;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::{Pid, dup2_stdin, dup2_stdout, getpgrp, setsid, tcsetpgrp};
use protocol::{ShimReport, ShimRequest};
use std::fs::OpenOptions;
use std::io::{self, BufReader};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

/// Does all that a shim does, in this process: nothing else may run in it.
#[must_use]
pub fn run() -> ExitCode {
    match Shim::begin().and_then(|shim| shim.map_or(Ok(()), Shim::serve)) {
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
enum StageSocket {
    Open,
    Ended,
}

struct Shim {
    control: BufReader<UnixStream>,
    signals: SignalFd,
    leader: SessionLeader,
    program: Pid,
    /// Open as long as the program runs, so that the output ends with it and not before.
    terminal: Option<OwnedFd>,
    waits: Waits,
}

impl Shim {
    /// Nothing if the program could not be started, and the stage knows.
    fn begin() -> io::Result<Option<Self>> {
        let control = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
        let terminal = io::stdout().as_fd().try_clone_to_owned()?;
        let nowhere = OpenOptions::new().read(true).write(true).open("/dev/null")?;
        dup2_stdin(&nowhere)?;
        dup2_stdout(&nowhere)?;
        let mut control = BufReader::new(control);
        let program: StagedProgram =
            lines::read(&mut control)?.ok_or(io::ErrorKind::UnexpectedEof)?;

        setsid()?;
        set_child_subreaper(true)?;
        let signals = start::take_signals()?;
        match start::start(&program, &terminal) {
            Ok(pid) => {
                lines::write(control.get_ref(), &ShimReport::Started { pid })?;
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
                lines::write(control.get_ref(), &ShimReport::Failed { why })?;
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
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => StageSocket::Ended,
                Err(error) => {
                    eprintln!("holdfast-shim: {error}");
                    StageSocket::Ended
                }
            };
            if stage == StageSocket::Ended {
                // Reports fail from now on; what was asked for is done all the same.
                let _ = self.clear();
                return Ok(());
            }
        }
    }

    fn report(&self, report: &ShimReport) -> io::Result<()> {
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
                    self.report(&ShimReport::Stopped { signal: signal as i32 })?;
                }
                status => self.ended(status)?,
            }
        }
        Ok(())
    }

    fn ended(&mut self, status: WaitStatus) -> io::Result<()> {
        let exit = match status {
            WaitStatus::Exited(_, code) => ProcessEnd::Code(code),
            WaitStatus::Signaled(_, signal, _) => ProcessEnd::by(signal),
            other => return Err(io::Error::other(format!("an end of a strange kind: {other:?}"))),
        };
        let leftovers = leftovers()?;
        self.hand_terminal_to(getpgrp());
        self.terminal = None;
        self.report(&ShimReport::Ended { exit, leftovers })
    }

    fn hand_terminal_to(&self, group: Pid) {
        if let (Some(terminal), SessionLeader::Shell) = (&self.terminal, self.leader) {
            // It fails once the terminal is hung up, and then there is nothing to hand over.
            let _ = tcsetpgrp(terminal, group);
        }
    }

    fn go_on(&self, foreground: Pid) -> io::Result<()> {
        self.hand_terminal_to(foreground);
        killpg(self.program, Signal::SIGCONT)?;
        self.report(&ShimReport::Continued {})
    }

    fn answer(&mut self, asked: bool) -> io::Result<StageSocket> {
        if !asked {
            return Ok(StageSocket::Open);
        }
        loop {
            let Some(ask) = lines::read(&mut self.control)? else { return Ok(StageSocket::Ended) };
            match ask {
                ShimRequest::Leftovers {} => {
                    let mut leftovers = leftovers()?;
                    leftovers.retain(|left| !self.running() || left.pid != self.program.as_raw());
                    self.report(&ShimReport::Leftovers { leftovers })?;
                }
                ShimRequest::Clear {} => {
                    let killed = self.clear()?;
                    self.report(&ShimReport::Cleared { killed })?;
                }
                ShimRequest::Gone {} => {
                    self.waits = Waits::ForGone;
                    self.reap_gone()?;
                }
                ShimRequest::Foreground {} if self.running() => {
                    self.go_on(self.program)?;
                }
                ShimRequest::Background {} if self.running() => {
                    self.go_on(getpgrp())?;
                }
                ShimRequest::Foreground {} | ShimRequest::Background {} => {}
            }
            if self.control.buffer().is_empty() {
                return Ok(StageSocket::Open);
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
                    self.report(&ShimReport::Gone {})?;
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
    fn clear(&mut self) -> io::Result<Vec<ProcessInfo>> {
        let mut killed: Vec<ProcessInfo> = Vec::new();
        loop {
            for process in process::descendants(own_pid()) {
                if process.state != RunState::Zombie {
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
fn leftovers() -> io::Result<Vec<ProcessInfo>> {
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
