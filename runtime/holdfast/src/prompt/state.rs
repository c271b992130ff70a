//! What the threads of a prompt share: the order to let go, the replies, the lines to show.
//!
//! This file has the side of the driver and of the link, and [`editor`] that of the editor's thread.
//! Runs under one mutex that is never held over a system call that can block.
//!
//! ```text
//!   the editor:   Busy <-----------------> Reading     (in the line editor, or in poll)
//!                  |  \--order Rest------> Away        (until resume, or order Leave)
//!                  \-----order Leave-----> Gone
//! ```
//!
//! # Rules
//! 1. An order only climbs, but for [`SessionState::resume`], which takes `Rest` back.
//! 2. [`SessionState::let_go`] returns when the editor has let go, or after [`GIVE_UP`]: then it has put
//!    the terminal's modes back itself.

use super::{Debuggee, Printed, PromptEvent};
mod editor;

pub(super) use editor::Waited;

use super::console::{Typed, notify_editor};
use super::escape;
use super::passed_output::PassedOutput;
use super::pending_lines::PendingLines;
use super::prompt_terminal::PromptTerminal;
use super::render::Color;
use super::signals::wake_up;
use crate::session::{Greeting, NumberedReply};
use nix::sys::pthread::Pthread;
use std::fmt;
use std::io::{self, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What the editor is told; an order only climbs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum EditorOrder {
    /// Go on.
    Stay,
    /// Paint the prompt anew.
    Redraw,
    /// Let go of the terminal until further notice.
    Rest,
    /// Let go of the terminal and end.
    Leave,
}

/// Where the editor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EditorPhase {
    /// Runs a command, or has not begun.
    Busy,
    /// In the line editor, in this thread.
    Reading(Pthread),
    /// In poll.
    Polling,
    /// Has let go, and waits.
    Away,
    /// Has let go for good.
    Gone,
}

/// A key that ends the reading of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// Ctrl-Z.
    Suspend,
    /// Ctrl-\.
    Stop,
}

/// What comes from the holder.
#[derive(Debug)]
enum Holder {
    Silent,
    Greeted(Greeting),
    /// End of file, or something that breaks the session; then with the reason.
    Lost(Option<String>),
}

/// Whether the person has been told how to leave.
#[derive(Debug, PartialEq, Eq)]
enum Hint {
    Due,
    Given,
}

struct SessionFields {
    order: EditorOrder,
    editor: EditorPhase,
    /// Wake-ups since the editor began to read.
    wake_ups: usize,
    /// A key that ends the reading, and what was typed before it.
    key: Option<(Key, Typed)>,
    hint: Hint,
    /// Whether nobody can ever type here.
    nobodys: bool,
    holder: Holder,
    reply: Option<NumberedReply>,
    names: Vec<String>,
    waiting: usize,
    shown: PendingLines,
    /// Whether the link takes something that may be output.
    takes_output: bool,
    /// The modes before the line editor changed them.
    before: Option<PromptTerminal>,
}

/// What is shared.
pub(super) struct SessionState {
    state: Mutex<SessionFields>,
    changed: Condvar,
    notify: Box<dyn Fn(PromptEvent) + Send + Sync>,
    terminal: Option<PromptTerminal>,
    wake: UnixStream,
    /// What a program has painted that has the terminal. Held while it is written to.
    passed: Mutex<PassedOutput>,
    /// Whether output has colours.
    pub(super) color: Color,
    /// Whom a debugger would look at.
    pub(super) debuggee: Option<Debuggee>,
}

impl SessionState {
    /// A new session, and what becomes readable when the editor in poll is to look at it.
    pub(super) fn new(
        terminal: Option<PromptTerminal>,
        notify: Box<dyn Fn(PromptEvent) + Send + Sync>,
        color: Color,
    ) -> io::Result<(Self, UnixStream)> {
        let (wake, woken) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        woken.set_nonblocking(true)?;
        let state = SessionFields {
            order: EditorOrder::Stay,
            editor: EditorPhase::Busy,
            wake_ups: 0,
            key: None,
            hint: Hint::Due,
            nobodys: false,
            holder: Holder::Silent,
            reply: None,
            names: Vec::new(),
            waiting: 0,
            shown: PendingLines::default(),
            takes_output: false,
            before: None,
        };
        let (state, changed) = (Mutex::new(state), Condvar::new());
        let passed = Mutex::default();
        Ok((Self { state, changed, notify, terminal, wake, passed, color, debuggee: None }, woken))
    }

