//! The session as the editor's thread sees it: orders to look at, lines to show, waits that end.
//!
//! Runs in the thread `prompt-editor`, which alone writes to the terminal.

use super::{EditorOrder, EditorPhase, Hint, Holder, Key, LOOK, SessionFields, SessionState};
use crate::prompt::baton::BatonLink;
use crate::prompt::console::Typed;
use crate::prompt::debugger::PausePlace;
use crate::prompt::passed_output::PassedOutput;
use crate::prompt::prompt_terminal::PromptTerminal;
use crate::session::{Greeting, Reply};
use nix::sys::pthread::pthread_self;
use std::io::Write as _;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// Why a wait of the editor's thread ended.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::prompt) enum Waited<T> {
    /// What was waited for.
    Came(T),
    /// The editor is to let go, or the holder is lost.
    Ordered,
    /// Not in time.
    Late,
}

/// What a wait can look at.
pub(in crate::prompt) struct StateView<'s> {
    state: &'s mut SessionFields,
}

impl StateView<'_> {
    /// The greeting.
    pub(in crate::prompt) fn greeting(&self) -> Option<Greeting> {
        match &self.state.holder {
            Holder::Greeted(greeting) => Some(greeting.clone()),
            Holder::Silent | Holder::Lost(_) => None,
        }
    }

    /// The reply to the command with that number; replies to earlier ones are forgotten.
    pub(in crate::prompt) fn reply(&mut self, number: u64) -> Option<Reply> {
        self.state.reply.take_if(|answered| answered.number == number).map(|found| found.reply)
    }
}

impl SessionState {
    /// The order as it stands; [`EditorOrder::Redraw`] is taken.
    pub(in crate::prompt) fn order(&self) -> EditorOrder {
        let mut state = self.lock();
        let order = state.order;
        if order == EditorOrder::Redraw {
            state.order = EditorOrder::Stay;
        }
        order
    }

    /// The order as it stands.
    pub(in crate::prompt) fn peek(&self) -> EditorOrder {
        self.lock().order
    }

    /// The path of the holder and how many wait.
    pub(in crate::prompt) fn standing(&self) -> (String, usize) {
        let state = self.lock();
        match &state.holder {
            Holder::Greeted(greeting) => (greeting.path.clone(), state.waiting),
            Holder::Silent | Holder::Lost(_) => (String::new(), state.waiting),
        }
    }

    /// Where the task pauses, as the holder says.
    pub(in crate::prompt) fn place(&self) -> PausePlace {
        match &self.lock().holder {
            Holder::Greeted(greeting) => PausePlace { file: greeting.file.clone() },
            Holder::Silent | Holder::Lost(_) => PausePlace::default(),
        }
    }

    /// Why the holder was lost, if it was not by end of file.
    pub(in crate::prompt) fn fault(&self) -> Option<String> {
        match &self.lock().holder {
            Holder::Lost(reason) => reason.clone(),
            Holder::Silent | Holder::Greeted(_) => None,
        }
    }

    /// The names of the values.
    pub(in crate::prompt) fn names(&self) -> Vec<String> {
        self.lock().names.clone()
    }

    /// Keeps the names of the values.
    pub(in crate::prompt) fn know(&self, names: Vec<String>) {
        self.lock().names = names;
    }

    /// The editor reads a line in this thread from here on.
    pub(in crate::prompt) fn reading(&self) {
        self.begin(EditorPhase::Reading(pthread_self()));
    }

    /// The editor is in poll from here on.
    pub(in crate::prompt) fn polling(&self) {
        self.begin(EditorPhase::Polling);
    }

    /// What came since the prompt was made, and the lines above it, is looked at once more.
    fn begin(&self, phase: EditorPhase) {
        let mut state = self.lock();
        state.editor = phase;
        if state.order > EditorOrder::Stay {
            self.wake(&mut state);
        }
        if !state.shown.is_empty() {
            self.offer_lines(&mut state);
        }
    }

    /// The editor waits for keys of a program, and shows no lines.
    pub(in crate::prompt) fn passing(&self) {
        let mut state = self.lock();
        state.editor = EditorPhase::Polling;
        if state.order > EditorOrder::Stay {
            self.wake(&mut state);
        }
    }

    /// Writes what a program writes; waits while the terminal is let go.
    pub(in crate::prompt) fn pass_output(&self, bytes: &[u8]) {
        let mut state = self.lock();
        while state.editor == EditorPhase::Away {
            state = self.wait(state, LOOK);
        }
        drop(state);
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        passed.note(bytes);
        if let Some(terminal) = self.terminal() {
            // A terminal that is gone takes nothing; the editor's thread sees that too.
            let _ = terminal.tty().write_all(bytes);
        }
    }

