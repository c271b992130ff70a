//! The contract of a link: what each of its two ends may say, and when.
//!
//! Every actor keeps it on the link to its supervisor (as the lower end) and on the link to each
//! child (as the upper end), whatever the tree. The proof for trees of every size rests on it:
//! an actor is explored between neighbours that may do anything that this table permits, and each
//! of its own steps must keep the table on both sides. In tests and in debug builds a
//! [`LinkMonitor`] watches live links.
//!
//! | end | may say | when |
//! |---|---|---|
//! | lower | `Want r` | once |
//! | | `Done r` or `Lost r` | one of them, once, after `Want r`; not after it heard `Refuse r`; not while a prompt of `r` is open in its branch |
//! | upper | `Grant r` or `Refuse r` | one of them, once, after it heard `Want r` and before it hears `Done r` or `Lost r`; no `Grant r` after `Cancel now` |
//! | | `Revoke r` | once, after `Grant r` |
//! | | `Cancel` | once, not after `Cancel now` |
//! | | `Cancel now` | once |
//! | both | nothing else | nobody speaks against the [`MessageDirection`] of a message |
//!
//! A prompt of `r` is open in the branch of a lower end only while that end [may prompt]
//! (`Grant r` heard, neither `Done r` nor `Lost r` said), and a lower end that has said `Want r`
//! knows the request until one of the two tells the other that it is over.
//!
//! [may prompt]: History::may_prompt

use super::id::{ActorId, RequestId};
use super::input::Input;
use super::message::{About, Message, MessageDirection, Urgency};
use super::named;
use super::output::Output;
use alloc::collections::BTreeMap;
use core::fmt;

/// One of the two actors of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkEnd {
    /// The supervisor (or the root, of a direct link).
    Upper,
    /// The other.
    Lower,
}

/// How far one word has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Word {
    /// Not said.
    #[default]
    Unsaid,
    /// Said, and under way or lost.
    Said,
    /// Read by the other end.
    Heard,
}

/// The rows of the contract, as a breach names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Clause {
    /// A message goes the way that is its own.
    OwnWay,
    /// `Want` is said once.
    WantOnce,
    /// `Done` and `Lost` come after `Want`.
    OverAfterWant,
    /// `Done` or `Lost` is said once in all.
    OverOnce,
    /// Who was refused has nothing to take back.
    OverNotAfterRefuse,
    /// `Grant` and `Refuse` answer a `Want` that was heard.
    AnswerAfterWant,
    /// What is over is not answered any longer.
    AnswerNotAfterOver,
    /// One answer, once.
    AnswerOnce,
    /// Whom holds do not protect any longer is granted nothing.
    GrantBeforeCancelNow,
    /// `Revoke` comes after `Grant`.
    RevokeAfterGrant,
    /// `Revoke` is said once.
    RevokeOnce,
    /// `Cancel` is said once, and not after `Cancel now`.
    CancelOnce,
    /// `Cancel now` is said once.
    CancelNowOnce,
    /// A prompt is open in a branch only while the link above it has been granted it.
    PromptUnderGrant,
    /// Who has asked knows what it asked for until somebody says that it is over.
    AskerKnows,
    /// Nobody but these two hears of the request, and a baton comes from a grant alone.
    NobodyElse,
}

named! {
    Clause, "a clause":
    OwnWay => "own-way",
    WantOnce => "want-once",
    OverAfterWant => "over-after-want",
    OverOnce => "over-once",
    OverNotAfterRefuse => "over-not-after-refuse",
    AnswerAfterWant => "answer-after-want",
    AnswerNotAfterOver => "answer-not-after-over",
    AnswerOnce => "answer-once",
    GrantBeforeCancelNow => "grant-before-cancel-now",
    RevokeAfterGrant => "revoke-after-grant",
    RevokeOnce => "revoke-once",
    CancelOnce => "cancel-once",
    CancelNowOnce => "cancel-now-once",
    PromptUnderGrant => "prompt-under-grant",
    AskerKnows => "asker-knows",
    NobodyElse => "nobody-else",
}

