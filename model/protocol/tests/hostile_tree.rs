//! Two hostile actors in a tree of honest ones, with messages and batons on their way.
//!
//! Runs in `cargo test`. The honest actors are the real machines; a hostile one says anything, in
//! whose name ever, and keeps a baton as long as it likes. What one hop believes another one has
//! to live with, so this finds what `tests/hostile.rs` cannot: names that are used again while
//! the answer to their first use is under way.
//!
//! ```text
//!     root --- mid --- liar
//!        \        \--- leaf
//!         \--- thief
//!          \--- side
//! ```

#[path = "support/sequence.rs"]
mod sequence;
#[path = "support/word.rs"]
mod word;

use Act::{Answers, Closes, Pauses, Reads, ReadsBaton, Says};
use Word::{Done, Want};
use holdfast_protocol::input::Shielding;
use holdfast_protocol::message::MessageDirection;
use holdfast_protocol::node::TreePosition;
use holdfast_protocol::{
    ActorId, Answer, DebugMode, Input, Message, Node, Outbox, Output, Policy, RequestId, Status,
};
use proptest::collection::vec;
use proptest::prelude::*;
use sequence::{demand, find_failure};
use std::collections::{BTreeMap, VecDeque};
use word::{Word, words};

/// What happens next.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// A hostile actor says something about a request.
    Says(u32, Word, u32, u32),
    /// A hostile actor closes every baton that it has.
    Closes(u32),
    /// An honest actor hits a breakpoint.
    Pauses(u32),
    /// The open prompt of an honest actor is answered.
    Answers(u32),
    /// The next message of one of the links that have one is read.
    Reads(usize),
    /// The root reads the end of one of the batons that were closed.
    ReadsBaton(usize),
}

const ROOT: ActorId = ActorId(0);
const MID: ActorId = ActorId(1);
const LIAR: ActorId = ActorId(2);
const LEAF: ActorId = ActorId(3);
const THIEF: ActorId = ActorId(4);
const SIDE: ActorId = ActorId(5);
const HONEST: [ActorId; 4] = [ROOT, MID, LEAF, SIDE];

fn supervisor(actor: ActorId) -> ActorId {
    if actor == LIAR || actor == LEAF { MID } else { ROOT }
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let hostile = prop::sample::select(vec![LIAR.0, LIAR.0, THIEF.0]);
    let honest = prop::sample::select(HONEST.map(|actor| actor.0).to_vec());
    // One name above all, so that it is used again and again.
    let name = prop_oneof![3 => Just((2, 0)), 2 => (1..6_u32, 0..2_u32)];
    let says = (hostile.clone(), words(), name)
        .prop_map(|(from, word, (actor, serial))| Says(from, word, actor, serial));
    let act = prop_oneof![
        20 => says,
        8 => hostile.prop_map(Closes),
        4 => honest.clone().prop_map(Pauses),
        8 => honest.prop_map(Answers),
        40 => (0..8_usize).prop_map(Reads),
        8 => (0..8_usize).prop_map(ReadsBaton),
    ];
    vec(act, 0..120)
}

/// One end of a socket pair, by number.
type Baton = u32;

/// What is under way on one link in one direction.
type Lane = VecDeque<(Message, Option<Baton>)>;

/// The tree, its links and its batons.
struct Tree {
    nodes: BTreeMap<ActorId, Node>,
    lanes: BTreeMap<(ActorId, ActorId), Lane>,
    /// The batons that each actor has.
    kept: BTreeMap<ActorId, Vec<(RequestId, Baton)>>,
    /// For which request the root made each baton whose end it has not read.
    made: BTreeMap<Baton, RequestId>,
    closed: Vec<Baton>,
    next: Baton,
}

impl Tree {
    fn new() -> Self {
        let node = |id: ActorId| match id {
            ROOT => Node::root(ROOT, Policy::RELAY, DebugMode::Off),
            id => Node::below(supervisor(id), ROOT, id, Policy::RELAY, DebugMode::Off),
        };
        let mut nodes: BTreeMap<_, _> = HONEST.into_iter().map(|id| (id, node(id))).collect();
        for child in [MID, LIAR, LEAF, THIEF, SIDE] {
            let above = nodes.get_mut(&supervisor(child)).expect("supervisors are honest");
            above.handle(Input::Spawned { child }, &mut Outbox::new());
        }
        let (lanes, kept, made) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { nodes, lanes, kept, made, closed: Vec::new(), next: 0 }
    }