    /// Shows the lines that wait above the prompt of a program, unless it paints the whole screen,
    /// or has written something that is not on the screen yet: a line of others may follow from that.
    pub(in crate::prompt) fn flush_passing(&self, link: &BatonLink) {
        let passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.lock();
        if passed.is_full_screen() || state.takes_output || link.has_unread() {
            return;
        }
        let lines = state.shown.take();
        drop(state);
        if let (Some(text), Some(terminal), false) =
            (passed.above(&lines), self.terminal(), lines.is_empty())
        {
            let _ = terminal.tty().write_all(&text);
        }
    }

    /// A program has the terminal no longer: what comes next begins a line.
    pub(in crate::prompt) fn end_line(&self) {
        let passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        if passed.is_partial() && !passed.is_full_screen() {
            self.write("\n");
        }
    }

    /// The same, and what it has painted is not painted again.
    pub(in crate::prompt) fn end_passage(&self) {
        self.end_line();
        *self.passed.lock().unwrap_or_else(PoisonError::into_inner) = PassedOutput::default();
    }

    /// The line is read, or not; how many wake-ups there were meanwhile.
    pub(in crate::prompt) fn busy(&self) -> usize {
        let mut state = self.lock();
        state.editor = EditorPhase::Busy;
        std::mem::take(&mut state.wake_ups)
    }

    /// Keeps the modes that [`SessionState::let_go`] puts back if the editor cannot.
    pub(in crate::prompt) fn keep(&self, before: Option<PromptTerminal>) {
        self.lock().before = before;
    }

    /// Puts the kept modes back.
    pub(in crate::prompt) fn restore(&self) {
        let before = self.lock().before.take();
        before.iter().for_each(PromptTerminal::restore);
    }

    /// Whether nobody can ever type here.
    pub(in crate::prompt) fn is_nobodys(&self) -> bool {
        self.lock().nobodys
    }

    /// A key was pressed that ends the reading.
    pub(in crate::prompt) fn pressed(&self, key: Key, typed: Typed) {
        self.lock().key = Some((key, typed));
    }

    /// That key, and what was typed before it.
    pub(in crate::prompt) fn take_key(&self) -> Option<(Key, Typed)> {
        self.lock().key.take()
    }

    /// Ctrl-C: says how to leave, once.
    pub(in crate::prompt) fn hint(&self) {
        let hint = std::mem::replace(&mut self.lock().hint, Hint::Given);
        match hint {
            Hint::Due => self.note(HINT),
            Hint::Given => {}
        }
    }

    /// Shows the lines that wait.
    pub(in crate::prompt) fn flush(&self) {
        let lines = self.lock().shown.take();
        if !lines.is_empty() {
            self.write(&(lines.join("\n") + "\n"));
        }
    }

    /// Shows the lines that wait below a prompt that stays, and the prompt again.
    pub(in crate::prompt) fn flush_above(&self, prompt: &str) {
        let lines = self.lock().shown.take();
        if !lines.is_empty() {
            self.write(&format!("\n{}\n{prompt}", lines.join("\n")));
        }
    }

    /// Waits for something, and shows lines meanwhile.
    pub(in crate::prompt) fn await_some<T>(
        &self,
        limit: Duration,
        mut look: impl FnMut(&mut StateView<'_>) -> Option<T>,
    ) -> Waited<T> {
        let begun = Instant::now();
        loop {
            self.flush();
            let mut state = self.lock();
            if let Some(found) = look(&mut StateView { state: &mut state }) {
                return Waited::Came(found);
            }
            if state.order == EditorOrder::Leave || matches!(state.holder, Holder::Lost(_)) {
                return Waited::Ordered;
            }
            let left = limit.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Waited::Late;
            }
            if state.shown.is_empty() {
                drop(self.wait(state, left.min(LOOK)));
            }
        }
    }

    /// Waits until the order to rest is taken back, or a higher one comes.
    pub(in crate::prompt) fn rest(&self) {
        // What came before is shown before: this process may stop now.
        self.flush();
        let mut state = self.lock();
        while state.order == EditorOrder::Rest {
            state.editor = EditorPhase::Away;
            self.changed.notify_all();
            state = self.wait(state, LOOK);
        }
        state.editor = EditorPhase::Busy;
    }

    /// The editor itself lets go for a while, as if it had been told to.
    pub(in crate::prompt) fn yields(&self) {
        self.flush();
        let mut state = self.lock();
        state.order = state.order.max(EditorOrder::Rest);
        state.editor = EditorPhase::Away;
    }

    /// The editor is gone; what waits to be shown is shown first.
    pub(in crate::prompt) fn leave(&self) {
        let mut state = self.lock();
        let rest = state.shown.take_partial();
        state.shown.add(rest);
        drop(state);
        self.restore();
        self.flush();
        self.lock().editor = EditorPhase::Gone;
        // A line may have come between the two.
        self.flush();
        self.changed.notify_all();
    }
}

/// What Ctrl-C says.
pub(in crate::prompt) const HINT: &str = "Ctrl-C is ignored while a prompt is open; `continue` goes on, \
                               `quit` fails this actor, `stop` cancels the tree";