impl Clause {
    /// The rows that a message is put to.
    #[must_use]
    pub fn about(message: Message) -> &'static [Self] {
        match message {
            Message::Want { .. } => &[Self::OwnWay, Self::WantOnce],
            Message::Done { .. } | Message::Lost { .. } => {
                &[Self::OwnWay, Self::OverAfterWant, Self::OverOnce, Self::OverNotAfterRefuse]
            }
            Message::Grant { .. } => &[
                Self::OwnWay,
                Self::AnswerAfterWant,
                Self::AnswerNotAfterOver,
                Self::AnswerOnce,
                Self::GrantBeforeCancelNow,
            ],
            Message::Refuse { .. } => {
                &[Self::OwnWay, Self::AnswerAfterWant, Self::AnswerNotAfterOver, Self::AnswerOnce]
            }
            Message::Revoke { .. } => &[Self::OwnWay, Self::RevokeAfterGrant, Self::RevokeOnce],
            Message::Cancel { urgency: Urgency::Patient } => &[Self::OwnWay, Self::CancelOnce],
            Message::Cancel { urgency: Urgency::Forced } => &[Self::OwnWay, Self::CancelNowOnce],
        }
    }
}

/// A message that the contract forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Who said it.
    pub end: LinkEnd,
    /// What was said.
    pub message: Message,
    /// The row that forbids it.
    pub clause: Clause,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = match self.end {
            LinkEnd::Upper => "upper",
            LinkEnd::Lower => "lower",
        };
        write!(f, "the {end} end of a link said {}", self.message)?;
        if let About::Request(request) = self.message.request() {
            write!(f, " of request {request}")?;
        }
        write!(f, ", which the contract forbids: {}", self.clause)
    }
}

/// What was said on one link about one request, and what of it was heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct History {
    /// `Want`.
    pub want: Word,
    /// `Done` or `Lost`.
    pub over: Word,
    /// `Grant`.
    pub grant: Word,
    /// `Refuse`.
    pub refuse: Word,
    /// `Revoke`.
    pub revoke: Word,
    /// `Cancel`.
    pub cancel: Word,
    /// `Cancel now`.
    pub cancel_now: Word,
}

impl History {
    /// Whether a prompt of the request may be open at the lower end or below it.
    #[must_use]
    pub fn may_prompt(self) -> bool {
        self.grant == Word::Heard && self.over == Word::Unsaid
    }

    /// The end that owns the way of a message says it.
    ///
    /// # Errors
    /// The clause that forbids it. The message counts as said all the same.
    pub fn says(&mut self, message: Message) -> Result<(), Clause> {
        let verdict = self.permits(message);
        *self.word(message) = Word::Said;
        verdict
    }

    fn permits(&self, message: Message) -> Result<(), Clause> {
        let broken = Clause::about(message).iter().find(|clause| !self.keeps(**clause));
        broken.map_or(Ok(()), |clause| Err(*clause))
    }

    /// Whether a message to which the clause applies may be said now.
    fn keeps(&self, clause: Clause) -> bool {
        use Word::{Heard, Unsaid};
        match clause {
            Clause::WantOnce => self.want == Unsaid,
            Clause::OverAfterWant => self.want != Unsaid,
            Clause::OverOnce => self.over == Unsaid,
            Clause::OverNotAfterRefuse => self.refuse != Heard,
            Clause::AnswerAfterWant => self.want == Heard,
            Clause::AnswerNotAfterOver => self.over != Heard,
            Clause::AnswerOnce => self.grant == Unsaid && self.refuse == Unsaid,
            Clause::GrantBeforeCancelNow | Clause::CancelNowOnce => self.cancel_now == Unsaid,
            Clause::RevokeAfterGrant => self.grant != Unsaid,
            Clause::RevokeOnce => self.revoke == Unsaid,
            Clause::CancelOnce => self.cancel == Unsaid && self.cancel_now == Unsaid,
            // Not about what was said on this link before.
            Clause::OwnWay | Clause::PromptUnderGrant | Clause::AskerKnows | Clause::NobodyElse => {
                true
            }
        }
    }

