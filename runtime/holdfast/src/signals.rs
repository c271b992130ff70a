//! Signals: a handler for each that the driver acts on, and none blocked where a program inherits it.
//!
//! A handler takes a note of what came and from where (`si_code`), and wakes the driver. exec(2)
//! resets handlers and keeps masks, so handlers are what a child of the program does not notice: it
//! hears what it would hear without the runtime, however it was started.
//!
//! ```text
//!   any thread: handler --count in UNREAD--> eventfd --> driver: Signals::take
//! ```
//!
//! # Rules
//! 1. A handler touches atomics and makes system calls that are async-signal-safe, nothing else.
//! 2. A signal that was ignored when the program started (nohup(1), a background job of a shell
//!    without job control) stays ignored. SIGCHLD does not: the kernel would throw statuses away.
//! 3. The driver's thread has none of them blocked, whatever the starter had blocked. All other
//!    threads of the program keep the mask that the program was started with, and hand it on.
//! 4. A copy of the process (fork without exec, or before it) is not the driver's: there a handler
//!    does what would have been done before.
//! 5. No signal that the protocol decides on is lost, however many come at once.

mod masks;
mod stack;
mod stopping;
mod traps;

pub(crate) use masks::{Held, deafened, mask_from_bits, mask_to_bits, set_mask};
pub(crate) use stopping::{StopReach, stop_by_default, stops_for};
pub(crate) use traps::{meet_traps_as_before, outlive_traps};

use crate::error::{RuntimeError, failed};
use holdfast_protocol::{Origin, Signal as Kind};
use nix::sys::signal::{
    SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, pthread_sigmask, sigaction,
};
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU32, AtomicU64, Ordering};
use tokio::io::unix::AsyncFd;

/// What the driver handles, in the order in which it takes what came together.
const HANDLED: [Signal; 9] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGTERM,
    Signal::SIGCHLD,
    Signal::SIGCONT,
    Signal::SIGTSTP,
];

/// A signal, as the driver takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// One that the protocol decides on.
    Decide(Kind, Origin),
    /// SIGTSTP: stop the tree.
    Stop(StopSender),
    /// The signal SIGCONT.
    Continue,
    /// SIGUSR1: dump the tree.
    Dump,
    /// SIGCHLD: look for orphans.
    Child,
}

/// Who sent a SIGTSTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StopSender {
    /// The parent of this process: of an actor, its supervisor.
    Parent,
    /// The terminal, or another process.
    Other,
}

/// The process whose driver listens, or none. A copy of the process has another number.
static OWNER: AtomicI32 = AtomicI32::new(0);

/// How often each came that was not read: from a process, and from the terminal.
static UNREAD: [[AtomicU32; 2]; HANDLED.len()] =
    [const { [const { AtomicU32::new(0) }; 2] }; HANDLED.len()];

/// When the last SIGTSTP and SIGCONT came, by [`monotonic`].
static STOP_CAME: AtomicU64 = AtomicU64::new(0);
/// Who sent the last SIGTSTP; the terminal has the number zero.
static STOP_SENDER: AtomicI32 = AtomicI32::new(0);
static CONTINUE_CAME: AtomicU64 = AtomicU64::new(0);

/// Whether a SIGTERM, SIGHUP or SIGQUIT has come: nothing takes that back.
static TOLD_TO_END: AtomicBool = AtomicBool::new(false);

/// The eventfd that wakes the driver. Never closed: a handler may be about to write to it.
static WAKE: OnceLock<OwnedFd> = OnceLock::new();

/// The dispositions from before, in the order of [`HANDLED`]. Never freed: a handler may read them.
static BEFORE: AtomicPtr<[libc::sigaction; HANDLED.len()]> = AtomicPtr::new(std::ptr::null_mut());

/// The thread of the line editor while it reads, and its handler of SIGINT.
static EDITOR: AtomicI32 = AtomicI32::new(0);
static EDITOR_HANDLER: AtomicPtr<libc::c_void> = AtomicPtr::new(std::ptr::null_mut());

/// The place of a signal in the tables here.
fn index_of(number: libc::c_int) -> Option<usize> {
    HANDLED.iter().position(|one| *one as libc::c_int == number)
}

/// Nanoseconds of a clock that only goes on.
fn monotonic() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes a time to a live value of its type; it is async-signal-safe.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
}

