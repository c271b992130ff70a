//! The end of a line that is typed.

use super::state::SessionState;
use rustyline::{
    Cmd, ConditionalEventHandler, Event, EventContext, KeyCode, KeyEvent, Modifiers, RepeatCount,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Each key paints the whole line again, so a line without end would cost its square.
pub(super) struct LineLimit {
    session: Arc<SessionState>,
    told: AtomicBool,
}

impl LineLimit {
    /// The one of a session.
    pub(super) fn of(session: &Arc<SessionState>) -> Self {
        Self { session: Arc::clone(session), told: AtomicBool::new(false) }
    }
}

impl ConditionalEventHandler for LineLimit {
    fn handle(
        &self,
        event: &Event,
        _: RepeatCount,
        _: bool,
        context: &EventContext<'_>,
    ) -> Option<Cmd> {
        let types = matches!(event.get(0), Some(KeyEvent(KeyCode::Char(_), Modifiers::NONE)));
        if !types || context.line().len() < MOST_TYPED {
            return None;
        }
        if !self.told.swap(true, Ordering::Relaxed) {
            self.session.note(&format!("a line has at most {MOST_TYPED} bytes: no more is taken"));
        }
        Some(Cmd::Noop)
    }
}

/// The longest line that is typed, in bytes.
const MOST_TYPED: usize = 1024;