    fn owner(&self) -> Option<RequestId> {
        match self.nodes[&ROOT].position() {
            TreePosition::Root { server, .. } => server.owner(),
            TreePosition::Below { .. } => None,
        }
    }

    /// Lets an honest actor take an input; `came` is the baton that came with it.
    fn take(&mut self, who: ActorId, input: Input, came: Option<Baton>) -> Result<(), String> {
        let mut out = Outbox::new();
        self.nodes.get_mut(&who).expect("only honest actors take inputs").handle(input, &mut out);
        let mut came = came;
        for output in out.drain().collect::<Vec<_>>() {
            match output {
                Output::Send { to, message } => self.send(who, to, message, &mut came)?,
                Output::PromptOpened { request } => {
                    let kept = self.kept.entry(who).or_default();
                    kept.extend(came.take().map(|baton| (request, baton)));
                }
                Output::PromptClosed { request } => self.drop_kept(who, |of| of == request),
                Output::BatonDropped { .. } => self.closed.extend(came.take()),
                Output::Alarmed { alarm } => return Err(format!("{alarm:?} in {}", who.0)),
                Output::Signal { .. } | Output::Exit { .. } | Output::TeardownStarted { .. } => {
                    return Err(format!("{output:?} in {}, which nobody told to end", who.0));
                }
                Output::Arm { .. }
                | Output::Disarm { .. }
                | Output::Requested { .. }
                | Output::Refused { .. }
                | Output::TerminalTaken
                | Output::TerminalRestored
                | Output::InterruptObeyed
                | Output::Sweep
                | Output::Noticed { .. } => {}
            }
        }
        // What came with a message that is not believed is closed.
        self.closed.extend(came);
        self.judge()
    }

    fn send(
        &mut self,
        from: ActorId,
        to: ActorId,
        message: Message,
        came: &mut Option<Baton>,
    ) -> Result<(), String> {
        let neighbour = match message.direction() {
            MessageDirection::Up => supervisor(from) == to,
            MessageDirection::Down => supervisor(to) == from,
        };
        demand(neighbour, || format!("{message} from {} to {}", from.0, to.0))?;
        let baton = match message {
            Message::Grant { request } if from == ROOT => {
                self.next += 1;
                self.made.insert(self.next, request);
                Some(self.next)
            }
            Message::Grant { request } => {
                let passed = came.take();
                demand(passed.is_some(), || format!("a grant of {request} without its baton"))?;
                passed
            }
            Message::Want { .. }
            | Message::Done { .. }
            | Message::Lost { .. }
            | Message::Refuse { .. }
            | Message::Revoke { .. }
            | Message::Cancel { .. } => None,
        };
        self.lanes.entry((from, to)).or_default().push_back((message, baton));
        Ok(())
    }

    fn drop_kept(&mut self, who: ActorId, of: impl Fn(RequestId) -> bool) {
        let kept = self.kept.entry(who).or_default();
        self.closed.extend(kept.iter().filter(|(request, _)| of(*request)).map(|(_, baton)| baton));
        kept.retain(|(request, _)| !of(*request));
    }

    /// What must be so after every step, whatever was said.
    fn judge(&self) -> Result<(), String> {
        let open = |id: &ActorId| self.nodes[id].requests().open().map(|own| (*id, own.request));
        let open: Vec<_> = HONEST.iter().filter_map(open).collect();
        demand(open.len() <= 1, || format!("two prompts: {open:?}"))?;
        let Some((actor, request)) = open.first().copied() else { return Ok(()) };
        demand(self.owner() == Some(request), || format!("{request} has a prompt, no lock"))?;
        let above = |id: &ActorId| (*id != ROOT).then(|| supervisor(*id));
        let ignorant = std::iter::successors(above(&actor), above)
            .find(|id| self.nodes[id].holds().protecting().all(|(held, _)| held != request));
        demand(ignorant.is_none(), || format!("{ignorant:?} does not know of {request}"))
    }

