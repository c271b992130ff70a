//! What the root and the warden share: a page of memory, written by the root, read after its end.

use crate::error::{RuntimeError, failed};
use std::cell::UnsafeCell;
use std::io;
use std::os::fd::AsFd;
use std::os::fd::AsRawFd as _;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// The most output that is under way at once.
pub(crate) const CHUNK: usize = 16 << 10;

/// The shared memory.
#[derive(Debug)]
pub(crate) struct LastingMemory {
    /// One for each forwarded stream.
    pub(crate) chunks: [Chunk; 2],
    /// Counts what is read and written: output that stands still waits for the terminal.
    pub(crate) progress: AtomicU64,
    /// The modes before a debug session.
    before: Noted,
    /// The modes that the line editor has set.
    raw: Noted,
}

/// Modes of a terminal that are known, or not.
#[derive(Debug)]
struct Noted {
    known: AtomicBool,
    modes: UnsafeCell<libc::termios>,
}

/// Output that was read and not written yet.
#[derive(Debug)]
pub(crate) struct Chunk {
    bytes: UnsafeCell<[u8; CHUNK]>,
    length: AtomicUsize,
    written: AtomicUsize,
    /// How many bytes are being read, where nobody has said yet that they were.
    announced: AtomicUsize,
}

/// What stands where output is being read to. Text has no such byte.
const UNREAD: u8 = 0xff;

/// How many of them.
const LOOKED_AT: usize = 16;

// SAFETY: a chunk is written by the one thread that forwards, and modes by one thread at a time (the
// editor's the raw ones, the driver those from before); others read them when a flag says that they
// are whole, and use them only if the terminal has the very same.
unsafe impl Sync for Noted {}
// SAFETY: as above.
unsafe impl Sync for Chunk {}

impl LastingMemory {
    /// Makes one, which is never freed: a handler may be about to read it.
    ///
    /// # Errors
    /// If there is no memory.
    pub(crate) fn map() -> Result<&'static Self, RuntimeError> {
        let (read_write, kind) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
        // SAFETY: asks for new memory anywhere.
        let memory =
            unsafe { libc::mmap(std::ptr::null_mut(), size_of::<Self>(), read_write, kind, -1, 0) };
        if memory == libc::MAP_FAILED {
            return Err(failed("share memory")(io::Error::last_os_error()));
        }
        // SAFETY: the memory is large enough, aligned to a page, full of zeros, which are valid for all
        // fields, and never given back.
        Ok(unsafe { &*memory.cast::<Self>() })
    }

    /// A debug session begins.
    pub(crate) fn note_before(&self, modes: &libc::termios) {
        self.raw.known.store(false, Ordering::Release);
        self.before.note(modes);
    }

    /// The line editor has set the modes of a terminal.
    pub(crate) fn note_raw(&self, terminal: impl AsFd) {
        if let Some(modes) = modes_of(terminal) {
            self.raw.note(&modes);
        }
    }

    /// The session is over, and the modes are back.
    pub(crate) fn forget_modes(&self) {
        self.before.known.store(false, Ordering::Release);
        self.raw.known.store(false, Ordering::Release);
    }

    /// Puts the modes from before back, if the terminal has those of the line editor. Async-signal-safe.
    pub(crate) fn restore_modes(&self, terminal: impl AsFd) {
        let (Some(before), Some(raw)) = (self.before.get(), self.raw.get()) else { return };
        if !modes_of(&terminal).is_some_and(|now| alike(&now, raw)) || alike(before, raw) {
            return;
        }
        let fd = terminal.as_fd().as_raw_fd();
        // SAFETY: the set lives; SIGTTOU would stop a process in the background. tcsetattr(3) and
        // write(2) are async-signal-safe and read live values.
        unsafe {
            let (mut blocked, mut mask) = (std::mem::zeroed(), std::mem::zeroed());
            libc::sigemptyset(&raw mut blocked);
            libc::sigaddset(&raw mut blocked, libc::SIGTTOU);
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const blocked, &raw mut mask);
            libc::tcsetattr(fd, libc::TCSANOW, before);
            libc::write(fd, ENDED.as_ptr().cast(), ENDED.len());
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const mask, std::ptr::null_mut());
        }
    }
}

/// The end of bracketed paste, and a line of its own for what comes.
const ENDED: &[u8] = b"\x1b[?2004l\r\n";

impl Noted {
    fn note(&self, modes: &libc::termios) {
        self.known.store(false, Ordering::Release);
        // SAFETY: one thread writes at a time (see above), and readers look at the flag.
        unsafe { *self.modes.get() = *modes };
        self.known.store(true, Ordering::Release);
    }

    fn get(&self) -> Option<&libc::termios> {
        // SAFETY: they are whole while the flag is up, and seldom change.
        self.known.load(Ordering::Acquire).then(|| unsafe { &*self.modes.get() })
    }
}

fn modes_of(terminal: impl AsFd) -> Option<libc::termios> {
    // SAFETY: zeros are a valid value; the call fills it in, and is async-signal-safe.
    unsafe {
        let mut modes: libc::termios = std::mem::zeroed();
        let got = libc::tcgetattr(terminal.as_fd().as_raw_fd(), &raw mut modes);
        (got == 0).then_some(modes)
    }
}

fn alike(one: &libc::termios, other: &libc::termios) -> bool {
    let flags =
        |modes: &libc::termios| [modes.c_iflag, modes.c_oflag, modes.c_cflag, modes.c_lflag];
    flags(one) == flags(other) && one.c_cc == other.c_cc
}

impl Chunk {
    /// Reads more, once all is written, and gives what was read; so much is there to be read.
    pub(crate) fn fill(&self, there: usize, read: impl FnOnce(&mut [u8]) -> usize) -> &[u8] {
        // SAFETY: one thread fills and takes.
        let bytes = unsafe { &mut *self.bytes.get() };
        self.length.store(0, Ordering::Release);
        self.written.store(0, Ordering::Release);
        let there = there.min(CHUNK);
        bytes[..there.min(LOOKED_AT)].fill(UNREAD);
        self.announced.store(there, Ordering::Release);
        let length = read(&mut bytes[..there.max(1)]).min(CHUNK);
        self.length.store(length, Ordering::Release);
        self.announced.store(0, Ordering::Release);
        &bytes[..length]
    }

    /// After the end of the root: takes over what it had read and could not say.
    pub(crate) fn take_over(&self) {
        let there = self.announced.swap(0, Ordering::AcqRel).min(CHUNK);
        // SAFETY: nobody writes any longer.
        let bytes = unsafe { &*self.bytes.get() };
        let read = bytes[..there.min(LOOKED_AT)].iter().any(|byte| *byte != UNREAD);
        if read && self.length.load(Ordering::Acquire) == 0 {
            self.length.store(there, Ordering::Release);
        }
    }

    /// What is not written yet.
    pub(crate) fn pending(&self) -> &[u8] {
        let length = self.length.load(Ordering::Acquire).min(CHUNK);
        let written = self.written.load(Ordering::Acquire).min(length);
        // SAFETY: as above; and after the end of the root nobody writes.
        unsafe { &(&*self.bytes.get())[written..length] }
    }

    /// So much was written.
    pub(crate) fn wrote(&self, count: usize) {
        self.written.fetch_add(count, Ordering::AcqRel);
    }

    /// All was taken.
    pub(crate) fn clear(&self) {
        self.length.store(0, Ordering::Release);
    }
}
