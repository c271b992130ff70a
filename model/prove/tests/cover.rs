//! What real trees do is among what is explored: on random runs of the world that the explorer
//! explores, each running actor beside each request is looked up among the states of the proof.
//!
//! The same look-ups miss states as soon as a move of the environment is taken out of the proof.

use holdfast_check::rng::Rng;
use holdfast_check::tree::Tree;
use holdfast_check::world::component::{Component, ComponentValue};
use holdfast_check::world::link::{LaneState, LinkState, MessageLane};
use holdfast_check::world::process::ProcessState;
use holdfast_check::world::shared::{BatonState as WorldBaton, SharedEnvironment, TerminalModes};
use holdfast_check::world::{Config, System, Topology};
use holdfast_protocol::ladder::Kinship;
use holdfast_protocol::message::{About, Urgency};
use holdfast_protocol::{
    ActorId, DebugMode, Input, Message, Node, Placement, Policy, RequestId, Timer,
};
use holdfast_prove::focus::{ABOVE, CHILD, DEEPER, Focus, MINE, ORPHAN, OTHER, ROOT};
use holdfast_prove::search::{Closure, FocusEvent, FocusSearch};
use holdfast_prove::side::NeighbourMove;
use holdfast_prove::state::{BatonLife, FocusView, KidLife};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// How many random runs are looked up.
const WALKS: u64 = 1_400;
/// How long each is at most.
const LENGTH: usize = 200;

const TREES: [&str; 7] = [
    "root(a(b))",
    "root(a(b(c)))",
    "root(a(b(c(d))))",
    "root(a(b,c),d)",
    "root(a(b(c,d),e),f(g(h)),i,j)",
    "root(a?(b?(c?)),d(e?))",
    "root(a(b(c(d(e(f(g)))))))",
];

const BUDGETS: [&str; 5] = [
    "request=3,interrupt=2,kill=2,error=1",
    "request=3,shielded=1,stop=1,kill=1,cut=1",
    "request=2,cancel-child=2,cancel=1,kill=2,interrupt-one=2",
    "request=4,error=2,quit=1,cut=2,stop=1,interrupt=2",
    "request=2,error=2,error-unexamined=1,kill-root=1,kill=1",
];

/// What the actor in focus can read of a link.
type Lane = (Vec<Message>, LaneState);

/// A state of the proof, without what only the proof knows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    node: Node,
    up: Option<Lane>,
    down: Option<Lane>,
    kid: Option<KidLife>,
    grace: bool,
    yields: bool,
    baton: Option<WorldBaton>,
    session: bool,
}

fn lane(lane: &MessageLane, keep: impl Fn(Message) -> Option<Message>) -> Lane {
    (lane.queue().filter_map(keep).collect(), lane.state())
}

fn seen_in_proof(view: &FocusView<'_>) -> Seen {
    let focus = view.focus;
    Seen {
        node: view.node.clone(),
        up: (!focus.is_root()).then(|| lane(&view.up.link.down, Some)),
        down: focus.has_child().then(|| lane(&view.down.link.up, Some)),
        kid: focus.has_child().then_some(view.around.kid),
        grace: view.around.grace,
        yields: view.around.yields,
        baton: match view.around.baton {
            BatonLife::Out => Some(WorldBaton::Out),
            BatonLife::Closed => Some(WorldBaton::Closed),
            BatonLife::Unmade | BatonLife::Read => None,
        },
        session: view.around.session,
    }
}

/// One state of a real tree.
struct Real<'a> {
    topology: &'a Topology,
    system: &'a System,
}