    fn act(&mut self, act: Act) -> Result<(), String> {
        match act {
            Says(from, word, actor, serial) => {
                let (from, to) = (ActorId(from), supervisor(ActorId(from)));
                let message = word.about(actor, serial);
                self.lanes.entry((from, to)).or_default().push_back((message, None));
                Ok(())
            }
            Closes(who) => {
                self.drop_kept(ActorId(who), |_| true);
                Ok(())
            }
            Pauses(who) => {
                self.take(ActorId(who), Input::Pause { shielding: Shielding::Plain }, None)
            }
            Answers(who) => {
                let open = self.nodes[&ActorId(who)].requests().open();
                let answer = Answer::Continue;
                open.map_or(Ok(()), |own| {
                    let answered = Input::Answered { request: own.request, answer };
                    self.take(ActorId(who), answered, None)
                })
            }
            Reads(pick) => {
                let ready: Vec<_> =
                    self.lanes.iter().filter(|(_, lane)| !lane.is_empty()).collect();
                let Some(ends) = ready.get(pick % ready.len().max(1)).map(|(ends, _)| **ends)
                else {
                    return Ok(());
                };
                self.read(ends)
            }
            ReadsBaton(pick) => {
                if self.closed.is_empty() {
                    return Ok(());
                }
                let baton = self.closed.remove(pick % self.closed.len());
                let request = self.made.remove(&baton).expect("each baton ends once");
                self.take(ROOT, Input::BatonClosed { request }, None)
            }
        }
    }

    fn read(&mut self, (from, to): (ActorId, ActorId)) -> Result<(), String> {
        let read = self.lanes.get_mut(&(from, to)).and_then(VecDeque::pop_front);
        let Some((message, baton)) = read else { return Ok(()) };
        if HONEST.contains(&to) {
            return self.take(to, Input::Received { from, message }, baton);
        }
        if let (Message::Grant { request }, Some(baton)) = (message, baton) {
            self.kept.entry(to).or_default().push((request, baton));
        }
        Ok(())
    }

    /// Everything is read, every prompt is answered, and the hostile actors close what they kept.
    fn settle(&mut self) -> Result<(), String> {
        for _ in 0..400 {
            for hostile in [LIAR, THIEF] {
                self.drop_kept(hostile, |_| true);
            }
            self.act(Reads(0))?;
            self.act(ReadsBaton(0))?;
            HONEST.into_iter().try_for_each(|id| self.act(Answers(id.0)))?;
        }
        Ok(())
    }

    /// The hostile actors die, everything is read, every prompt is answered.
    fn heal(&mut self) -> Result<(), String> {
        self.settle()?;
        for hostile in [LIAR, THIEF] {
            let above = supervisor(hostile);
            self.take(above, Input::LinkEnded { peer: hostile }, None)?;
            let exited = Input::Exited { child: hostile, status: Status::Finished };
            self.take(above, exited, None)?;
        }
        self.settle()?;
        self.judge_rest()
    }

    fn judge_rest(&self) -> Result<(), String> {
        demand(self.owner().is_none(), || format!("{:?} owns the lock", self.owner()))?;
        demand(self.made.is_empty(), || format!("batons that are out: {:?}", self.made))?;
        for (id, node) in &self.nodes {
            let (requests, holds) = (node.requests(), node.holds());
            demand(requests.is_empty(), || format!("{} waits: {requests:?}", id.0))?;
            let held = holds.protecting().count();
            demand(held == 0, || format!("{} holds: {holds:?}", id.0))?;
        }
        Ok(())
    }
}

fn run(acts: &[Act]) -> Result<(), String> {
    let mut tree = Tree::new();
    acts.iter().try_for_each(|act| tree.act(*act))?;
    tree.heal()
}

#[test]
fn honest_actors_are_served_whatever_two_hostile_ones_say() {
    find_failure("honest_actors_are_served", 10_000, acts(), run);
}

/// Sequences that once did harm. What is read is picked from the links that have something, in the
/// order of who sends.
#[test]
fn what_once_did_harm_does_none() {
    let cases: [(&str, &[Act]); 2] = [
        (
            "the grant of a first use comes for the second, then that of the second",
            &[
                Says(2, Want, 2, 0),
                Reads(0),
                Reads(0),
                Says(2, Done, 2, 0),
                Says(2, Want, 2, 0),
                Reads(1),
                Reads(2),
                Reads(0),
                Reads(1),
                Closes(2),
                ReadsBaton(0),
                Reads(0),
                Reads(0),
                Reads(0),
            ],
        ),
        (
            "who asks under a name that another one took is never answered",
            &[Pauses(3), Says(4, Want, 3, 0), Reads(1), Reads(0)],
        ),
    ];
    for (what, acts) in cases {
        assert_eq!(run(acts), Ok(()), "{what}");
    }
}
