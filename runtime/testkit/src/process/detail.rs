//! What else /proc tells of a process: its signals, its descriptors, its environment.

use nix::sys::signal::Signal;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::{fmt, fs, io};

/// A set of signals.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct SignalSet(u64);

impl SignalSet {
    /// Whether the set has this signal.
    #[must_use]
    pub fn contains(self, signal: Signal) -> bool {
        self.0 & (1 << (signal as u32 - 1)) != 0
    }

    /// Those that have names, in order.
    pub fn iter(self) -> impl Iterator<Item = Signal> {
        Signal::iterator().filter(move |signal| self.contains(*signal))
    }
}

impl fmt::Debug for SignalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unnamed = (1..=64).filter(|number| {
            self.0 & (1 << (number - 1)) != 0 && Signal::try_from(*number).is_err()
        });
        f.debug_set().entries(self.iter()).entries(unnamed).finish()
    }
}

/// What a process does with signals, as `/proc/PID/status` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignalMasks {
    /// Blocked by its first thread.
    pub blocked: SignalSet,
    /// Ignored by the process.
    pub ignored: SignalSet,
    /// Caught by the process.
    pub caught: SignalSet,
    /// Sent to the process and not delivered yet.
    pub pending: SignalSet,
}

/// Reads the signal masks of a process.
///
/// # Errors
/// There is no such process.
pub fn masks(pid: i32) -> io::Result<SignalMasks> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let mut masks = SignalMasks::default();
    for (key, value) in status.lines().filter_map(|line| line.split_once(":\t")) {
        let set = match key {
            "SigBlk" => &mut masks.blocked,
            "SigIgn" => &mut masks.ignored,
            "SigCgt" => &mut masks.caught,
            "ShdPnd" => &mut masks.pending,
            _ => continue,
        };
        set.0 = u64::from_str_radix(value, 16)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    }
    Ok(masks)
}

/// The process group that is in the foreground of a process's terminal; none without a terminal.
///
/// # Errors
/// There is no such process.
pub fn foreground_group(pid: i32) -> io::Result<Option<i32>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name stands in brackets and may hold brackets itself.
    let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
    let group = fields.split_ascii_whitespace().nth(5).and_then(|group| group.parse().ok());
    Ok(group.filter(|group| *group > 0))
}

/// The open descriptors of a process and what they lead to.
///
/// # Errors
/// There is no such process, or it is not ours to look at.
pub fn descriptors(pid: i32) -> io::Result<BTreeMap<i32, PathBuf>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fd"))? {
        let entry = entry?;
        let number = entry.file_name().to_string_lossy().parse();
        // One that was closed between the two looks is left out.
        if let (Ok(number), Ok(target)) = (number, fs::read_link(entry.path())) {
            found.insert(number, target);
        }
    }
    Ok(found)
}

/// The environment that a process was started with.
///
/// # Errors
/// There is no such process, or it is not ours to look at.
pub fn environment(pid: i32) -> io::Result<BTreeMap<String, String>> {
    let bytes = fs::read(format!("/proc/{pid}/environ"))?;
    let text = String::from_utf8_lossy(&bytes);
    let pairs = text.split('\0').filter_map(|entry| entry.split_once('='));
    Ok(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
}
