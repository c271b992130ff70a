//! The test's side: a pseudo-terminal, what is on its screen, and what the child says.

use super::played::{CHILD, PLAY};
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{OpenptyResult, Winsize, openpty};
use nix::sys::termios::{Termios, tcgetattr};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(30);

/// A child at a terminal.
pub(super) struct Screen {
    terminal: File,
    /// Kept open, so that the terminal outlives the child and its modes can be read.
    slave: File,
    parser: vt100::Parser,
    child: Child,
    said: ChildStdout,
    heard: Vec<u8>,
    before: Termios,
    reading: Reading,
    /// All that the terminal was sent.
    sent: Vec<u8>,
}

/// What the test reads while it waits.
#[derive(PartialEq)]
enum Reading {
    All,
    SaidAlone,
}

impl Screen {
    /// Starts a child that plays this.
    pub(super) fn playing(play: &str) -> Self {
        Self::with_term(play, "xterm")
    }

    /// Starts one in a terminal of that kind.
    pub(super) fn with_term(play: &str, term: &str) -> Self {
        let size = Winsize { ws_row: ROWS, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 };
        let OpenptyResult { master, slave } = openpty(&size, None).unwrap();
        let (terminal, slave) = (File::from(master), File::from(slave));
        for file in [&terminal, &slave] {
            let flags = nix::fcntl::FdFlag::FD_CLOEXEC;
            nix::fcntl::fcntl(file, nix::fcntl::FcntlArg::F_SETFD(flags)).unwrap();
        }
        let before = tcgetattr(&slave).unwrap();
        let tty = slave.as_raw_fd();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", CHILD, "--nocapture", "--test-threads=1"]);
        let name = nix::unistd::ttyname(&slave).unwrap();
        let play = play.replace("TTY", &name.display().to_string());
        command.env(PLAY, play).env("TERM", term);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(slave.try_clone().unwrap());
        let prepare = move || {
            // SAFETY: three system calls that are safe after a fork, on a descriptor that is open.
            unsafe {
                if libc::setsid() < 0 || libc::ioctl(tty, libc::TIOCSCTTY, 0) < 0 {
                    return Err(std::io::Error::last_os_error());
                }
                block_all();
            }
            Ok(())
        };
        // SAFETY: it makes system calls alone.
        unsafe { command.pre_exec(prepare) };
        let mut child = command.spawn().unwrap();
        let said = child.stdout.take().unwrap();
        let parser = vt100::Parser::new(ROWS, COLUMNS, 1000);
        Self {
            terminal,
            slave,
            parser,
            child,
            said,
            heard: Vec::new(),
            before,
            reading: Reading::All,
            sent: Vec::new(),
        }
    }

    /// Types a text, as a person does.
    pub(super) fn types(&mut self, text: &str) {
        self.terminal.write_all(text.as_bytes()).unwrap();
    }

    /// Tells the child.
    pub(super) fn tells(&mut self, order: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{order}").unwrap();
    }

    /// Sends the child a signal.
    pub(super) fn kills(&self, signal: libc::c_int) {
        // SAFETY: the child was not waited for, so the number is its own.
        unsafe { libc::kill(i32::try_from(self.child.id()).unwrap(), signal) };
    }

