//! Children that say anything at all: a supervisor is not harmed, and nobody beside them is.
//!
//! Runs in `cargo test`. One supervisor, the root or an actor below it, has a hostile child and an
//! honest one. Whatever the hostile one says, in whose name ever, the supervisor raises no alarm,
//! the honest child keeps its holds, its place and its answers, and when the hostile one is gone
//! nothing is left of it.

#[path = "support/sequence.rs"]
mod sequence;
#[path = "support/word.rs"]
mod word;

use Act::{
    Answers, Asks, Closes, Ends, Exits, Expires, Grants, Interrupts, Pauses, Refuses, Says, Stops,
    Yields,
};
use Word::{Cancel, CancelNow, Grant, Refuse, Revoke, Want};
use holdfast_protocol::hold::Hold;
use holdfast_protocol::input::Shielding;
use holdfast_protocol::lock::client::RequestStage;
use holdfast_protocol::message::MessageDirection;
use holdfast_protocol::node::TreePosition;
use holdfast_protocol::teardown::Teardown;
use holdfast_protocol::{
    ActorId, Answer, DebugMode, Input, LadderSignal, Message, Node, Origin, Outbox, Output, Policy,
    RequestId, Signal, Status, Timer, Urgency,
};
use proptest::collection::vec;
use proptest::prelude::*;
use sequence::{demand, find_failure};
use std::collections::BTreeSet;
use word::{Word, words};

/// What happens to the supervisor under test.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Somebody, the hostile child or an unrelated process, says something about a request.
    Says(u32, Word, u32, u32),
    /// The hostile child closes the baton that it was given.
    Closes,
    /// The link of the hostile child ends.
    Ends,
    /// The hostile child is reaped.
    Exits,
    /// The honest child wants the terminal once more.
    Asks,
    /// The honest child closes its prompt.
    Yields,
    /// A task of the supervisor itself hits a breakpoint.
    Pauses,
    /// The supervisor's own prompt is answered.
    Answers,
    /// The supervisor gets a SIGINT of its own.
    Interrupts,
    /// The supervisor gets a SIGTERM.
    Stops,
    /// One of the armed timers fires.
    Expires(usize),
    /// Below the root: the supervisor above grants one of the requests that wait.
    Grants(usize),
    /// Below the root: it refuses one.
    Refuses(usize),
}

const ABOVE: ActorId = ActorId(0);
const UNDER_TEST: ActorId = ActorId(1);
const HOSTILE: ActorId = ActorId(2);
const HONEST: ActorId = ActorId(3);
const UNRELATED: ActorId = ActorId(9);

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let from = prop_oneof![9 => Just(HOSTILE.0), 1 => Just(UNRELATED.0)];
    let says = (from, words(), 0..6_u32, 0..3_u32)
        .prop_map(|(from, word, actor, serial)| Says(from, word, actor, serial));
    let act = prop_oneof![
        30 => says,
        5 => Just(Closes),
        1 => Just(Ends),
        1 => Just(Exits),
        5 => Just(Asks),
        5 => Just(Yields),
        2 => Just(Pauses),
        3 => Just(Answers),
        1 => Just(Interrupts),
        1 => Just(Stops),
        3 => (0..8_usize).prop_map(Expires),
        8 => (0..8_usize).prop_map(Grants),
        2 => (0..8_usize).prop_map(Refuses),
    ];
    vec(act, 0..60)
}

/// What an honest root is to the supervisor under test: who waits there, and where the baton is.
#[derive(Default)]
struct Above {
    waits: Vec<RequestId>,
    granted: Option<RequestId>,
}

/// The supervisor under test, and what the world around it knows.
struct Trial {
    node: Node,
    above: Above,
    timers: BTreeSet<Timer>,
    /// The request whose baton is out, and the child that has it.
    baton: Option<(RequestId, ActorId)>,
    /// What the hostile child has asked for and not taken back.
    claimed: BTreeSet<RequestId>,
    /// What the honest child waits for, and its prompt.
    honest: (BTreeSet<RequestId>, Option<RequestId>),
    next: u32,
    /// Whose link has ended, and who was sent SIGKILL.
    gone: BTreeSet<ActorId>,
    killed: BTreeSet<ActorId>,
    over: bool,
}

