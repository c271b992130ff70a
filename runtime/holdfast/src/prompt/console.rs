//! The line editor: one for the process, kept from session to session with its history.
//!
//! Runs in the editor's thread, but for the thread `prompt-notifier`.
//!
//! How lines get above the prompt: they wait at the session, and the notifier sends the line editor a
//! message that leaves the cursor where it is. It clears the prompt for that, and then asks for
//! the prompt's text, to paint it again: between the two the lines are written. So a message that
//! comes too late for its line takes nothing with it.
//!
//! ```text
//!   session: lines, notify_editor() --> prompt-notifier --message--> line editor: clear, message, paint
//!                                                                    Painter::highlight_prompt: lines
//! ```
//!
//! # Rules
//! 1. A paint that nothing announced is one for the notifier: every other one asks
//!    `highlight_char` first, which makes sure of that by saying yes each time.
//! 2. The line editor is never dropped: its notifier may be on its way to the terminal's descriptor.

use super::commands;
use super::line_limit::LineLimit;
use super::prompt_terminal::PromptTerminal;
use super::render::Color;
use super::signals;
use super::state::{Key, SessionState};
use crate::warden;
use nix::sys::termios::SpecialCharacterIndices as Special;
use rustyline::completion::{Completer, Pair};
use rustyline::config::BellStyle;
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{
    Behavior, Cmd, ColorMode, CompletionType, ConditionalEventHandler, Config, Context, Editor,
    Event, EventContext, EventHandler, ExternalPrinter as _, Helper, KeyEvent, Modifiers,
    RepeatCount,
};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use unicode_width::UnicodeWidthChar as _;

/// A line that is not finished, and where the cursor is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Typed {
    /// What was typed.
    pub(super) text: String,
    /// The cursor, in bytes.
    pub(super) cursor: usize,
}

/// What came of reading a line.
#[derive(Debug)]
pub(super) enum Read {
    /// A line.
    Line(String),
    /// End of file.
    End,
    /// A key that ends the reading.
    Key(Key),
    /// An order.
    Ordered,
    /// A SIGINT that was not ours.
    Interrupted,
    /// Bytes that are not text.
    NoText,
    /// The terminal cannot be read.
    Failed(io::Error),
}

/// The line editor.
pub(super) struct Console {
    editor: Editor<Painter, FileHistory>,
}

/// The one of this process, while no session has it.
static RESTING: Mutex<Resting> = Mutex::new(Resting::None);

enum Resting {
    /// There is none yet.
    None,
    /// No session has it.
    Here(Box<Console>),
    /// A session has it.
    Taken,
}

/// Whether the line editor can be had.
pub(super) enum EditorClaim {
    /// The session has it now.
    Had(Box<Console>),
    /// Another session of this process has it.
    Taken,
}

