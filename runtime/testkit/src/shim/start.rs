//! Starts the program on the terminal, with signals and descriptors as if nobody had been before.

use crate::program::{JobPlace, SessionLeader, StagedProgram};
use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// Blocks all signals, so that no terminal and no job control touches this process, and gives
/// those that it wants to hear of as a descriptor.
pub(super) fn take_signals() -> io::Result<SignalFd> {
    set_dispositions_to_default();
    SigSet::all().thread_block()?;
    let mut wanted = SigSet::empty();
    wanted.add(Signal::SIGCHLD);
    wanted.add(Signal::SIGHUP);
    Ok(SignalFd::with_flags(&wanted, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?)
}

/// Starts the program and returns when it is executed, or why it could not be.
pub(super) fn start(program: &StagedProgram, terminal: &OwnedFd) -> io::Result<i32> {
    if program.leader == SessionLeader::Shell {
        own_terminal(terminal.as_raw_fd())?;
    }
    let mut command = Command::new(&program.path);
    command
        .args(&program.args)
        .env_clear()
        .envs(&program.env)
        .stdin(Stdio::from(terminal.try_clone()?))
        .stdout(Stdio::from(terminal.try_clone()?))
        .stderr(Stdio::from(terminal.try_clone()?));
    let (leader, place) = (program.leader, program.place);
    // SAFETY: the closure makes system calls alone, all of them async-signal-safe, and allocates
    // nothing: an error number becomes an `io::Error` without one.
    unsafe { command.pre_exec(move || prepare(leader, place)) };
    let child = command.spawn()?;
    i32::try_from(child.id()).map_err(io::Error::other)
}

/// Runs in the child, before it executes the program; its stdin is the terminal.
fn prepare(leader: SessionLeader, place: JobPlace) -> io::Result<()> {
    match leader {
        SessionLeader::Program => {
            nix::unistd::setsid()?;
            own_terminal(0)?;
        }
        SessionLeader::Shell => {
            // SAFETY: plain system calls on this process; SIGTTOU is blocked, or the call that
            // takes the foreground from the background would stop it.
            let result = unsafe {
                let mut blocked = std::mem::zeroed();
                libc::sigemptyset(&raw mut blocked);
                libc::sigaddset(&raw mut blocked, libc::SIGTTOU);
                libc::sigprocmask(libc::SIG_BLOCK, &raw const blocked, std::ptr::null_mut());
                libc::setpgid(0, 0)
                    | match place {
                        JobPlace::Foreground => libc::tcsetpgrp(0, libc::getpid()),
                        JobPlace::Background => 0,
                    }
            };
            Errno::result(result)?;
        }
    }
    set_dispositions_to_default();
    // SAFETY: marks descriptors of this process to be closed by exec; none is closed now, and the
    // one by which `Command` reports a failure is marked so already. Then unblocks all signals.
    let result = unsafe {
        let mut none = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
        libc::close_range(3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC as libc::c_int)
    };
    Errno::result(result)?;
    Ok(())
}

/// Makes a terminal that belongs to no session the controlling one of this session leader.
fn own_terminal(terminal: i32) -> io::Result<()> {
    // SAFETY: the request takes a number, and 0 asks for no terminal of others.
    Errno::result(unsafe { libc::ioctl(terminal, libc::TIOCSCTTY, 0) })?;
    Ok(())
}

/// All of them, those too that the C library keeps for itself and that its functions refuse.
fn set_dispositions_to_default() {
    // The kernel's `struct sigaction`, of four words at most: no flags, no mask, and SIG_DFL is 0.
    let default = [0_u64; 4];
    let old = std::ptr::null_mut::<u64>();
    for number in 1..=libc::SIGRTMAX() {
        // SAFETY: the kernel reads `default`, which is as long as it expects, and writes nothing;
        // a default is sound for every signal, and those that have no other are refused.
        unsafe { libc::syscall(libc::SYS_rt_sigaction, number, default.as_ptr(), old, 8_usize) };
    }
}