impl Trial {
    fn new(mut node: Node) -> Self {
        for child in [HOSTILE, HONEST] {
            node.handle(Input::Spawned { child }, &mut Outbox::new());
        }
        Self {
            node,
            above: Above::default(),
            timers: BTreeSet::new(),
            baton: None,
            claimed: BTreeSet::new(),
            honest: (BTreeSet::new(), None),
            next: 0,
            gone: BTreeSet::new(),
            killed: BTreeSet::new(),
            over: false,
        }
    }

    fn at_root() -> Self {
        Self::new(Node::root(UNDER_TEST, Policy::RELAY, DebugMode::Off))
    }

    fn below() -> Self {
        Self::new(Node::below(ABOVE, ABOVE, UNDER_TEST, Policy::RELAY, DebugMode::Off))
    }

    fn is_root(&self) -> bool {
        matches!(self.node.position(), TreePosition::Root { .. })
    }

    /// What the honest child is protected by.
    fn holds_through_honest(&self) -> Vec<(RequestId, Hold)> {
        self.node.holds().through(HONEST)
    }

    fn owner(&self) -> Option<RequestId> {
        match self.node.position() {
            TreePosition::Root { server, .. } => server.owner(),
            TreePosition::Below { .. } => None,
        }
    }

    fn take(&mut self, input: Input) -> Result<(), String> {
        if self.over {
            return Ok(());
        }
        let mut out = Outbox::new();
        self.node.handle(input, &mut out);
        for output in out.drain().collect::<Vec<_>>() {
            self.perform(output).map_err(|why| format!("{why}\nafter {input:?}"))?;
        }
        let bounded = self.node.holds().through(HOSTILE).into_iter().all(|(request, _)| {
            self.claimed.contains(&request) || self.baton == Some((request, HOSTILE))
        });
        demand(bounded, || format!("a hold that nobody asks for: {:?}", self.node.holds()))?;
        if let TreePosition::Root { server, .. } = self.node.position() {
            let asked = self.node.holds().iter().count() + self.node.requests().iter().count();
            demand(server.waiting().count() <= asked, || "more wait than asked".to_owned())?;
        }
        Ok(())
    }

    fn perform(&mut self, output: Output) -> Result<(), String> {
        match output {
            Output::Send { to, message } => self.send(to, message),
            Output::Arm { timer } => {
                self.timers.insert(timer);
                Ok(())
            }
            Output::Disarm { timer } => {
                self.timers.remove(&timer);
                Ok(())
            }
            Output::Signal { child, signal } => {
                let forced = self.node.urgency() == Urgency::Forced;
                let shown = child == HONEST && self.honest.1.is_some();
                demand(!shown || forced, || format!("{signal:?} to the honest child's prompt"))?;
                if signal == LadderSignal::Kill {
                    self.killed.insert(child);
                }
                Ok(())
            }
            Output::BatonDropped { request } | Output::PromptClosed { request } => {
                self.baton = self.baton.filter(|(out, _)| *out != request);
                self.above.granted = self.above.granted.filter(|out| *out != request);
                Ok(())
            }
            Output::Exit { .. } => {
                self.over = true;
                Ok(())
            }
            Output::Alarmed { alarm } => Err(format!("{alarm:?}")),
            Output::Requested { .. }
            | Output::PromptOpened { .. }
            | Output::Refused { .. }
            | Output::TerminalTaken
            | Output::TerminalRestored
            | Output::InterruptObeyed
            | Output::TeardownStarted { .. }
            | Output::Sweep
            | Output::Noticed { .. } => Ok(()),
        }
    }