    fn lock(&self) -> MutexGuard<'_, SessionFields> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the driver.
    pub(super) fn notify(&self, event: PromptEvent) {
        (self.notify)(event);
    }

    /// The terminal, if there is one.
    pub(super) fn terminal(&self) -> Option<&PromptTerminal> {
        self.terminal.as_ref()
    }

    /// Writes to the terminal, or to standard error if there is none. Only the editor's thread
    /// does, until it is gone.
    pub(super) fn write(&self, text: &str) {
        // What cannot be shown is lost: there is nobody else to tell.
        let _ = match &self.terminal {
            Some(terminal) => terminal.tty().write_all(text.as_bytes()),
            None => io::stderr().lock().write_all(text.as_bytes()),
        };
    }

    // The driver's side.

    /// Gives an order and waits until it is obeyed.
    pub(super) fn let_go(&self, order: EditorOrder) {
        let begun = Instant::now();
        let mut state = self.lock();
        state.order = state.order.max(order);
        self.changed.notify_all();
        loop {
            match state.editor {
                EditorPhase::Gone => return,
                EditorPhase::Away if order == EditorOrder::Rest => return,
                EditorPhase::Busy
                | EditorPhase::Reading(_)
                | EditorPhase::Polling
                | EditorPhase::Away => {}
            }
            self.wake(&mut state);
            let waited = begun.elapsed();
            if waited > BLOCKED {
                // The editor writes to a terminal that takes nothing: Ctrl-S, or nobody reads it.
                self.terminal().inspect(|terminal| terminal.unblock());
            }
            if waited > GIVE_UP {
                state.before.iter().for_each(PromptTerminal::force);
                return;
            }
            // Again and again: the line editor can miss one signal while it reads a single key.
            state = self.wait(state, AGAIN);
        }
    }

    /// Nobody can give this process the terminal.
    pub(super) fn is_nobodys_now(&self) {
        self.lock().nobodys = true;
    }

    /// Takes [`EditorOrder::Rest`] back.
    pub(super) fn resume(&self) {
        let mut state = self.lock();
        if state.order == EditorOrder::Rest {
            state.order = EditorOrder::Stay;
            // From here on the terminal is not free any longer, even if the editor still sleeps.
            state.editor = match state.editor {
                EditorPhase::Away => EditorPhase::Busy,
                other => other,
            };
        }
        self.changed.notify_all();
    }

    /// Shows one line.
    pub(super) fn note(&self, text: &str) {
        let lines = escape::lines(text).into_iter().map(|line| self.color.note(&line));
        let mut state = self.lock();
        // Nobody needs a note about a prompt that is gone.
        if state.editor != EditorPhase::Gone {
            self.show(&mut state, lines.collect());
        }
    }

    /// Shows the whole lines of log output; while the terminal is let go, they are for the terminal
    /// itself, since this process may be about to stop.
    pub(super) fn print(&self, bytes: &[u8]) -> Printed {
        let mut state = self.lock();
        let lines = state.shown.take_whole(bytes);
        if let EditorPhase::Gone | EditorPhase::Away = state.editor {
            let earlier = state.shown.take().into_iter();
            return Printed::Left(earlier.chain(lines).map(|line| line + "\n").collect());
        }
        self.show(&mut state, lines);
        Printed::Above
    }

    /// Never waits for the terminal: a thread that does is the editor's.
    fn show(&self, state: &mut SessionFields, lines: Vec<String>) {
        state.shown.add(lines);
        self.offer_lines(state);
    }

    /// Makes the editor show the lines that wait.
    fn offer_lines(&self, state: &mut SessionFields) {
        match state.editor {
            EditorPhase::Reading(_) => notify_editor(),
            EditorPhase::Polling => self.wake(state),
            EditorPhase::Busy | EditorPhase::Away | EditorPhase::Gone => self.changed.notify_all(),
        }
    }