impl Real<'_> {
    fn value(&self, component: Component) -> &ComponentValue {
        &self.system.components()[self.topology.slot(component)]
    }

    fn process(&self, id: ActorId) -> &ProcessState {
        match self.value(Component::Actor(id)) {
            ComponentValue::Actor(process) => process,
            _ => unreachable!("an actor"),
        }
    }

    fn link_up(&self, id: ActorId) -> &LinkState {
        let number = self.topology.link_up(id).expect("it has a supervisor");
        match self.value(Component::Link(number)) {
            ComponentValue::Link(link) => link,
            _ => unreachable!("a link"),
        }
    }

    fn shared(&self) -> &SharedEnvironment {
        match self.value(Component::SharedEnvironment) {
            ComponentValue::SharedEnvironment(shared) => shared,
            _ => unreachable!("the shared environment"),
        }
    }

    /// Every running actor on the path of a request, as the proof sees it.
    fn beside(&self, request: RequestId, found: &mut BTreeMap<Focus, BTreeSet<Seen>>) -> u64 {
        let tree = &self.topology.config().tree;
        let path: Vec<ActorId> =
            std::iter::successors(Some(request.actor), |id| tree.supervisor(*id)).collect();
        let mut looked = 0;
        for (height, me) in path.iter().enumerate() {
            let ProcessState::Running(running) = self.process(*me) else { continue };
            let root = *me == self.topology.root();
            let focus = match (root, height) {
                (false, 0) => Focus::Asker,
                (false, 1) => Focus::Between,
                (false, _) => Focus::BetweenDeeper,
                (true, 0) => Focus::RootAsker,
                (true, 1) => Focus::Root,
                (true, _) => Focus::RootDeeper,
            };
            let child = (height > 0).then(|| path[height - 1]);
            let seen = self.seen(focus, *me, child, request);
            found.entry(focus).or_default().insert(seen);
            looked += 1;
            let adopted = running.node.children().iter();
            for (orphan, _) in adopted.filter(|(_, kid)| root && kid.kinship == Kinship::Adopted) {
                let nobody = RequestId { actor: ActorId(900), serial: 0 };
                let seen = self.seen(Focus::RootOrphan, *me, Some(*orphan), nobody);
                found.entry(Focus::RootOrphan).or_default().insert(seen);
                looked += 1;
            }
        }
        looked
    }

    fn seen(&self, focus: Focus, me: ActorId, kid: Option<ActorId>, request: RequestId) -> Seen {
        let ProcessState::Running(running) = self.process(me) else { unreachable!("it runs") };
        let name = |id: ActorId| match id {
            _ if id == me => focus.me(),
            _ if Some(id) == kid => focus.kids()[0],
            _ if id == request.actor => DEEPER,
            _ => id,
        };
        let kids: Vec<ActorId> = kid.into_iter().collect();
        let node = running.node.in_focus(request, &kids, (MINE, OTHER));
        let keep = |message: Message| match message.request() {
            About::Actor => Some(message),
            About::Request(it) => (it == request).then(|| renamed(message, focus.request())),
        };
        let shared = self.shared();
        Seen {
            node: node.under_names(&name, ABOVE, ROOT),
            up: (!focus.is_root()).then(|| lane(&self.link_up(me).down, keep)),
            down: kid.filter(|_| focus.has_child()).map(|id| lane(&self.link_up(id).up, keep)),
            kid: kid.filter(|_| focus.has_child()).map(|id| match self.process(id) {
                ProcessState::Later => KidLife::Unborn,
                ProcessState::Booting(_) | ProcessState::Running(_) => KidLife::Alive,
                ProcessState::Zombie(..) => KidLife::Zombie,
                ProcessState::Gone => KidLife::Gone,
            }),
            grace: kid.is_some_and(|id| running.timers.contains(&Timer::Grace(id))),
            yields: focus.has_child() && running.timers.contains(&Timer::Yield(request)),
            baton: match focus {
                Focus::Root | Focus::RootDeeper => shared.batons.get(&request).copied(),
                _ => None,
            },
            session: focus.is_root() && shared.modes == TerminalModes::Session,
        }
    }
}

fn renamed(message: Message, request: RequestId) -> Message {
    match message {
        Message::Want { .. } => Message::Want { request },
        Message::Grant { .. } => Message::Grant { request },
        Message::Done { .. } => Message::Done { request },
        Message::Lost { .. } => Message::Lost { request },
        Message::Refuse { .. } => Message::Refuse { request },
        Message::Revoke { .. } => Message::Revoke { request },
        Message::Cancel { .. } => message,
    }
}

/// What is seen on random runs, by kind of actor; and how many look-ups that were.
fn seen_on_walks() -> (BTreeMap<Focus, BTreeSet<Seen>>, u64) {
    let (mut found, mut looked) = (BTreeMap::new(), 0);
    for walk in 0..WALKS {
        let mut rng = Rng::new(7, walk);
        let tree: Tree = TREES[rng.below(TREES.len())].parse().expect("a tree");
        let budget = BUDGETS[rng.below(BUDGETS.len())].parse().expect("a budget");
        let placement = if walk % 2 == 0 { Placement::OwnSession } else { Placement::SharedGroup };
        let mut config = Config::new(tree, Policy::RELAY, placement, budget);
        if walk % 3 == 0 {
            config.debug.fill(DebugMode::On);
        }
        let topology = Topology::new(config);
        let mut system = System::new(&topology);
        // A request that nobody ever makes, of every actor.
        let mut requests: BTreeSet<RequestId> =
            topology.actors().map(|actor| RequestId { actor, serial: 999 }).collect();
        for _ in 0..LENGTH {
            let actions = system.enabled(&topology);
            if actions.is_empty() {
                break;
            }
            system.apply(&topology, actions[rng.below(actions.len())]);
            for component in system.components() {
                if let ComponentValue::Actor(ProcessState::Running(running)) = component {
                    requests.extend(running.node.requests().iter().map(|own| own.request));
                }
            }
            let real = Real { topology: &topology, system: &system };
            looked += requests.iter().map(|request| real.beside(*request, &mut found)).sum::<u64>();
        }
    }
    (found, looked)
}