/// Runs in whatever thread the kernel chose, which is the driver's when that is free to take it.
extern "C" fn on_signal(number: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the thread's own errno, which a handler must leave as it found it.
    let errno = unsafe { *libc::__errno_location() };
    if are_handled() {
        // SAFETY: the kernel passes the information of this signal (`SA_SIGINFO`).
        note(number, unsafe { &*info });
    } else {
        stand_aside(number);
    }
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

fn note(number: libc::c_int, info: &libc::siginfo_t) {
    let Some(index) = index_of(number) else { return };
    match HANDLED[index] {
        Signal::SIGINT if wakes_editor(info) => return,
        Signal::SIGHUP | Signal::SIGQUIT | Signal::SIGTERM => {
            TOLD_TO_END.store(true, Ordering::Release);
        }
        // The kernel drops a stop that waits when a continuation comes, and the other way round.
        Signal::SIGTSTP => {
            STOP_CAME.store(monotonic(), Ordering::Release);
            // SAFETY: a signal of a process has that field, and one of the kernel has zero there.
            STOP_SENDER.store(unsafe { info.si_pid() }, Ordering::Release);
            forget(libc::SIGCONT);
        }
        Signal::SIGCONT => {
            CONTINUE_CAME.store(monotonic(), Ordering::Release);
            forget(libc::SIGTSTP);
        }
        _ => {}
    }
    let terminal = usize::from(info.si_code == libc::SI_KERNEL);
    UNREAD[index][terminal].fetch_add(1, Ordering::AcqRel);
    if let Some(wake) = WAKE.get() {
        let one = 1_u64.to_ne_bytes();
        // SAFETY: writes eight live bytes. It fails only where the counter is as high as it goes,
        // and then the driver is awake.
        unsafe { libc::write(wake.as_raw_fd(), one.as_ptr().cast(), one.len()) };
    }
}

fn forget(number: libc::c_int) {
    if let Some(index) = index_of(number) {
        UNREAD[index].iter().for_each(|came| came.store(0, Ordering::Release));
    }
}

/// Whether this SIGINT is the prompt's own, sent to the line editor's thread: then its handler,
/// which this one stands in for, is called.
fn wakes_editor(info: &libc::siginfo_t) -> bool {
    // SAFETY: a signal of a process has that field, and one of the kernel has zero there. The two
    // calls touch no memory.
    let (sender, thread, own) =
        unsafe { (info.si_pid(), libc::syscall(libc::SYS_gettid), libc::getpid()) };
    let ours = sender == own && thread == libc::c_long::from(EDITOR.load(Ordering::Acquire));
    if ours {
        let handler = EDITOR_HANDLER.load(Ordering::Acquire);
        if !handler.is_null() {
            // SAFETY: the address was read from a disposition without `SA_SIGINFO`, so that is
            // what it points to.
            let handler: extern "C" fn(libc::c_int) = unsafe { std::mem::transmute(handler) };
            handler(libc::SIGINT);
        }
    }
    ours
}

/// In a copy of the process: what would have been done before is done, once this handler returns.
fn stand_aside(number: libc::c_int) {
    let before = BEFORE.load(Ordering::Acquire);
    if let (false, Some(index)) = (before.is_null(), index_of(number)) {
        // SAFETY: the table is never freed, and was written before the first handler was there.
        // sigaction(2) and raise(3) are async-signal-safe.
        unsafe {
            let before = &raw const (*before)[index];
            libc::sigaction(number, before, std::ptr::null_mut());
            libc::raise(number);
        }
    }
}

/// What the program was started with: given back at the end.
#[derive(Clone)]
pub(crate) struct Before {
    mask: SigSet,
    dispositions: Vec<(Signal, libc::sigaction)>,
}

impl Before {
    /// Installs the handlers, and lets this thread hear the signals that have one.
    ///
    /// # Errors
    /// If the kernel refuses, or if other threads run already.
    pub(crate) fn take_over() -> Result<Self, RuntimeError> {
        // Those of a tree before are about to end.
        for look in 0.. {
            let threads = std::fs::read_dir("/proc/self/task");
            if threads.map_err(failed("count the threads"))?.count() == 1 {
                break;
            }
            if look == LOOKS {
                return Err(RuntimeError::Threads);
            }
            std::thread::park_timeout(std::time::Duration::from_millis(2));
        }
        if WAKE.get().is_none() {
            let _ = WAKE.set(eventfd().map_err(failed("make an eventfd"))?);
        }
        let table = HANDLED.map(disposition);
        BEFORE.store(Box::into_raw(Box::new(table)), Ordering::Release);
        UNREAD.as_flattened().iter().for_each(|came| came.store(0, Ordering::Release));
        TOLD_TO_END.store(false, Ordering::Release);
        // SAFETY: getpid(2) touches no memory.
        OWNER.store(unsafe { libc::getpid() }, Ordering::Release);
        stack::keep();
        let mut dispositions = Vec::new();
        for (signal, before) in HANDLED.into_iter().zip(table) {
            if before.sa_sigaction == libc::SIG_IGN && signal != Signal::SIGCHLD {
                continue;
            }
            install(signal).map_err(failed("handle a signal"))?;
            dispositions.push((signal, before));
        }
        let mut mask = SigSet::empty();
        let handled: SigSet = HANDLED.into_iter().collect();
        pthread_sigmask(SigmaskHow::SIG_UNBLOCK, Some(&handled), Some(&mut mask))
            .map_err(failed("unblock signals"))?;
        Ok(Self { mask, dispositions })
    }

    /// Gives the dispositions and the mask back that were there before. What came too late to be
    /// read is thrown away: the tree that it was meant for has ended.
    pub(crate) fn restore(&self) {
        for (signal, before) in &self.dispositions {
            // SAFETY: this is the disposition that the process had before.
            unsafe { libc::sigaction(*signal as libc::c_int, before, std::ptr::null_mut()) };
        }
        OWNER.store(0, Ordering::Release);
        let _ = pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&self.mask), None);
    }

    /// The mask from before, for all threads but the driver's, and for programs.
    pub(crate) fn mask(&self) -> SigSet {
        self.mask
    }
}