    fn send(&mut self, to: ActorId, message: Message) -> Result<(), String> {
        let known = match message.direction() {
            MessageDirection::Down => self.node.children().contains_key(&to),
            MessageDirection::Up => to == ABOVE && !self.is_root(),
        };
        demand(known, || format!("{message} goes to {}, no neighbour", to.0))?;
        match message {
            Message::Want { request } => {
                demand(!self.above.waits.contains(&request), || "it asks twice".to_owned())?;
                self.above.waits.push(request);
            }
            Message::Done { request } | Message::Lost { request } => {
                let known = self.above.waits.contains(&request)
                    || self.above.granted == Some(request)
                    || to == ABOVE;
                demand(known, || format!("{message} of {request}, which is unknown above"))?;
                self.above.waits.retain(|waits| *waits != request);
            }
            Message::Grant { request } => {
                if self.is_root() {
                    let none = self.baton.is_none();
                    demand(none, || format!("a second grant, {:?} is out", self.baton))?;
                }
                self.baton = Some((request, to));
                if to == HONEST {
                    let waited = self.honest.0.remove(&request);
                    demand(waited, || format!("{request} is granted to who did not ask"))?;
                    self.honest.1 = Some(request);
                }
            }
            Message::Refuse { request } if to == HONEST => {
                self.honest.0.remove(&request);
            }
            Message::Refuse { .. } | Message::Revoke { .. } | Message::Cancel { .. } => {}
        }
        Ok(())
    }

    fn hear(&mut self, from: ActorId, message: Message) -> Result<(), String> {
        self.take(Input::Received { from, message })
    }

    /// A baton is closed: the root reads the end of it, the supervisor below is none the wiser.
    fn close(&mut self, by: ActorId) -> Result<(), String> {
        let Some((request, _)) = self.baton.filter(|(_, holder)| *holder == by) else {
            return Ok(());
        };
        self.baton = None;
        self.above.granted = None;
        if self.is_root() { self.take(Input::BatonClosed { request }) } else { Ok(()) }
    }

    /// What the hostile child or an unrelated process says touches nothing but its own path.
    fn overhear(&mut self, from: ActorId, message: Message) -> Result<(), String> {
        let before = (self.node.clone(), self.holds_through_honest(), self.owner());
        if from == HOSTILE && !self.gone.contains(&from) {
            match message {
                Message::Want { request } => {
                    self.claimed.insert(request);
                }
                Message::Grant { .. }
                | Message::Done { .. }
                | Message::Lost { .. }
                | Message::Refuse { .. }
                | Message::Revoke { .. }
                | Message::Cancel { .. } => {}
            }
        }
        self.hear(from, message)?;
        if let Message::Done { request } | Message::Lost { request } = message
            && from == HOSTILE
            && !self.gone.contains(&from)
        {
            self.claimed.remove(&request);
        }
        let (node, holds, owner) = before;
        demand(self.holds_through_honest() == holds, || "holds of another".to_owned())?;
        demand(owner.is_none() || self.owner() == owner, || "the owner changes".to_owned())?;
        demand(self.node.requests() == node.requests(), || "own requests".to_owned())?;
        demand(self.node.urgency() == node.urgency(), || "it is forced".to_owned())?;
        let told = (node.teardown(), self.node.teardown());
        let not_told = told.0 != Teardown::NotAsked || told.1 == Teardown::NotAsked;
        demand(not_told, || "it is cancelled by a child".to_owned())?;
        let unrelated = from == UNRELATED || self.gone.contains(&from);
        demand(!unrelated || self.node == node, || "an unrelated process is believed".to_owned())
    }

