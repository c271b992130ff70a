//! A tree that runs, and what can be asked of it.

use libtest_mimic::Failed;
use nix::sys::signal::{SigHandler, Signal, signal};
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// What a test returns.
pub(crate) type Tested = Result<(), Failed>;

/// How long anything takes at most, on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A tree that runs. It and what it has left is killed when this is dropped.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    heard: Vec<String>,
}

/// A tree in a mode of the program, in a session of its own: without a terminal. What a shell has
/// ignored for the tests, as it does for what runs in its background, is not ignored for the tree.
pub(crate) fn command(words: &[&str]) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg("--program").args(words).stdin(Stdio::null());
    let prepare = || {
        for number in [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGHUP] {
            // SAFETY: the default action runs no code of this program.
            unsafe { signal(number, SigHandler::SigDfl)? };
        }
        nix::unistd::setsid()?;
        Ok(())
    };
    // SAFETY: signal(2) and setsid(2) are async-signal-safe.
    unsafe { command.pre_exec(prepare) };
    command
}

/// Starts it.
pub(crate) fn start(mut command: Command) -> Result<Running, Failed> {
    let (read, write) = std::io::pipe()?;
    command.stdout(write.try_clone()?).stderr(write);
    let child = command.spawn()?;
    drop(command);
    let (say, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(read).lines().map_while(Result::ok) {
            let _ = say.send(line);
        }
    });
    Ok(Running { child, lines, heard: Vec::new() })
}

impl Running {
    /// Waits for a line that begins like this, and gives the rest of it.
    pub(crate) fn line(&mut self, start: &str) -> Result<String, Failed> {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                return Err(format!("no line `{start}...` in {:#?}", self.heard).into());
            };
            self.heard.push(line.clone());
            if let Some(rest) = line.strip_prefix(start) {
                return Ok(rest.trim().to_owned());
            }
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: libc::c_int) {
        // SAFETY: the child is not reaped yet, so the number is its own.
        unsafe { libc::kill(self.child.id().cast_signed(), signal) };
    }

    /// How it ends, in time.
    pub(crate) fn ends(&mut self) -> Result<ExitStatus, Failed> {
        let ended = spin("the end of the tree", || Ok(self.child.try_wait()?));
        ended.map_err(|error| format!("{error:?}; it said {:#?}", self.all()).into())
    }

    /// That it ends with a code.
    pub(crate) fn ends_with(&mut self, code: i32) -> Tested {
        let status = self.ends()?;
        if status.code() == Some(code) {
            return Ok(());
        }
        let (got, signal) = (status.code(), status.signal());
        Err(format!(
            "expected exit code {code}, found {got:?}, signal {signal:?}; {:#?}",
            self.all()
        )
        .into())
    }

    /// All that it said.
    pub(crate) fn all(&mut self) -> &[String] {
        while let Ok(line) = self.lines.try_recv() {
            self.heard.push(line);
        }
        &self.heard
    }

    /// Its children: those that have ended and were not reaped, and the others.
    pub(crate) fn children(&self) -> (usize, usize) {
        let found = processes().into_iter().filter(|one| one.parent == self.pid());
        let found = found.filter(|one| one.name != "holdfast-warden");
        let (zombies, others): (Vec<_>, Vec<_>) = found.partition(|one| one.zombie);
        (zombies.len(), others.len())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let session = self.pid();
        kill_below(session);
        let left = processes().into_iter().filter(|one| one.session == session);
        left.for_each(|one| kill(one.pid));
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Kills a process that a test has started.
pub(crate) fn kill(pid: u32) {
    // SAFETY: sends a signal, and touches no memory.
    unsafe { libc::kill(pid.cast_signed(), libc::SIGKILL) };
}

/// Kills what is below a process that a test has started.
pub(crate) fn kill_below(pid: u32) {
    let (all, mut above) = (processes(), vec![pid]);
    while let Some(parent) = above.pop() {
        for one in all.iter().filter(|one| one.parent == parent) {
            above.push(one.pid);
            kill(one.pid);
        }
    }
}

/// One line of `/proc/*/stat`.
pub(crate) struct Process {
    pub(crate) pid: u32,
    pub(crate) parent: u32,
    pub(crate) session: u32,
    pub(crate) zombie: bool,
    pub(crate) name: String,
    /// The time that it has used.
    pub(crate) ticks: u64,
}

pub(crate) fn processes() -> Vec<Process> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid: u32| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let name = text[text.find('(')? + 1..text.rfind(')')?].to_owned();
        let mut fields = text[text.rfind(')')? + 1..].split_ascii_whitespace();
        let zombie = fields.next()? == "Z";
        let parent = fields.next()?.parse().ok()?;
        let session = fields.nth(1)?.parse().ok()?;
        // The fourteenth and fifteenth of all; the session is the sixth.
        let user: u64 = fields.nth(7)?.parse().ok()?;
        let system: u64 = fields.next()?.parse().ok()?;
        Some(Process { pid, parent, session, zombie, name, ticks: user + system })
    })
    .collect()
}

/// Looks again and again until there is something.
pub(crate) fn spin<T>(
    what: &str,
    mut look: impl FnMut() -> Result<Option<T>, Failed>,
) -> Result<T, Failed> {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if Instant::now() > end {
            return Err(format!("not in time: {what}").into());
        }
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

/// That two things are the same, or what they are.
pub(crate) fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> Tested {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what}: expected {expected:?}, found {found:?}").into())
}
