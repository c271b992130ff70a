//! What is executed: a debugger by its name, at the thread and the frame of the pause.

use crate::error::RuntimeError;
use std::error::Error as _;
use std::fmt::Write as _;
use std::io;
use std::process::Command;

/// A debugger, as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::prompt) enum DebuggerCommand {
    /// gdb(1).
    Gdb,
    /// lldb(1).
    Lldb,
    /// A line for sh(1), with `{pid}` in it, and perhaps `{thread}`.
    Other(String),
}

/// Where the task pauses: what the holder says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::prompt) struct PausePlace {
    /// The source file, as the compiler named it.
    pub(in crate::prompt) file: String,
}

impl DebuggerCommand {
    /// Its name, for people.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Gdb => "gdb",
            Self::Lldb => "lldb",
            Self::Other(line) => line.split_whitespace().next().unwrap_or("the debugger"),
        }
    }

    /// What is typed to make it let the program go, where it does not do so on a SIGTERM.
    pub(super) fn farewell(&self) -> &'static [u8] {
        match self {
            // Ctrl-C, Ctrl-U: whatever was being done, or typed.
            Self::Lldb => b"\x03\x15process detach\rquit\r",
            Self::Gdb | Self::Other(_) => b"",
        }
    }

    /// Why it could not be started.
    pub(super) fn not_started(&self, error: &RuntimeError) -> String {
        let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
        match source {
            Some(source) if source.kind() == io::ErrorKind::NotFound => {
                format!("{} is not installed, or not in PATH", self.name())
            }
            Some(source) => format!("{} cannot be started: {source}", self.name()),
            None => format!("{} cannot be started: {error}", self.name()),
        }
    }

    /// The command itself.
    pub(super) fn command(&self, pid: u32, thread: Option<i32>, place: &PausePlace) -> Command {
        match self {
            Self::Gdb => {
                let mut command = Command::new("gdb");
                command.args(["-q", "-p", &pid.to_string()]);
                if let Some(thread) = thread {
                    command.args(["-ex", &gdb_select(thread, place)]);
                }
                command
            }
            Self::Lldb => {
                let mut command = Command::new("lldb");
                command.args(["-p", &pid.to_string()]);
                if let Some(index) = thread.and_then(|thread| index_of(pid, thread)) {
                    command.args(["-o", &format!("thread select {index}")]);
                }
                command
            }
            Self::Other(line) => {
                let thread = thread.map_or_else(|| pid.to_string(), |thread| thread.to_string());
                let line = line.replace("{pid}", &pid.to_string()).replace("{thread}", &thread);
                let mut command = Command::new("sh");
                command.args(["-c", &line]);
                command
            }
        }
    }
}

/// Selects the thread, and in it the innermost frame that is in the file of the pause. The file is
/// what another process says: gdb gets it as data.
fn gdb_select(thread: i32, place: &PausePlace) -> String {
    let file = place.file.bytes().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    });
    let script = [
        "import gdb",
        &format!("file = bytes.fromhex('{file}').decode(errors='replace')"),
        // An optimizer may give a call the line of what was inlined beside it; the variables of
        // the frame are still those of its file.
        "def tables(frame):",
        "    yield frame.find_sal().symtab",
        "    try:",
        "        block = frame.block()",
        "    except RuntimeError:",
        "        return",
        "    while block:",
        "        yield from (symbol.symtab for symbol in block if symbol.is_variable)",
        "        block = None if block.function else block.superblock",
        "def here(frame):",
        "    return bool(file) and any(one and one.filename.endswith(file) for one in tables(frame))",
        "for one in gdb.selected_inferior().threads():",
        &format!("    if one.ptid[1] == {thread}:"),
        "        one.switch()",
        "        frame = gdb.newest_frame()",
        "        while frame and not here(frame):",
        "            frame = frame.older()",
        "        if frame:",
        "            frame.select()",
        "        gdb.execute('frame')",
    ];
    let lines = script.join("\\n");
    format!("python exec(\"{lines}\")")
}

/// The number that lldb(1) gives a thread: it counts them by their numbers in the kernel.
fn index_of(pid: u32, thread: i32) -> Option<usize> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let names = tasks.filter_map(|task| task.ok()?.file_name().to_str()?.parse::<i32>().ok());
    let mut threads: Vec<i32> = names.collect();
    threads.sort_unstable();
    threads.iter().position(|one| *one == thread).map(|index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(command: &Command) -> Vec<String> {
        let args = command.get_args().map(|word| word.to_string_lossy().into_owned());
        std::iter::once(command.get_program().to_string_lossy().into_owned()).chain(args).collect()
    }

    #[test]
    fn what_the_holder_says_is_no_code_of_gdbs() {
        let place = PausePlace { file: "a'); import os #\n\"x".to_owned() };
        let words = words(&DebuggerCommand::Gdb.command(7, Some(8), &place));
        assert_eq!(words[..4], ["gdb", "-q", "-p", "7"]);
        assert!(!words[5].contains("import os"), "{}", words[5]);
        assert_eq!(words[5].matches('"').count(), 2);
    }

    #[test]
    fn any_other_gets_the_process_and_the_thread() {
        let other = DebuggerCommand::Other("strace -p {thread} # {pid}".to_owned());
        let place = PausePlace::default();
        assert_eq!(words(&other.command(7, Some(8), &place)), ["sh", "-c", "strace -p 8 # 7"]);
        assert_eq!(words(&other.command(7, None, &place)), ["sh", "-c", "strace -p 7 # 7"]);
        assert_eq!(other.name(), "strace");
    }

    #[test]
    fn threads_are_counted_from_one() {
        let own = nix::unistd::gettid().as_raw();
        assert!(index_of(std::process::id(), own).is_some_and(|index| index >= 1));
        assert_eq!(index_of(std::process::id(), 0), None);
    }
}