    fn act(&mut self, act: Act) -> Result<(), String> {
        match act {
            Says(from, word, actor, serial) => {
                self.overhear(ActorId(from), word.about(actor, serial))
            }
            Closes => self.close(HOSTILE),
            Ends => {
                self.gone.insert(HOSTILE);
                self.take(Input::LinkEnded { peer: HOSTILE })
            }
            Exits => self.reap(HOSTILE),
            Asks if self.killed.contains(&HONEST) => Ok(()),
            Asks => {
                let request = RequestId { actor: HONEST, serial: self.next };
                self.next += 1;
                self.honest.0.insert(request);
                self.hear(HONEST, Message::Want { request })
            }
            Yields => {
                let Some(request) = self.honest.1.take() else { return Ok(()) };
                self.hear(HONEST, Message::Done { request })?;
                self.close(HONEST)
            }
            Pauses => self.take(Input::Pause { shielding: Shielding::Plain }),
            Answers => {
                let open = self.node.requests().open();
                let answer = Answer::Continue;
                open.map_or(Ok(()), |own| {
                    self.take(Input::Answered { request: own.request, answer })
                })
            }
            Interrupts => {
                let (signal, origin) = (Signal::Interrupt, Origin::Process);
                self.take(Input::Signalled { signal, origin })
            }
            Stops => {
                let (signal, origin) = (Signal::Terminate, Origin::Process);
                self.take(Input::Signalled { signal, origin })
            }
            Expires(pick) => {
                let timer = self.timers.iter().nth(pick % self.timers.len().max(1)).copied();
                let Some(timer) = timer else { return Ok(()) };
                self.timers.remove(&timer);
                self.take(Input::Expired { timer })
            }
            Grants(pick) => {
                let free = self.above.granted.is_none() && self.baton.is_none();
                let waits = self.above.waits.clone();
                let Some(request) = waits.get(pick % waits.len().max(1)).copied() else {
                    return Ok(());
                };
                if !free || self.is_root() {
                    return Ok(());
                }
                self.above.waits.retain(|waits| *waits != request);
                self.above.granted = Some(request);
                self.hear(ABOVE, Message::Grant { request })
            }
            Refuses(pick) => {
                let waits = self.above.waits.clone();
                let Some(request) = waits.get(pick % waits.len().max(1)).copied() else {
                    return Ok(());
                };
                self.above.waits.retain(|waits| *waits != request);
                self.hear(ABOVE, Message::Refuse { request })
            }
        }
    }

    fn reap(&mut self, child: ActorId) -> Result<(), String> {
        if !self.node.children().contains_key(&child) {
            return Ok(());
        }
        self.gone.insert(child);
        self.close(child)?;
        self.take(Input::LinkEnded { peer: child })?;
        self.take(Input::Exited { child, status: Status::Finished })?;
        self.claimed.clear();
        Ok(())
    }

    /// The hostile child dies; the honest one and the supervisor get what they asked for.
    fn heal(&mut self) -> Result<(), String> {
        self.reap(HOSTILE)?;
        for _ in 0..200 {
            // A grant to the dead is dropped on its way, and the baton in it is closed.
            self.close(HOSTILE)?;
            self.act(Grants(0))?;
            self.act(Yields)?;
            self.act(Answers)?;
        }
        if self.over {
            return Ok(());
        }
        let killed = self.killed.contains(&HONEST);
        let waits = self.node.requests().iter().any(|own| own.stage == RequestStage::Waiting);
        demand(killed || self.honest.0.is_empty(), || format!("no answer: {:?}", self.honest))?;
        demand(killed || !waits, || "no answer to an own request".to_owned())?;
        let left = self.node.holds().iter().filter(|(_, hold)| hold.via != HONEST).count();
        demand(left == 0, || format!("left behind: {:?}", self.node.holds()))
    }
}

fn run(mut trial: Trial, acts: &[Act]) -> Result<(), String> {
    acts.iter().try_for_each(|act| trial.act(*act))?;
    trial.heal()
}

#[test]
fn a_root_withstands_whatever_a_child_says() {
    find_failure("a_root_withstands", 10_000, acts(), |acts| run(Trial::at_root(), acts));
}

#[test]
fn an_actor_between_withstands_whatever_a_child_says() {
    find_failure("an_actor_between", 10_000, acts(), |acts| run(Trial::below(), acts));
}

/// Sequences that once did harm.
#[test]
fn what_once_did_harm_does_none() {
    let cases: [(&str, &[Act]); 7] = [
        ("a child grants the lock to its sibling", &[Asks, Says(2, Grant, 3, 0)]),
        ("a child grants the lock twice", &[Asks, Grants(0), Says(2, Grant, 3, 0)]),
        ("a child refuses what its sibling asked for", &[Asks, Says(2, Refuse, 3, 0)]),
        ("a child revokes the prompt of its sibling", &[Asks, Grants(0), Says(2, Revoke, 3, 0)]),
        ("a child cancels its supervisor", &[Says(2, Cancel, 0, 0)]),
        ("a child forces its supervisor", &[Says(2, CancelNow, 0, 0)]),
        ("a child asks in the name of its sibling", &[Says(2, Want, 3, 0), Asks]),
    ];
    for (what, acts) in cases {
        assert_eq!(run(Trial::at_root(), acts), Ok(()), "{what}, at the root");
        assert_eq!(run(Trial::below(), acts), Ok(()), "{what}, below it");
    }
}