    /// The other end reads a message.
    pub fn hears(&mut self, message: Message) {
        *self.word(message) = Word::Heard;
    }

    fn word(&mut self, message: Message) -> &mut Word {
        match message {
            Message::Want { .. } => &mut self.want,
            Message::Done { .. } | Message::Lost { .. } => &mut self.over,
            Message::Grant { .. } => &mut self.grant,
            Message::Refuse { .. } => &mut self.refuse,
            Message::Revoke { .. } => &mut self.revoke,
            Message::Cancel { urgency: Urgency::Patient } => &mut self.cancel,
            Message::Cancel { urgency: Urgency::Forced } => &mut self.cancel_now,
        }
    }
}

/// Watches one link: told what each end says and hears, it finds the first breach of the contract.
///
/// A monitor beside one end alone (a live process sees only its own) is told its messages as said,
/// and those of the other end as said and heard at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkMonitor {
    requests: BTreeMap<RequestId, History>,
    /// What every history has in common: the cancels, which are about no request.
    actor: History,
}

impl LinkMonitor {
    /// One end says something.
    ///
    /// # Errors
    /// If the contract forbids it.
    pub fn says(&mut self, end: LinkEnd, message: Message) -> Result<(), Breach> {
        let breach = |clause| Breach { end, message, clause };
        match (end, message.direction()) {
            (LinkEnd::Upper, MessageDirection::Down) | (LinkEnd::Lower, MessageDirection::Up) => {}
            (LinkEnd::Upper, MessageDirection::Up) | (LinkEnd::Lower, MessageDirection::Down) => {
                return Err(breach(Clause::OwnWay));
            }
        }
        self.history(message).says(message).map_err(breach)
    }

    /// The other end reads it.
    pub fn hears(&mut self, message: Message) {
        self.history(message).hears(message);
    }

    fn history(&mut self, message: Message) -> &mut History {
        let History { cancel, cancel_now, .. } = self.actor;
        match message.request() {
            About::Request(request) => {
                let history = self.requests.entry(request).or_default();
                history.cancel = cancel;
                history.cancel_now = cancel_now;
                history
            }
            About::Actor => &mut self.actor,
        }
    }
}

/// Watches the links of one actor from within: whether it keeps the contract as long as all of its
/// neighbours do. Built into the actor loop in debug builds.
///
/// A side cannot see what the other end has read. So `Want` and `Grant` count as heard when they are
/// said, and what would silence the other end (`Done`, `Lost`, `Refuse`) never does: a neighbour
/// that keeps the contract is never taken for one that does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActorMonitor {
    links: BTreeMap<ActorId, LinkMonitor>,
    /// A neighbour that broke the contract excuses what the actor does from then on.
    excused: bool,
}