impl Console {
    /// Takes the line editor, and makes it first if there is none.
    pub(super) fn claim() -> io::Result<EditorClaim> {
        let mut resting = RESTING.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *resting, Resting::Taken) {
            Resting::Here(console) => Ok(EditorClaim::Had(console)),
            Resting::Taken => Ok(EditorClaim::Taken),
            Resting::None => match Self::make() {
                Ok(console) => Ok(EditorClaim::Had(Box::new(console))),
                Err(error) => {
                    *resting = Resting::None;
                    Err(error)
                }
            },
        }
    }

    /// Gives it back.
    pub(super) fn rest(self: Box<Self>) {
        *RESTING.lock().unwrap_or_else(PoisonError::into_inner) = Resting::Here(self);
    }

    /// Gives it up, because its terminal is gone: the next session makes another.
    pub(super) fn forget(self: Box<Self>) {
        std::mem::forget(self);
        *RESTING.lock().unwrap_or_else(PoisonError::into_inner) = Resting::None;
    }

    fn make() -> io::Result<Self> {
        let config = Config::builder()
            .behavior(Behavior::PreferTerm)
            // The painter colours or not; it must be asked in any case.
            .color_mode(ColorMode::Forced)
            .completion_type(CompletionType::List)
            .completion_show_all_if_ambiguous(true)
            .bell_style(BellStyle::None)
            .build();
        let mut editor = Editor::with_config(config).map_err(other)?;
        let mut printer = editor.create_external_printer().map_err(other)?;
        let notify = move || {
            signals::block_all();
            loop {
                NOTIFIER.wait();
                // If it fails the line editor is gone, and shows nothing any longer.
                let _ = printer.print(IN_PLACE.to_owned());
            }
        };
        thread::Builder::new().name("prompt-notifier".to_owned()).spawn(notify)?;
        Ok(Self { editor })
    }

    /// Binds it to a session.
    pub(super) fn bind(&mut self, session: &Arc<SessionState>, modes: &PromptTerminal) {
        let plain = |character| KeyEvent::new(character, Modifiers::NONE);
        let keys = [
            (KeyEvent::ctrl('C'), Pressed::Interrupt),
            (plain(modes.key(Special::VINTR)), Pressed::Interrupt),
            (KeyEvent::ctrl('Z'), Pressed::Leave(Key::Suspend)),
            (plain(modes.key(Special::VSUSP)), Pressed::Leave(Key::Suspend)),
            (KeyEvent::ctrl('\\'), Pressed::Leave(Key::Stop)),
            (plain(modes.key(Special::VQUIT)), Pressed::Leave(Key::Stop)),
        ];
        for (key, pressed) in keys {
            // A terminal without such a key has NUL for it, which is Ctrl-Space.
            if key != plain('\0') {
                let binding = Binding { session: Arc::clone(session), pressed };
                self.editor.bind_sequence(key, EventHandler::Conditional(Box::new(binding)));
            }
        }
        let limit = Box::new(LineLimit::of(session));
        self.editor.bind_sequence(Event::Any, EventHandler::Conditional(limit));
        self.editor.set_helper(Some(Painter::new(session)));
    }

    /// Reads a line. The modes of the terminal and the mask are as before when it returns.
    pub(super) fn read(&mut self, session: &SessionState, prompt: &str, typed: &mut Typed) -> Read {
        session.keep(session.terminal().and_then(|modes| modes.again().ok()));
        if let Some(painter) = self.editor.helper() {
            painter.begin(typed);
        }
        signals::take_spurious();
        let (before, after) = typed.text.split_at(typed.cursor);
        let line = self.editor.readline_with_initial(prompt, (before, after));
        signals::shut();
        let wake_ups = session.busy();
        session.restore();
        let spurious = signals::take_spurious();
        let pending = if wake_ups > 0 {
            signals::take_wake_ups()
        } else {
            signals::PendingInterrupt::Nothing
        };
        if let Some(painter) = self.editor.helper() {
            *typed = painter.typed.take();
        }
        if let Some((key, kept)) = session.take_key() {
            *typed = kept;
            return Read::Key(key);
        }
        match line {
            Ok(line) => {
                // It fails only where there is no memory for a line.
                let _ = self.editor.add_history_entry(line.as_str());
                // A SIGINT beside a finished line loses only the line's keeping.
                if spurious > wake_ups || pending == signals::PendingInterrupt::Foreign {
                    session.notify(super::PromptEvent::Interrupted);
                }
                *typed = Typed::default();
                Read::Line(line)
            }
            Err(ReadlineError::Eof) => Read::End,
            Err(ReadlineError::Interrupted)
                if pending == signals::PendingInterrupt::Foreign || wake_ups == 0 =>
            {
                Read::Interrupted
            }
            Err(ReadlineError::Interrupted) => Read::Ordered,
            Err(ReadlineError::Io(error)) if error.kind() == io::ErrorKind::InvalidData => {
                Read::NoText
            }
            // A signal that came while a single key was read.
            Err(ReadlineError::Signal(_)) => {
                if wake_ups == 0 {
                    Read::Interrupted
                } else {
                    Read::Ordered
                }
            }
            Err(error) => Read::Failed(other(error)),
        }
    }

    /// The rows that a prompt and what is typed there take on the screen.
    pub(super) fn rows(&mut self, prompt: &str, typed: &str) -> usize {
        let columns = self.editor.dimensions().map_or(80, |(columns, _)| usize::from(columns));
        rows_of(&format!("{prompt}{typed}"), columns.max(1))
    }
}

/// The rows of a text: a wide character that does not fit begins the next row, and behind a full row
/// the cursor stands in the next.
fn rows_of(text: &str, columns: usize) -> usize {
    let (mut rows, mut column) = (1, 0);
    for character in text.chars() {
        let width = character.width().unwrap_or(0);
        if column + width > columns {
            rows += 1;
            column = 0;
        }
        column += width;
    }
    if column == columns { rows + 1 } else { rows }
}

fn other(error: ReadlineError) -> io::Error {
    match error {
        ReadlineError::Io(error) => error,
        ReadlineError::Errno(errno) => errno.into(),
        error => io::Error::other(error),
    }
}

/// Lets the line editor show what waits at the session. Never blocks.
pub(super) fn notify_editor() {
    NOTIFIER.notify();
}

/// A flag that a thread waits for.
struct Notifier {
    notified: Mutex<Notified>,
    changed: Condvar,
}

#[derive(PartialEq)]
enum Notified {
    No,
    Yes,
}

