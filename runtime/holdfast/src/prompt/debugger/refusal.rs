//! Whether the kernel lets a process be traced, and if not, why; and that nobody traces it afterwards.

use crate::orphans::{limit_of, mark_of};
use nix::errno::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::time::Duration;

/// Looks whether a process is one of this tree that nobody traces.
///
/// # Errors
/// Why not, with what to do about it, for people.
pub(super) fn is_free(pid: u32) -> Result<(), String> {
    if !is_below(pid) {
        return Err(format!("process {pid} is not one of this tree"));
    }
    if let Some(tracer) = tracer_of(pid) {
        let name = std::fs::read_to_string(format!("/proc/{tracer}/comm")).unwrap_or_default();
        return Err(format!("{} [{tracer}] traces it already: end that one first", name.trim()));
    }
    Ok(())
}

/// Looks whether the kernel lets this process trace another, which has consented.
///
/// # Errors
/// Why not, with what to do about it, for people.
pub(super) fn is_allowed(pid: u32) -> Result<(), String> {
    try_to_trace(pid).map_err(|errno| match errno {
        Errno::EPERM | Errno::EACCES => refused(&yama()),
        errno => format!("process {pid} cannot be traced: {}", errno.desc()),
    })
}

fn yama() -> String {
    std::fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default()
}

/// Why the kernel says no, as far as can be known.
fn refused(yama: &str) -> String {
    match yama.trim() {
        "2" => "the kernel lets only the administrator debug: \
                `sysctl kernel.yama.ptrace_scope=1`, or start the tree as root"
            .to_owned(),
        "3" => "the kernel lets nobody debug until the next boot (kernel.yama.ptrace_scope is 3)"
            .to_owned(),
        _ => "the kernel refuses ptrace: in a container add the capability SYS_PTRACE \
              (`--cap-add=SYS_PTRACE`); elsewhere the actor may run as another user"
            .to_owned(),
    }
}

/// Traces a process for a moment, without stopping it: the kernel lets it go when the thread ends
/// that traces it.
fn try_to_trace(pid: u32) -> Result<(), Errno> {
    let tracee = libc::pid_t::try_from(pid).map_err(|_| Errno::ESRCH)?;
    let seize = move || {
        let none = std::ptr::null_mut::<libc::c_void>();
        // SAFETY: PTRACE_SEIZE without options reads and writes no memory of this process.
        Errno::result(unsafe { libc::ptrace(libc::PTRACE_SEIZE, tracee, none, none) })?;
        Ok(nix::unistd::gettid().as_raw().unsigned_abs())
    };
    let thread = std::thread::Builder::new().name("trace".to_owned()).spawn(seize);
    let tracer = thread.ok().and_then(|thread| thread.join().ok()).unwrap_or(Err(Errno::EAGAIN))?;
    // A thread can be joined before the kernel has let go of whom it traced.
    while tracer_of(pid) == Some(tracer) {
        std::thread::yield_now();
    }
    Ok(())
}

/// Makes sure that nobody of this tree traces a process any longer, and that it runs.
pub(super) fn set_free(pid: u32) {
    for round in 0..ROUNDS {
        let Some(tracer) = tracer_of(pid) else { break };
        if round >= PATIENT_ROUNDS && is_below(tracer) {
            signal(tracer, Signal::KILL);
        }
        std::thread::park_timeout(ROUND);
    }
    // A stop that the debugger had asked for may be on its way.
    signal(pid, Signal::CONT);
}

fn signal(pid: u32, signal: Signal) {
    let number = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let Some(process) = number.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()) else {
        return;
    };
    // The number may have been given to another process before there was a descriptor.
    if is_below(pid) {
        let _ = pidfd_send_signal(&process, signal);
    }
}

/// Whether a process was started below this root.
fn is_below(pid: u32) -> bool {
    limit_of(pid).is_some_and(|limit| limit == mark_of(std::process::id()))
}

/// The process that traces another.
fn tracer_of(pid: u32) -> Option<u32> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("TracerPid:"))?;
    line.trim().parse().ok().filter(|tracer| *tracer != 0)
}

/// How often it is looked whether the tracer has gone, and how many times.
const ROUND: Duration = Duration::from_millis(10);
const ROUNDS: u32 = 200;

/// How many times it is looked before the tracer is killed.
const PATIENT_ROUNDS: u32 = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_says_what_to_do() {
        assert!(refused("2\n").contains("sysctl kernel.yama.ptrace_scope=1"));
        assert!(refused("3\n").contains("next boot"));
        assert!(refused("").contains("--cap-add=SYS_PTRACE"));
        assert!(refused("1\n").contains("--cap-add=SYS_PTRACE"));
    }

    #[test]
    fn a_process_of_another_tree_is_left_alone() {
        let why = is_free(std::process::id()).unwrap_err();
        assert!(why.contains("is not one of this tree"), "{why}");
    }

    #[test]
    fn a_trial_stops_nobody() {
        let mut child = std::process::Command::new("cat");
        let child = child.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
        let child = child.spawn().unwrap();
        try_to_trace(child.id()).unwrap();
        assert_eq!(tracer_of(child.id()), None);
        // Its input ends here.
        assert!(child.wait_with_output().unwrap().status.success());
    }
}