    /// Resizes the window.
    pub(super) fn resizes(&mut self, rows: u16, columns: u16) {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: the descriptor is open and the pointer is to a live value.
        let done =
            unsafe { libc::ioctl(self.terminal.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
        assert_eq!(done, 0);
        self.parser.screen_mut().set_size(rows, columns);
    }

    /// The rows of the screen that hold something.
    pub(super) fn rows(&self) -> Vec<String> {
        let columns = self.parser.screen().size().1;
        let rows = self.parser.screen().rows(0, columns);
        rows.map(|row| row.trim_end().to_owned()).filter(|row| !row.is_empty()).collect()
    }

    /// The row that the cursor is in, up to its end.
    pub(super) fn line(&self) -> String {
        let screen = self.parser.screen();
        let row = usize::from(screen.cursor_position().0);
        screen.rows(0, screen.size().1).nth(row).unwrap_or_default().trim_end().to_owned()
    }

    /// The column of the cursor.
    pub(super) fn column(&self) -> usize {
        usize::from(self.parser.screen().cursor_position().1)
    }

    /// The text of the whole screen.
    pub(super) fn contents(&self) -> String {
        self.parser.screen().contents()
    }

    /// Waits until the screen is as wanted.
    #[track_caller]
    pub(super) fn until(&mut self, what: &str, wanted: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !wanted(self) {
            self.look(begun, what);
        }
    }

    /// Waits until the cursor is in a row with that text.
    #[track_caller]
    pub(super) fn until_line(&mut self, line: &str) {
        self.until(line, |screen| screen.line() == line);
    }

    /// Waits until some row has that text.
    #[track_caller]
    pub(super) fn until_row(&mut self, text: &str) {
        self.until(text, |screen| screen.rows().iter().any(|row| row.contains(text)));
    }

    /// Waits until the child has said that, and forgets what it said up to there.
    #[track_caller]
    pub(super) fn until_said(&mut self, text: &str) {
        let begun = Instant::now();
        let line = format!("@{text}\n").into_bytes();
        loop {
            let found = self.heard.windows(line.len()).position(|window| window == line);
            if let Some(at) = found {
                self.heard.drain(..at + line.len());
                return;
            }
            self.look(begun, text);
        }
    }

    /// Whether the child has said that, as far as it was listened to.
    pub(super) fn has_said(&self, text: &str) -> bool {
        String::from_utf8_lossy(&self.heard).contains(&format!("@{text}\n"))
    }

    /// All that the terminal was sent, as text.
    pub(super) fn sent(&self) -> String {
        String::from_utf8_lossy(&self.sent).into_owned()
    }

    /// Waits until the child has said that, and does not read the terminal meanwhile.
    #[track_caller]
    pub(super) fn until_said_unread(&mut self, text: &str) {
        self.reading = Reading::SaidAlone;
        self.until_said(text);
        self.reading = Reading::All;
    }

    /// Whether the terminal has its modes from before.
    pub(super) fn modes_are_as_before(&self) -> bool {
        tcgetattr(&self.slave).unwrap() == self.before
    }

    /// Waits until the child has ended well.
    #[track_caller]
    pub(super) fn ends(mut self) {
        self.until_said("over");
        // The end of its output is its end.
        self.until("the end", |screen| screen.heard.ends_with(END));
        assert!(self.child.wait().unwrap().success());
        assert!(self.modes_are_as_before());
    }

    #[track_caller]
    fn look(&mut self, begun: Instant, what: &str) {
        let left = LIMIT.saturating_sub(begun.elapsed());
        assert!(
            !left.is_zero(),
            "no {what:?} in time; said {:?}; the screen:\n{}",
            String::from_utf8_lossy(&self.heard),
            self.rows().join("\n"),
        );
        let mut ready = [
            PollFd::new(self.terminal.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.said.as_fd(), PollFlags::POLLIN),
        ];
        let from = if self.reading == Reading::All { 0 } else { 1 };
        let upto = if self.heard.ends_with(END) { 1 } else { 2 };
        poll(&mut ready[from..upto], PollTimeout::try_from(left).unwrap()).unwrap();
        let ready = ready.map(|one| one.any().unwrap_or(false));
        let mut bytes = [0; 4096];
        if ready[0] {
            let read = self.terminal.read(&mut bytes).unwrap();
            self.parser.process(&bytes[..read]);
            self.sent.extend_from_slice(&bytes[..read]);
        }
        if ready[1] {
            match self.said.read(&mut bytes).unwrap() {
                0 => self.heard.extend_from_slice(END),
                read => self.heard.extend_from_slice(&bytes[..read]),
            }
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // It has ended, or the test has failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Blocks all signals, as the driver's process has them.
///
/// # Safety
/// None that a caller could break; it is called between fork and exec.
pub(super) unsafe fn block_all() {
    // SAFETY: a signal set of zeros is valid, and all pointers are to live values.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const all, std::ptr::null_mut());
    }
}

/// What stands for the end of the child's output.
const END: &[u8] = b"@end of file\n";

const ROWS: u16 = 24;
const COLUMNS: u16 = 80;