/// How often threads are looked at that may be about to end.
const LOOKS: u32 = 50;

fn eventfd() -> io::Result<OwnedFd> {
    // SAFETY: makes a descriptor and touches no memory.
    let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new, and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// How a signal is disposed of now.
fn disposition(signal: Signal) -> libc::sigaction {
    // SAFETY: zeros are a valid value: the default disposition.
    let mut now: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: with a null new action the call only writes the old one, into space of its size.
    unsafe { libc::sigaction(signal as libc::c_int, std::ptr::null(), &raw mut now) };
    now
}

/// Installs the handler. System calls of the program go on after it (`SA_RESTART`), and a thread
/// that has a stack for signals uses it (`SA_ONSTACK`).
fn install(signal: Signal) -> nix::Result<()> {
    let flags =
        SaFlags::SA_RESTART | SaFlags::SA_ONSTACK | SaFlags::SA_SIGINFO | SaFlags::SA_NOCLDSTOP;
    let action = SigAction::new(SigHandler::SigAction(on_signal), flags, SigSet::all());
    // SAFETY: the handler is async-signal-safe, by rule 1.
    unsafe { sigaction(signal, &action) }.map(drop)
}

/// Whether a SIGCONT has followed the last SIGTSTP.
pub(crate) fn stop_is_void() -> bool {
    CONTINUE_CAME.load(Ordering::Acquire) >= STOP_CAME.load(Ordering::Acquire)
}

/// Whether the driver of this process has its handlers in place.
pub(crate) fn are_handled() -> bool {
    // SAFETY: getpid(2) touches no memory.
    OWNER.load(Ordering::Acquire) == unsafe { libc::getpid() }
}

/// Lets the line editor, which has just installed its handler of SIGINT, have those that the prompt
/// sends to this thread, and none else.
pub(crate) fn share_with_editor() {
    if !are_handled() {
        return;
    }
    let editors = disposition(Signal::SIGINT);
    let handles = ![libc::SIG_DFL, libc::SIG_IGN].contains(&editors.sa_sigaction);
    if handles && editors.sa_flags & libc::SA_SIGINFO == 0 {
        EDITOR_HANDLER.store(editors.sa_sigaction as *mut libc::c_void, Ordering::Release);
        let thread = nix::unistd::gettid().as_raw();
        EDITOR.store(thread, Ordering::Release);
        let _ = install(Signal::SIGINT);
    }
}

/// Ends this process the way the default disposition of a signal does.
pub(crate) fn die_of(signal: Option<Kind>) {
    let signal = match signal {
        Some(Kind::Hangup) => Signal::SIGHUP,
        Some(Kind::Quit) => Signal::SIGQUIT,
        Some(Kind::Interrupt) => Signal::SIGINT,
        Some(Kind::Terminate) | None => Signal::SIGTERM,
    };
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: no handler is installed here.
    let _ = unsafe { sigaction(signal, &default) };
    let _ = nix::sys::signal::raise(signal);
    let _ = pthread_sigmask(SigmaskHow::SIG_UNBLOCK, Some(&signal.into()), None);
}

/// The signals that come.
pub(crate) struct Signals {
    wake: AsyncFd<BorrowedFd<'static>>,
    taken: VecDeque<Taken>,
}

impl Signals {
    /// Starts to read. The handlers must be there.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub(crate) fn new() -> Result<Self, RuntimeError> {
        let missing = || io::Error::from(io::ErrorKind::NotConnected);
        let wake = WAKE.get().ok_or_else(missing).map_err(failed("watch for signals"))?;
        // SAFETY: the descriptor is never closed.
        let wake = unsafe { AsyncFd::register(wake.as_fd()) };
        Ok(Self { wake: wake.map_err(failed("watch for signals"))?, taken: VecDeque::new() })
    }

    /// The next one.
    ///
    /// # Errors
    /// If the descriptor fails, which it does not.
    pub(crate) async fn take(&mut self) -> io::Result<Taken> {
        loop {
            if let Some(taken) = self.taken.pop_front() {
                return Ok(taken);
            }
            let mut ready = self.wake.readable().await?;
            // First the descriptor, then the bits: what comes between the two wakes once more.
            if drain(*ready.get_inner())? {
                self.taken.extend(pending());
            } else {
                ready.clear_ready();
            }
        }
    }
}