    /// How many wait.
    pub(super) fn waiting(&self, count: usize) {
        let mut state = self.lock();
        if state.waiting == count {
            return;
        }
        state.waiting = count;
        // A busy editor too: it may have made its prompt already, and not read yet.
        if state.order == EditorOrder::Stay {
            state.order = EditorOrder::Redraw;
            self.wake(&mut state);
        }
    }

    /// Makes the editor look at its order.
    fn wake(&self, state: &mut SessionFields) {
        match state.editor {
            // The thread has not ended: it leaves `Reading` under this mutex before it does.
            EditorPhase::Reading(thread) => {
                state.wake_ups += 1;
                wake_up(thread);
            }
            // A full socket is as good as one more byte.
            EditorPhase::Polling => drop((&self.wake).write(&[0])),
            EditorPhase::Busy | EditorPhase::Away | EditorPhase::Gone => {}
        }
    }

    // The side of the link.

    /// The holder's first message.
    pub(super) fn greeted(&self, greeting: Greeting) {
        self.lock().holder = Holder::Greeted(greeting);
        self.changed.notify_all();
    }

    /// From here on the link takes something that may be output.
    pub(super) fn takes_output(&self) {
        self.lock().takes_output = true;
    }

    /// All that the link has taken is written; lines may have waited for that.
    pub(super) fn took_output(&self) {
        let mut state = self.lock();
        state.takes_output = false;
        if state.editor == EditorPhase::Polling && !state.shown.is_empty() {
            self.wake(&mut state);
        }
    }

    /// A reply.
    pub(super) fn replied(&self, answered: NumberedReply) {
        self.lock().reply = Some(answered);
        self.changed.notify_all();
    }

    /// Nothing more will come, and perhaps why.
    pub(super) fn lost(&self, reason: Option<String>) {
        let mut state = self.lock();
        state.holder = Holder::Lost(reason);
        drop(state);
        self.let_go(EditorOrder::Leave);
    }

    fn wait<'s>(
        &self,
        state: MutexGuard<'s, SessionFields>,
        limit: Duration,
    ) -> MutexGuard<'s, SessionFields> {
        match self.changed.wait_timeout(state, limit) {
            Ok((state, _)) => state,
            Err(poisoned) => poisoned.into_inner().0,
        }
    }
}

impl fmt::Debug for SessionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("SessionState")
            .field("order", &state.order)
            .field("editor", &state.editor)
            .field("holder", &state.holder)
            .finish_non_exhaustive()
    }
}

/// How often the editor is woken until it has let go.
const AGAIN: Duration = Duration::from_millis(20);

/// After that long the terminal is taken for stuck.
const BLOCKED: Duration = Duration::from_secs(1);

/// After that long the editor is not waited for any more.
const GIVE_UP: Duration = Duration::from_secs(3);

/// How long a wait trusts that it is woken.
const LOOK: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn orders_climb() {
        assert!(EditorOrder::Stay < EditorOrder::Redraw);
        assert!(EditorOrder::Redraw < EditorOrder::Rest);
        assert!(EditorOrder::Rest < EditorOrder::Leave);
    }

    /// A session without a terminal, and whether its editor in poll would be woken.
    fn session() -> (SessionState, impl FnMut() -> bool) {
        let (session, woken) = SessionState::new(None, Box::new(drop), Color::Plain).unwrap();
        (session, move || matches!((&woken).read(&mut [0; 8]), Ok(1..)))
    }

    #[test]
    fn a_count_that_changes_between_the_prompts_making_and_its_reading_is_painted() {
        let (session, mut is_woken) = session();
        assert_eq!(session.standing().1, 0);
        session.waiting(3);
        session.polling();
        assert!(is_woken());
        assert_eq!(session.order(), EditorOrder::Redraw);
    }

    #[test]
    fn a_line_that_comes_between_the_flush_and_the_reading_is_shown() {
        let (session, mut is_woken) = session();
        session.flush();
        session.note("late");
        session.polling();
        assert!(is_woken());
    }

    #[test]
    fn an_editor_that_begins_to_read_and_has_nothing_to_look_at_is_not_woken() {
        let (session, mut is_woken) = session();
        session.polling();
        assert!(!is_woken());
    }
}