impl ActorMonitor {
    /// The actor below `supervisor` has taken an input, and these are its outputs.
    ///
    /// # Errors
    /// If it says what it must not, and no neighbour has done so before.
    pub fn observe(
        &mut self,
        supervisor: Option<ActorId>,
        input: Input,
        outputs: &[Output],
    ) -> Result<(), Breach> {
        match input {
            Input::Received { from, message } => {
                let end = if Some(from) == supervisor { LinkEnd::Upper } else { LinkEnd::Lower };
                let link = self.links.entry(from).or_default();
                self.excused |= link.says(end, message).is_err();
                link.hears(message);
            }
            // The number of a process that was reaped may be used again.
            Input::Exited { child, .. } => drop(self.links.remove(&child)),
            _ => {}
        }
        for output in outputs {
            let Output::Send { to, message } = *output else { continue };
            let end = if Some(to) == supervisor { LinkEnd::Lower } else { LinkEnd::Upper };
            let link = self.links.entry(to).or_default();
            let kept = link.says(end, message);
            if matches!(message, Message::Want { .. } | Message::Grant { .. }) {
                link.hears(message);
            }
            if !self.excused {
                kept?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Message::{Cancel, Done, Grant, Lost, Refuse, Revoke, Want};
    use alloc::string::ToString as _;

    const R: RequestId = RequestId { actor: ActorId(1), serial: 0 };

    /// Says and hears all but the last, and says the last.
    fn clause(messages: &[Message]) -> Option<Clause> {
        let mut monitor = LinkMonitor::default();
        let (last, before) = messages.split_last().expect("something is said");
        let end = |message: &Message| match message.direction() {
            MessageDirection::Up => LinkEnd::Lower,
            MessageDirection::Down => LinkEnd::Upper,
        };
        for message in before {
            monitor.says(end(message), *message).expect("the contract permits it");
            monitor.hears(*message);
        }
        monitor.says(end(last), *last).err().map(|breach| breach.clause)
    }

    #[test]
    fn each_row_permits_and_forbids() {
        let (want, grant, refuse) =
            (Want { request: R }, Grant { request: R }, Refuse { request: R });
        let (done, lost, revoke) =
            (Done { request: R }, Lost { request: R }, Revoke { request: R });
        let cancel = Cancel { urgency: Urgency::Patient };
        let now = Cancel { urgency: Urgency::Forced };
        let table: [(&[Message], Option<Clause>); 17] = [
            (&[want, grant, revoke, done], None),
            (&[want, lost], None),
            (&[want, refuse], None),
            (&[cancel, now], None),
            (&[want, want], Some(Clause::WantOnce)),
            (&[done], Some(Clause::OverAfterWant)),
            (&[want, done, lost], Some(Clause::OverOnce)),
            (&[want, refuse, done], Some(Clause::OverNotAfterRefuse)),
            (&[grant], Some(Clause::AnswerAfterWant)),
            (&[want, done, grant], Some(Clause::AnswerNotAfterOver)),
            (&[want, grant, refuse], Some(Clause::AnswerOnce)),
            (&[want, now, grant], Some(Clause::GrantBeforeCancelNow)),
            (&[want, revoke], Some(Clause::RevokeAfterGrant)),
            (&[want, grant, revoke, revoke], Some(Clause::RevokeOnce)),
            (&[cancel, cancel], Some(Clause::CancelOnce)),
            (&[now, cancel], Some(Clause::CancelOnce)),
            (&[now, now], Some(Clause::CancelNowOnce)),
        ];
        for (messages, expected) in table {
            assert_eq!(clause(messages), expected, "{messages:?}");
        }
    }

    #[test]
    fn an_actor_is_watched_from_within_and_excused_by_a_neighbour_that_breaks_the_contract() {
        let (above, child) = (ActorId(7), ActorId(1));
        let want = Want { request: R };
        let asks = Input::Received { from: child, message: want };
        let relays = [Output::Send { to: above, message: want }];
        let mut honest = ActorMonitor::default();
        assert_eq!(honest.observe(Some(above), asks, &relays), Ok(()));
        let again = honest.observe(Some(above), Input::UserTaskEnded, &relays);
        assert_eq!(again.map_err(|breach| breach.clause), Err(Clause::WantOnce));

        let mut excused = ActorMonitor::default();
        for _ in 0..2 {
            assert_eq!(excused.observe(Some(above), asks, &relays), Ok(()));
        }
    }

    #[test]
    fn a_breach_names_the_end_the_message_and_the_clause() {
        let mut monitor = LinkMonitor::default();
        let breach = monitor.says(LinkEnd::Lower, Grant { request: R }).expect_err("it is a child");
        assert_eq!(
            breach.to_string(),
            "the lower end of a link said Grant of request 1.0, which the contract forbids: own-way"
        );
    }
}
