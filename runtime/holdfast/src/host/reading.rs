//! Whether a program waits for keys: what the kernel says of its system call.
//!
//! A program that has the terminal and does something else loses it when another asks. A wrong
//! answer costs a turn and no key: who reads without having the terminal is stopped, and asks.

use crate::process::children_of;
use std::collections::BTreeSet;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};

/// Whether any process of this group waits for keys of this terminal.
pub(super) fn waits_for_keys(group: i32, device: u64) -> bool {
    let members = descendants(std::process::id());
    members.into_iter().any(|pid| group_of(pid) == Some(group) && reads(pid, device))
}

/// Everything below a process that has not ended.
pub(super) fn descendants(pid: u32) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let mut next = vec![pid];
    while let Some(pid) = next.pop() {
        next.extend(children_of(pid).into_iter().filter(|child| found.insert(*child)));
    }
    found.retain(|pid| stat(*pid).is_some_and(|(state, _)| !matches!(state, 'Z' | 'X')));
    found
}

fn group_of(pid: u32) -> Option<i32> {
    stat(pid).map(|(_, group)| group)
}

/// The state of a process, and its group.
fn stat(pid: u32) -> Option<(char, i32)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name is in brackets, and may have brackets and spaces in it.
    let mut fields = text[text.rfind(')')? + 1..].split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((state, fields.nth(1)?.parse().ok()?))
}

fn reads(pid: u32, device: u64) -> bool {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return false };
    tasks.flatten().any(|task| {
        let call = std::fs::read_to_string(task.path().join("syscall")).unwrap_or_default();
        waits_in(pid, &call, device)
    })
}

/// Whether a system call, in the words of `/proc/PID/syscall`, waits for this terminal.
fn waits_in(pid: u32, call: &str, device: u64) -> bool {
    let mut words = call.split_ascii_whitespace();
    let Some(number) = words.next().and_then(|word| word.parse::<libc::c_long>().ok()) else {
        return false;
    };
    let arguments: Vec<u64> = words.filter_map(hexadecimal).collect();
    let argument = |index: usize| arguments.get(index).copied().unwrap_or(0);
    let is_terminal = |fd: u64| is_terminal(pid, fd, device);
    match number {
        libc::SYS_read | libc::SYS_readv => is_terminal(argument(0)),
        libc::SYS_ppoll => polled(pid, argument(0), argument(1)).into_iter().any(is_terminal),
        libc::SYS_pselect6 => selected(pid, argument(0), argument(1)).into_iter().any(is_terminal),
        libc::SYS_epoll_pwait | libc::SYS_epoll_pwait2 => epolled(pid, argument(0), device),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_poll => polled(pid, argument(0), argument(1)).into_iter().any(is_terminal),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_select => selected(pid, argument(0), argument(1)).into_iter().any(is_terminal),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_epoll_wait => epolled(pid, argument(0), device),
        _ => false,
    }
}

fn hexadecimal(word: &str) -> Option<u64> {
    u64::from_str_radix(word.strip_prefix("0x")?, 16).ok()
}

/// Whether a descriptor of a process is this terminal, by its own name or as `/dev/tty`.
fn is_terminal(pid: u32, fd: u64, device: u64) -> bool {
    let metadata = std::fs::metadata(format!("/proc/{pid}/fd/{fd}"));
    metadata.is_ok_and(|metadata| [device, libc::makedev(5, 0)].contains(&metadata.rdev()))
}

fn memory(pid: u32, address: u64, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    let memory = std::fs::File::open(format!("/proc/{pid}/mem")).ok()?;
    memory.read_exact_at(&mut bytes, address).ok()?;
    Some(bytes)
}

/// The descriptors that poll(2) waits for input of.
fn polled(pid: u32, address: u64, count: u64) -> Vec<u64> {
    let count = usize::try_from(count).unwrap_or(0).min(MOST_POLLED);
    let bytes = memory(pid, address, count * size_of::<libc::pollfd>()).unwrap_or_default();
    let entries = bytes.chunks_exact(size_of::<libc::pollfd>());
    let waits = entries.filter_map(|entry| {
        let fd = i32::from_ne_bytes(entry[..4].try_into().ok()?);
        let events = i16::from_ne_bytes(entry[4..6].try_into().ok()?);
        (events & libc::POLLIN != 0).then(|| u64::try_from(fd).ok())?
    });
    waits.collect()
}

/// The descriptors that select(2) waits for input of.
///
/// The kernel changes the set only when the call returns.
fn selected(pid: u32, count: u64, address: u64) -> Vec<u64> {
    let count = count.min(libc::FD_SETSIZE as u64);
    let length = usize::try_from(count.div_ceil(64) * 8).unwrap_or(0);
    if address == 0 {
        return Vec::new();
    }
    let bytes = memory(pid, address, length).unwrap_or_default();
    let is_set = |fd: &u64| {
        let byte = usize::try_from(fd / 8).ok().and_then(|index| bytes.get(index).copied());
        byte.is_some_and(|byte| byte & 1 << (fd % 8) != 0)
    };
    (0..count).filter(is_set).collect()
}

/// Whether an epoll waits for input of this terminal.
fn epolled(pid: u32, epoll: u64, device: u64) -> bool {
    let text = std::fs::read_to_string(format!("/proc/{pid}/fdinfo/{epoll}")).unwrap_or_default();
    text.lines().any(|line| {
        let mut words = line.split_ascii_whitespace();
        if words.next() != Some("tfd:") {
            return false;
        }
        let fd = words.next().and_then(|word| word.parse().ok());
        let events = words.nth(1).and_then(|word| u32::from_str_radix(word, 16).ok());
        let input = events.is_some_and(|events| events & libc::EPOLLIN as u32 != 0);
        input && fd.is_some_and(|fd| is_terminal(pid, fd, device))
    })
}

/// The most descriptors of one call that are looked at.
const MOST_POLLED: usize = 4096;