/// One for all sessions, as there is one line editor.
static NOTIFIER: Notifier =
    Notifier { notified: Mutex::new(Notified::No), changed: Condvar::new() };

impl Notifier {
    fn notify(&self) {
        *self.notified.lock().unwrap_or_else(PoisonError::into_inner) = Notified::Yes;
        self.changed.notify_one();
    }

    fn wait(&self) {
        let mut notified = self.notified.lock().unwrap_or_else(PoisonError::into_inner);
        while *notified == Notified::No {
            notified = self.changed.wait(notified).unwrap_or_else(PoisonError::into_inner);
        }
        *notified = Notified::No;
    }
}

/// Up and down again: the line editor wants a message that ends with a line break.
const IN_PLACE: &str = "\x1b[A\n";

/// What a key does that this prompt gives a meaning of its own.
#[derive(Clone, Copy)]
enum Pressed {
    Interrupt,
    Leave(Key),
}

struct Binding {
    session: Arc<SessionState>,
    pressed: Pressed,
}

impl ConditionalEventHandler for Binding {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, at: &EventContext<'_>) -> Option<Cmd> {
        match self.pressed {
            Pressed::Interrupt => {
                self.session.hint();
                Some(Cmd::Noop)
            }
            Pressed::Leave(key) => {
                self.session.pressed(key, Typed { text: at.line().to_owned(), cursor: at.pos() });
                // `Cmd::Interrupt` would throw away what was typed behind the key.
                Some(Cmd::AcceptLine)
            }
        }
    }
}

/// What the line editor asks while it paints: the place to see what is typed, to open the mask
/// when its handlers are in place, and to write lines when the prompt is cleared.
pub(super) struct Painter {
    session: Arc<SessionState>,
    stage: Cell<Stage>,
    paint: Cell<Paint>,
    typed: RefCell<Typed>,
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    /// The line editor has not painted yet.
    Fresh,
    /// The editor has painted.
    Painted,
}

#[derive(Clone, Copy, PartialEq)]
enum Paint {
    /// `highlight_char` was asked: a paint because of a key or a change of size.
    Announced,
    /// The line was not announced.
    Unannounced,
}

impl Painter {
    fn new(session: &Arc<SessionState>) -> Self {
        Self {
            session: Arc::clone(session),
            stage: Cell::new(Stage::Fresh),
            paint: Cell::new(Paint::Unannounced),
            typed: RefCell::default(),
        }
    }

    fn begin(&self, typed: &Typed) {
        self.stage.set(Stage::Fresh);
        self.paint.set(Paint::Unannounced);
        self.typed.replace(typed.clone());
    }
}

impl Highlighter for Painter {
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        match (self.stage.replace(Stage::Painted), self.paint.replace(Paint::Unannounced)) {
            (Stage::Fresh, _) => {
                self.session.flush();
                // The line editor has set the modes: whoever puts them back knows them by this.
                if let (Some(shared), Some(modes)) = (warden::shared(), self.session.terminal()) {
                    shared.note_raw(modes.tty());
                }
                signals::open();
                self.session.reading();
            }
            (Stage::Painted, Paint::Unannounced) => self.session.flush(),
            (Stage::Painted, Paint::Announced) => {}
        }
        match self.session.color {
            Color::Plain => Cow::Borrowed(prompt),
            Color::Ansi => Cow::Owned(self.session.color.prompt(prompt)),
        }
    }

    fn highlight<'l>(&self, line: &'l str, pos: usize) -> Cow<'l, str> {
        self.typed.replace(Typed { text: line.to_owned(), cursor: pos });
        Cow::Borrowed(line)
    }

    fn highlight_char(&self, _: &str, _: usize, _: CmdKind) -> bool {
        self.paint.set(Paint::Announced);
        true
    }
}

impl Hinter for Painter {
    type Hint = String;
}

impl Validator for Painter {}

impl Completer for Painter {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (start, found) = commands::complete(&line[..pos], &self.session.names());
        let pair = |text: String| Pair { display: text.trim_end().to_owned(), replacement: text };
        Ok((start, found.into_iter().map(pair).collect()))
    }
}

impl Helper for Painter {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_those_of_a_terminal_for_wide_characters_too() {
        assert_eq!(rows_of("", 10), 1);
        assert_eq!(rows_of("123456789", 10), 1);
        assert_eq!(rows_of("1234567890", 10), 2);
        assert_eq!(rows_of("東京東京", 10), 1);
        assert_eq!(rows_of("東京東京東", 10), 2);
        // The fifth does not fit into the first row.
        assert_eq!(rows_of("> 東京東京東京東京", 9), 3);
        // A combining mark has no column of its own.
        assert_eq!(rows_of("123456789\u{301}", 10), 1);
    }
}
