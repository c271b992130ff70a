//! A tree on a terminal of its own, which the test reads when it likes.

use crate::checks::{PATIENCE, Tested, kill_below, spin};
use libtest_mimic::Failed;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{OpenptyResult, openpty};
use nix::sys::termios::{LocalFlags, Termios, tcgetattr};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;

/// A tree that leads the session of a terminal. It and what is below is killed when this is dropped.
pub(crate) struct OnTerminal {
    child: Child,
    master: File,
    /// Kept, so that the modes can be read after the end.
    slave: OwnedFd,
    before: Termios,
    seen: Vec<u8>,
}

/// Starts a command, which makes a session of its own, at a new terminal.
pub(crate) fn start_on_terminal(mut command: Command) -> Result<OnTerminal, Failed> {
    let OpenptyResult { master, slave } = openpty(None, None)?;
    for fd in [&master, &slave] {
        let flag = nix::fcntl::FdFlag::FD_CLOEXEC;
        nix::fcntl::fcntl(fd, nix::fcntl::FcntlArg::F_SETFD(flag))?;
    }
    let before = tcgetattr(&slave)?;
    command.stdin(Stdio::from(slave.try_clone()?));
    command.stdout(Stdio::from(slave.try_clone()?)).stderr(Stdio::from(slave.try_clone()?));
    command.env("TERM", "xterm").env("NO_COLOR", "1");
    // SAFETY: ioctl(2) is async-signal-safe, and the request takes a number.
    unsafe {
        command.pre_exec(|| {
            nix::errno::Errno::result(libc::ioctl(0, libc::TIOCSCTTY, 0))?;
            Ok(())
        });
    }
    let child = command.spawn()?;
    drop(command);
    Ok(OnTerminal { child, master: master.into(), slave, before, seen: Vec::new() })
}

impl OnTerminal {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: libc::c_int) {
        // SAFETY: the child is not reaped yet, so the number is its own.
        unsafe { libc::kill(self.pid().cast_signed(), signal) };
    }

    /// Types these bytes.
    pub(crate) fn types(&mut self, bytes: &[u8]) -> Tested {
        Ok(self.master.write_all(bytes)?)
    }

    /// Reads what is there, or comes within so many milliseconds.
    fn read(&mut self, wait: u16) -> Result<bool, Failed> {
        let mut fds = [PollFd::new(self.master.as_fd(), PollFlags::POLLIN)];
        if poll(&mut fds, PollTimeout::from(wait))? == 0 {
            return Ok(false);
        }
        let mut bytes = [0; 65536];
        let count = self.master.read(&mut bytes).unwrap_or(0);
        self.seen.extend_from_slice(&bytes[..count]);
        Ok(count > 0)
    }

    /// Reads until there is this text; what was found is forgotten with all before it.
    pub(crate) fn reads(&mut self, text: &str) -> Tested {
        let end = Instant::now() + PATIENCE;
        loop {
            let found = self.seen.windows(text.len()).position(|seen| seen == text.as_bytes());
            if let Some(at) = found {
                self.seen.drain(..at + text.len());
                return Ok(());
            }
            if Instant::now() > end {
                let seen = String::from_utf8_lossy(&self.seen).into_owned();
                return Err(format!("no {text:?} in {seen:?}").into());
            }
            self.read(20)?;
        }
    }

    /// Everything that was not read yet.
    pub(crate) fn rest(&mut self) -> Result<String, Failed> {
        while self.read(0)? {}
        Ok(String::from_utf8_lossy(&std::mem::take(&mut self.seen)).replace("\r\n", "\n"))
    }

    /// How it ends, in time, while nobody reads.
    pub(crate) fn ends_unread(&mut self) -> Result<ExitStatus, Failed> {
        spin("the end of the tree", || Ok(self.child.try_wait()?))
    }

    /// How it ends, in time, while everything is read.
    pub(crate) fn ends(&mut self) -> Result<ExitStatus, Failed> {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > end {
                let seen = String::from_utf8_lossy(&self.seen).into_owned();
                return Err(format!("it does not end: {seen:?}").into());
            }
            self.read(10)?;
        }
    }

    /// The modes.
    pub(crate) fn modes(&self) -> Result<Termios, Failed> {
        Ok(tcgetattr(&self.slave)?)
    }

    /// Sets other modes, as a shell does, and gives them.
    pub(crate) fn changes_modes(&self) -> Result<Termios, Failed> {
        let mut modes = self.before.clone();
        modes.local_flags.remove(LocalFlags::ICANON | LocalFlags::ECHO);
        nix::sys::termios::tcsetattr(&self.slave, nix::sys::termios::SetArg::TCSANOW, &modes)?;
        Ok(modes)
    }

    /// That the modes are as they were, already.
    pub(crate) fn modes_are_back_now(&self) -> Tested {
        crate::checks::same("the modes are back", self.modes()? == self.before, true)
    }

    /// That the modes are as they were.
    pub(crate) fn modes_are_back(&self) -> Tested {
        let back = || Ok((tcgetattr(&self.slave)? == self.before).then_some(()));
        spin("the terminal's modes as before", back)
    }
}

/// The code or, as a shell shows it, 128 and the signal.
pub(crate) fn code(status: ExitStatus) -> i32 {
    status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

impl Drop for OnTerminal {
    fn drop(&mut self) {
        kill_below(self.pid());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