fn explored(focus: Focus, keep: impl Fn(FocusEvent) -> bool + 'static) -> BTreeSet<Seen> {
    let mut search = FocusSearch::new(focus, Policy::RELAY).keeping(keep);
    // Without a move that is relied on, all states are there, and something does not end.
    let closure = search.run(|_| ControlFlow::Continue(()));
    assert!(matches!(closure, Closure::Closed | Closure::Violated), "{closure:?}");
    search.states().map(|view| seen_in_proof(&view)).collect()
}

#[test]
fn every_state_of_a_random_run_is_a_state_of_the_proof() {
    let (found, looked) = seen_on_walks();
    for (focus, seen) in &found {
        let proof = explored(*focus, |_| true);
        let missing = seen.difference(&proof).next();
        println!("{focus}: {} different states of {} in the proof", seen.len(), proof.len());
        assert_eq!(missing, None, "{focus}: not a state of the proof");
    }
    assert_eq!(found.len(), Focus::ALL.len(), "every kind of actor is met");
    println!("{looked} look-ups");
}

/// A move of the environment: where it matters, its name, and the events that are it.
type EnvironmentMove = (Focus, &'static str, fn(FocusEvent) -> bool);

fn above(event: FocusEvent, is: fn(Message) -> bool) -> bool {
    matches!(event, FocusEvent::Above(NeighbourMove::Says(message)) if is(message))
}

fn below(event: FocusEvent, is: fn(Message) -> bool) -> bool {
    matches!(event, FocusEvent::Below(NeighbourMove::Says(message)) if is(message))
}

const MOVES: [EnvironmentMove; 19] = [
    (Focus::Asker, "above grants", |event| above(event, |it| matches!(it, Message::Grant { .. }))),
    (Focus::Asker, "above refuses", |event| {
        above(event, |it| matches!(it, Message::Refuse { .. }))
    }),
    (Focus::Asker, "above revokes", |event| {
        above(event, |it| matches!(it, Message::Revoke { .. }))
    }),
    (Focus::Asker, "above cancels", |event| {
        above(event, |it| it == Message::Cancel { urgency: Urgency::Patient })
    }),
    (Focus::Asker, "above cancels now", |event| {
        above(event, |it| it == Message::Cancel { urgency: Urgency::Forced })
    }),
    (Focus::Asker, "the link above ends", |event| event == FocusEvent::Above(NeighbourMove::Ends)),
    (Focus::Between, "below wants", |event| below(event, |it| matches!(it, Message::Want { .. }))),
    (Focus::Between, "below is done", |event| {
        below(event, |it| matches!(it, Message::Done { .. }))
    }),
    (Focus::BetweenDeeper, "below has lost", |event| {
        below(event, |it| matches!(it, Message::Lost { .. }))
    }),
    (Focus::Between, "the link below ends", |event| {
        event == FocusEvent::Below(NeighbourMove::Ends)
    }),
    (Focus::Between, "below dies", |event| event == FocusEvent::Dies),
    (Focus::Between, "below is spawned", |event| {
        matches!(event, FocusEvent::Takes(Input::Spawned { child: CHILD }))
    }),
    (Focus::Between, "below is reaped", |event| {
        matches!(event, FocusEvent::Takes(Input::Exited { child: CHILD, .. }))
    }),
    (Focus::Between, "a grace ends", |event| {
        matches!(event, FocusEvent::Takes(Input::Expired { timer: Timer::Grace(CHILD) }))
    }),
    (Focus::Root, "the baton closes", |event| event == FocusEvent::BatonCloses),
    (Focus::Root, "the root reads the end of the baton", |event| {
        event == FocusEvent::Takes(Input::BatonClosed { request: Focus::Root.request() })
    }),
    (Focus::Root, "the time to yield ends", |event| {
        matches!(event, FocusEvent::Takes(Input::Expired { timer: Timer::Yield(it) })
            if it == Focus::Root.request())
    }),
    (Focus::RootOrphan, "an orphan is adopted", |event| {
        event == FocusEvent::Takes(Input::Adopted { child: ORPHAN })
    }),
    (Focus::RootOrphan, "the grace of an orphan ends", |event| {
        matches!(event, FocusEvent::Takes(Input::Expired { timer: Timer::Grace(ORPHAN) }))
    }),
];

#[test]
fn each_move_of_the_environment_is_needed() {
    let (found, _) = seen_on_walks();
    let idle: Vec<_> = MOVES
        .iter()
        .filter(|(focus, _, is)| {
            let (seen, is) = (&found[focus], *is);
            seen.is_subset(&explored(*focus, move |event| !is(event)))
        })
        .map(|(_, name, _)| *name)
        .collect();
    assert!(idle.is_empty(), "taken out, nothing is missed: {idle:?}");
}
