//! The pseudo-terminal of a host's program, whose session the host leads.
//!
//! # Rules
//! 1. The host keeps the slave's side open too: the master never reads an end, and what the program
//!    wrote before its end is there when it is looked for (the kernel flushes before it says that
//!    there is nothing).
//! 2. Who is not in the foreground and reads is stopped by the kernel (SIGTTIN): that is the wish for
//!    the terminal. The host's own group is in the foreground while nobody has it.

use super::order::TerminalShape;
use crate::signals::Held;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{SetArg, Termios, tcsetattr};
use nix::unistd::{Pid, getpgrp, tcgetpgrp, tcsetpgrp};
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd, RawFd};

/// The terminal of a program.
#[derive(Debug)]
pub(super) struct PseudoTerminal {
    master: OwnedFd,
    slave: OwnedFd,
    /// The slave's device number, as poll and read of others are recognised by.
    device: u64,
}

impl PseudoTerminal {
    /// Makes one, like the person's, and makes it the controlling terminal of this session.
    pub(super) fn make(like: &TerminalShape) -> io::Result<Self> {
        let (master, slave) = crate::terminal::pseudo_terminal()?;
        // SAFETY: the request takes a number, and touches no memory.
        Errno::result(unsafe { libc::ioctl(slave.as_raw_fd(), libc::TIOCSCTTY, 0) })?;
        let device = nix::sys::stat::fstat(&slave)?.st_rdev;
        let terminal = Self { master, slave, device };
        let _held = Held::background();
        if let Some(modes) = like.modes() {
            let _ = tcsetattr(&terminal.slave, SetArg::TCSANOW, &Termios::from(modes));
        }
        terminal.resize(like.rows, like.columns);
        Ok(terminal)
    }

    /// Sets the size of the window, which the foreground hears as SIGWINCH if it is another.
    pub(super) fn resize(&self, rows: u16, columns: u16) {
        crate::terminal::resize(&self.master, rows, columns);
    }

    /// The group that may read; the host's own if nobody does.
    pub(super) fn foreground(&self) -> Option<Pid> {
        tcgetpgrp(&self.slave).ok().filter(|group| *group != getpgrp())
    }

    /// Lets a group read.
    pub(super) fn give_to(&self, group: Pid) {
        let _held = Held::background();
        // A group that is gone reads nothing.
        let _ = tcsetpgrp(&self.slave, group);
    }

    /// Lets nobody read.
    pub(super) fn take_back(&self) {
        self.give_to(getpgrp());
    }

    /// The side that reads the output.
    pub(super) fn master(&self) -> BorrowedFd<'_> {
        self.master.as_fd()
    }

    /// The program's side.
    pub(super) fn slave(&self) -> BorrowedFd<'_> {
        self.slave.as_fd()
    }

    /// The name of the program's side.
    pub(super) fn name(&self) -> String {
        let name = nix::unistd::ttyname(&self.slave).unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    pub(super) fn device(&self) -> u64 {
        self.device
    }

    /// Takes the output that is there, up to a limit; nothing if there is none.
    pub(super) fn read(&self, most: usize) -> Vec<u8> {
        let mut output = Vec::new();
        let mut bytes = [0; 16 << 10];
        while output.len() < most {
            match nix::unistd::read(&self.master, &mut bytes) {
                Ok(0) | Err(Errno::EAGAIN | Errno::EIO) => break,
                Ok(count) => output.extend_from_slice(&bytes[..count]),
                Err(Errno::EINTR) => {}
                Err(_) => break,
            }
        }
        output
    }
}

/// Types keys into a terminal, as long as `while_open` is: a program that does not read takes only so
/// many.
pub(super) fn type_keys(master: BorrowedFd<'_>, mut keys: &[u8], while_open: BorrowedFd<'_>) {
    while !keys.is_empty() {
        match nix::unistd::write(master, keys) {
            Ok(count) => keys = &keys[count..],
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => {
                let mut ready = [
                    PollFd::new(master, PollFlags::POLLOUT),
                    PollFd::new(while_open, PollFlags::empty()),
                ];
                let _ = poll(&mut ready, PollTimeout::NONE);
                if ready[1].any().unwrap_or(true) {
                    return;
                }
            }
            Err(_) => return,
        }
    }
}

/// What a descriptor of a program is replaced by.
pub(super) fn duplicate(from: RawFd, to: RawFd) -> io::Result<()> {
    // SAFETY: dup2(2) touches no memory.
    Errno::result(unsafe { libc::dup2(from, to) })?;
    Ok(())
}
