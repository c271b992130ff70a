//! The program of a host: its command, its descriptors, and what its stops mean.

use super::order::{Begins, HostedProgram, ProgramEnd};
use super::pseudo_terminal::{PseudoTerminal, duplicate};
use crate::error::RuntimeError;
use crate::signals::Held;
use nix::sys::signal::Signal;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::{Pid, getpid, tcsetpgrp};
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// The command of a program on its terminal.
///
/// # Errors
/// There is no program to start.
pub(super) fn command(
    program: &HostedProgram,
    terminal: Option<&PseudoTerminal>,
    begins: Begins,
) -> io::Result<Command> {
    let [name, arguments @ ..] = program.command.as_slice() else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let mut command = Command::new(name);
    command.args(arguments).envs(program.variables.iter().cloned());
    if let Some(folder) = &program.folder {
        command.current_dir(folder);
    }
    let streams = program.terminal.as_ref().map_or([false; 3], |terminal| terminal.streams);
    let slave = terminal.map(|terminal| terminal.slave().as_raw_fd());
    // SAFETY: between fork and exec the closure makes system calls that are async-signal-safe, and
    // allocates nothing.
    unsafe {
        command.pre_exec(move || {
            // A host that is killed cannot end its program.
            let _ = nix::sys::prctl::set_pdeathsig(Signal::SIGTERM);
            let Some(slave) = slave else { return Ok(()) };
            for (number, _) in (0..).zip(streams).filter(|(_, is_terminal)| *is_terminal) {
                duplicate(slave, number)?;
            }
            if begins == Begins::WithTerminal {
                let _held = Held::background();
                // SAFETY: the descriptor is the host's, and open.
                tcsetpgrp(BorrowedFd::borrow_raw(slave), getpid())?;
            }
            Ok(())
        });
    }
    Ok(command)
}

/// What an error of starting a program means to who has asked for it.
pub(super) fn not_started(program: &HostedProgram, error: &RuntimeError) -> ProgramEnd {
    let name = program.command.first().map(|name| name.to_string_lossy()).unwrap_or_default();
    match error {
        RuntimeError::System { source, .. } if source.kind() == io::ErrorKind::NotFound => {
            ProgramEnd::NotFound(format!("failed to start `{name}`: there is no such program"))
        }
        RuntimeError::System { source, .. } => {
            ProgramEnd::NotStarted(format!("failed to start `{name}`: {source}"))
        }
        // As if the SIGTERM of the teardown had come before its first instruction.
        RuntimeError::Cancelled(_) => ProgramEnd::Signal(Signal::SIGTERM as i32),
        error => ProgramEnd::NotStarted(format!("failed to start `{name}`: {error}")),
    }
}

/// Tells of every child that is stopped, in a thread of its own, until there is no child.
///
/// The kernel stops a whole group at once: a grandchild that reads stops the program too.
pub(super) fn watch_stops(tell: impl Fn(Pid, Signal) + Send + 'static) -> io::Result<()> {
    let watch = move || {
        crate::signals::set_mask(&nix::sys::signal::SigSet::all());
        loop {
            match waitid(Id::All, WaitPidFlag::WSTOPPED) {
                Ok(WaitStatus::Stopped(pid, signal)) => tell(pid, signal),
                Ok(_) | Err(nix::Error::EINTR) => {}
                Err(_) => return,
            }
        }
    };
    std::thread::Builder::new().name("stops".to_owned()).spawn(watch).map(drop)
}
