//! The job that this process belongs to: stopped as a whole and by the kernel's rules, or not at all.
//!
//! A shell lets a stopped job go on, and nobody else does. The kernel knows whether there is a shell:
//! a process group is *orphaned* where no member has a parent in another group of the same session,
//! and the default action of SIGTSTP, SIGTTIN and SIGTTOU does nothing there (setpgid(2), signal(7)).
//! So it is in a terminal window without a shell, under ssh(1) with a command, in a container, under
//! script(1), and for a background job whose shell has gone.
//!
//! # Rules
//! 1. The root stops as its disposition before the tree says: if that was to ignore, or its group is
//!    orphaned, nothing below it is stopped either.
//! 2. At a prompt the terminal does not send signals, so the root tells its whole group: the shell
//!    script, make(1), timeout(1) or pipeline that it is part of stops, too.
//! 3. An actor in a session of its own is always in an orphaned group: it stops when its supervisor
//!    says so, and when nobody else does.

use nix::unistd::{Pid, getpgid, getpgrp, getsid};
use std::fs;

/// Whether somebody could let the process group of this process go on.
pub(crate) fn can_go_on() -> bool {
    let group = getpgrp();
    let Ok(session) = getsid(None) else { return false };
    let outside = |parent: Pid| {
        getpgid(Some(parent)).is_ok_and(|of_parent| of_parent != group)
            && getsid(Some(parent)).is_ok_and(|of_parent| of_parent == session)
    };
    if outside(nix::unistd::getppid()) {
        return true;
    }
    let Ok(entries) = fs::read_dir("/proc") else { return false };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    pids.filter_map(parent_in(group)).any(outside)
}

/// The parent of a process that lives and is in this group.
fn parent_in(group: Pid) -> impl Fn(i32) -> Option<Pid> {
    move |pid| {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let mut fields = text[text.rfind(')')? + 1..].split_ascii_whitespace();
        let lives = !matches!(fields.next()?, "Z" | "X");
        let parent: i32 = fields.next()?.parse().ok()?;
        let of_process: i32 = fields.next()?.parse().ok()?;
        // What init has adopted, nobody lets go on.
        (lives && of_process == group.as_raw() && parent > 1).then_some(Pid::from_raw(parent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_of_a_process_is_found_in_its_group_alone() {
        let own = i32::try_from(std::process::id()).unwrap();
        let parent = nix::unistd::getppid();
        let expected = (parent.as_raw() > 1).then_some(parent);
        assert_eq!(parent_in(getpgrp())(own), expected);
        assert_eq!(parent_in(Pid::from_raw(1))(own), None);
    }
}