/// Whether the eventfd was up; it is down now.
fn drain(wake: BorrowedFd<'_>) -> io::Result<bool> {
    let mut count = [0; 8];
    match nix::unistd::read(wake, &mut count) {
        Ok(_) => Ok(true),
        Err(nix::Error::EAGAIN) => Ok(false),
        Err(nix::Error::EINTR) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Takes what came.
pub(crate) fn pending() -> impl Iterator<Item = Taken> {
    let origins = [Origin::Process, Origin::Terminal];
    HANDLED.into_iter().zip(&UNREAD).flat_map(move |(signal, came)| {
        origins.into_iter().zip(came).flat_map(move |(origin, came)| {
            let count = came.swap(0, Ordering::AcqRel);
            let taken = (count > 0).then(|| understand(signal, origin)).flatten();
            let each = if matches!(taken, Some(Taken::Decide(..))) { count } else { 1 };
            taken.into_iter().flat_map(move |taken| (0..each).map(move |_| taken))
        })
    })
}

/// Whether a SIGTERM, SIGHUP or SIGQUIT has come since the tree began.
pub(crate) fn told_to_end() -> bool {
    TOLD_TO_END.load(Ordering::Acquire)
}

/// Whether this process was told to end, or a SIGINT has come that nobody has taken.
pub(crate) fn wants_an_end() -> bool {
    let interrupts = index_of(libc::SIGINT).map(|index| &UNREAD[index]);
    let interrupted =
        interrupts.is_some_and(|came| came.iter().any(|came| came.load(Ordering::Acquire) > 0));
    told_to_end() || interrupted
}

fn understand(signal: Signal, origin: Origin) -> Option<Taken> {
    match signal {
        Signal::SIGINT => Some(Taken::Decide(Kind::Interrupt, origin)),
        Signal::SIGTERM => Some(Taken::Decide(Kind::Terminate, origin)),
        Signal::SIGHUP => Some(Taken::Decide(Kind::Hangup, origin)),
        Signal::SIGQUIT => Some(Taken::Decide(Kind::Quit, origin)),
        Signal::SIGTSTP => {
            let parent = nix::unistd::getppid().as_raw();
            let by_parent = STOP_SENDER.load(Ordering::Acquire) == parent;
            Some(Taken::Stop(if by_parent { StopSender::Parent } else { StopSender::Other }))
        }
        Signal::SIGCONT => Some(Taken::Continue),
        Signal::SIGUSR1 => Some(Taken::Dump),
        Signal::SIGCHLD => Some(Taken::Child),
        _ => None,
    }
}
