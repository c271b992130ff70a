//! One case for each guard and each effect of the world: what the kernel or the person would do,
//! and what would be wrong without the guard. `src/world/grounds.rs` has the fact and its source.
//!
//! Runs in `cargo test`.

use holdfast_check::world::component::ComponentValue;
use holdfast_check::world::enabled::{can_do, can_step};
use holdfast_check::world::link::LinkState;
use holdfast_check::world::process::{PendingSignals, ProcessState};
use holdfast_check::world::shared::{BatonState, RootEnd};
use holdfast_check::world::{
    Action, ActorFlags, Condition, Config, Environment, EnvironmentAction, Observation, ScriptStep,
    System, SystemStep, Topology, WorldView,
};
use holdfast_protocol::policy::{
    BootInterrupt, LockRelease, Orphans, Policy, TerminalReader, WhilePrompt,
};
use holdfast_protocol::{
    ActorId, Answer, Cause, DebugMode, Message, Placement, RequestId, Signal, Status, Timer,
};
use std::collections::{BTreeSet, VecDeque};

const ROOT: ActorId = ActorId(0);
const A: ActorId = ActorId(1);
const B: ActorId = ActorId(2);
const RELAY: Policy = Policy::RELAY;
const FREEZES: Policy = Policy { while_prompt: WhilePrompt::Freezes, ..RELAY };
const FIRST: RequestId = RequestId { actor: A, serial: 0 };

/// A run, step by step.
struct Run {
    topology: Topology,
    system: System,
}

impl From<Config> for Run {
    fn from(config: Config) -> Self {
        let topology = Topology::new(config);
        Self { system: System::new(&topology), topology }
    }
}

fn config(tree: &str, faults: &str, policy: Policy) -> Config {
    let tree = tree.parse().expect("the trees are well formed");
    let faults = faults.parse().expect("the budgets are well formed");
    Config::new(tree, policy, Placement::OwnSession, faults)
}

/// A run in which the environment is bounded by nothing.
fn run(tree: &str, policy: Policy) -> Run {
    Config { environment: Environment::Recorded, ..config(tree, "none", policy) }.into()
}

fn bounded(tree: &str, faults: &str) -> Run {
    config(tree, faults, RELAY).into()
}

fn scripted(tree: &str, policy: Policy, steps: Vec<ScriptStep>) -> Run {
    let mut config = config(tree, "none", policy);
    config.environment = Environment::Recorded;
    config.script.steps = steps;
    config.into()
}

fn deliver(from: ActorId, to: ActorId) -> SystemStep {
    SystemStep::Deliver { from, to }
}

fn pause(actor: ActorId) -> EnvironmentAction {
    EnvironmentAction::Pause { actor }
}

fn kill(actor: ActorId) -> EnvironmentAction {
    EnvironmentAction::Kill { actor }
}

fn signal(actor: ActorId, signal: Signal) -> EnvironmentAction {
    EnvironmentAction::Signal { actor, signal }
}

fn fails(actor: ActorId) -> EnvironmentAction {
    EnvironmentAction::Provoke { actor, cause: Cause::Failed }
}

fn ends(actor: ActorId) -> EnvironmentAction {
    EnvironmentAction::Provoke { actor, cause: Cause::Requested }
}

fn answer(actor: ActorId) -> EnvironmentAction {
    EnvironmentAction::Answer { actor, answer: Answer::Continue }
}

impl Run {
    fn see<T>(&self, see: impl FnOnce(&WorldView<'_>) -> T) -> T {
        self.system.look(&self.topology, see)
    }

    /// Whether a step can be taken.
    fn may(&self, step: SystemStep) -> bool {
        self.see(|view| can_step(view, step))
    }

    /// Whether the environment can do something, budget and script aside.
    fn can(&self, action: EnvironmentAction) -> bool {
        self.see(|view| can_do(view, action))
    }

    /// Whether the explorer would try it.
    fn tries(&self, action: EnvironmentAction) -> bool {
        self.system.enabled(&self.topology).contains(&Action::Environment(action))
    }

    fn is(&self, actor: ActorId, flags: ActorFlags) -> bool {
        self.see(|view| view.actor(actor).flags.contains(flags))
    }

    fn takes(&mut self, step: SystemStep) -> Vec<Observation> {
        assert!(self.may(step), "{step:?} can be taken");
        self.system.apply(&self.topology, Action::System(step))
    }

    /// Lets the environment do something that it can do.
    fn does(mut self, action: EnvironmentAction) -> Self {
        assert!(self.can(action), "{action:?} can be done");
        self.system.apply(&self.topology, Action::Environment(action));
        self
    }

    /// The nearest state of this kind that the tree comes to of itself.
    fn until(mut self, goal: impl Fn(&WorldView<'_>) -> bool) -> Self {
        let mut seen = BTreeSet::from([self.system.clone()]);
        let mut queue = VecDeque::from([self.system.clone()]);
        while let Some(system) = queue.pop_front() {
            if system.look(&self.topology, &goal) {
                self.system = system;
                return self;
            }
            for action in system.enabled(&self.topology) {
                if let Action::System(_) = action {
                    let mut next = system.clone();
                    next.apply(&self.topology, action);
                    if seen.insert(next.clone()) {
                        queue.push_back(next);
                    }
                }
            }
        }
        panic!("no such state is reached")
    }

    fn at_prompt(self, actor: ActorId) -> Self {
        self.does(pause(actor)).until(|view| view.actor(actor).prompt.is_some())
    }

    fn until_flags(self, actor: ActorId, flags: ActorFlags) -> Self {
        self.until(|view| view.actor(actor).flags.contains(flags))
    }

    fn process(&self, actor: ActorId) -> &ProcessState {
        match &self.system.components()[actor.index()] {
            ComponentValue::Actor(process) => process,
            other => panic!("{other:?} is not an actor"),
        }
    }

    fn pending(&self, actor: ActorId) -> &PendingSignals {
        match self.process(actor) {
            ProcessState::Running(running) => &running.pending,
            other => panic!("{other:?} does not run"),
        }
    }

    /// The link between the root and the first actor below it.
    fn link(&self) -> &LinkState {
        match &self.system.components()[self.topology.config().tree.len()] {
            ComponentValue::Link(link) => link,
            other => panic!("{other:?} is not a link"),
        }
    }

    fn baton(&self) -> Option<BatonState> {
        self.see(|view| view.shared().batons.get(&FIRST).copied())
    }

    /// What the root reads next of what the first actor said.
    fn root_reads(&mut self) -> Option<Message> {
        self.takes(deliver(A, ROOT)).into_iter().find_map(|what| match what {
            Observation::Delivered { message, .. } => Some(message),
            _ => None,
        })
    }
}

// Steps of the tree and the kernel.

#[test]
fn who_is_frozen_reads_nothing() {
    for (policy, reads) in [(RELAY, true), (FREEZES, false)] {
        let mut run = run("root(a)", policy).at_prompt(A).does(signal(ROOT, Signal::Terminate));
        run.takes(SystemStep::TakeSignal { actor: ROOT, signal: Signal::Terminate });
        assert!(run.see(|view| view.readable(ROOT, A)), "the prompt is revoked");
        assert_eq!(run.may(deliver(ROOT, A)), reads);
    }
}

#[test]
fn who_boots_reads_nothing() {
    let run = run("root(a?)", RELAY)
        .does(EnvironmentAction::Spawn { actor: A })
        .does(EnvironmentAction::CancelChild { actor: A });
    assert!(run.see(|view| view.readable(ROOT, A)), "it is told to end");
    assert!(!run.may(deliver(ROOT, A)));
    assert!(run.until_flags(A, ActorFlags::RUNNING).may(deliver(ROOT, A)));
}

#[test]
fn nothing_is_read_where_nothing_was_sent() {
    let run = run("root(a)", RELAY);
    assert!(!run.may(deliver(A, ROOT)) && !run.may(deliver(ROOT, A)));
    let run = run.does(pause(A));
    assert!(run.may(deliver(A, ROOT)) && !run.may(deliver(ROOT, A)));
}

#[test]
fn messages_arrive_in_the_order_in_which_they_were_sent() {
    let mut run = run("root(a)", RELAY).does(pause(A)).does(pause(A));
    let second = RequestId { serial: 1, ..FIRST };
    assert_eq!(run.root_reads(), Some(Message::Want { request: FIRST }));
    assert_eq!(run.root_reads(), Some(Message::Want { request: second }));
}

#[test]
fn what_was_sent_before_a_death_is_read_and_then_the_end() {
    let mut run = run("root(a)", RELAY).does(pause(A)).does(kill(A));
    assert_eq!(run.root_reads(), Some(Message::Want { request: FIRST }));
    assert_eq!(run.root_reads(), None, "the end");
    assert!(!run.may(deliver(A, ROOT)), "the end is read once");
}

#[test]
fn what_is_sent_to_the_dead_is_lost() {
    let mut run = run("root(a)", RELAY).does(kill(A)).does(signal(ROOT, Signal::Terminate));
    run.takes(SystemStep::TakeSignal { actor: ROOT, signal: Signal::Terminate });
    assert_eq!(run.link().down.queue().count(), 0);
}

#[test]
fn a_baton_that_the_dead_will_not_read_closes() {
    let mut run = run("root(a)", RELAY).does(pause(A));
    run.takes(deliver(A, ROOT));
    assert_eq!(run.baton(), Some(BatonState::Out), "it is on its way");
    assert_eq!(run.does(kill(A)).baton(), Some(BatonState::Closed));
}

#[test]
fn the_baton_of_a_holder_closes_with_its_process() {
    let run = run("root(a)", RELAY).at_prompt(A).does(kill(A));
    assert_eq!(run.baton(), Some(BatonState::Closed));
}

#[test]
fn a_handler_of_signals_runs_at_a_prompt() {
    let run = run("root(a)", FREEZES).at_prompt(A).does(signal(A, Signal::Interrupt));
    assert!(run.may(SystemStep::TakeSignal { actor: A, signal: Signal::Interrupt }));
    assert!(!run.may(SystemStep::TakeSignal { actor: A, signal: Signal::Terminate }));
}

#[test]
fn pending_signals_are_taken_in_any_order() {
    let both = [Signal::Interrupt, Signal::Terminate];
    for [first, second] in [both, [both[1], both[0]]] {
        let run = run("root(a)", RELAY).does(signal(A, first)).does(signal(A, second));
        let takes = |signal: &Signal| run.may(SystemStep::TakeSignal { actor: A, signal: *signal });
        assert!(both.iter().all(takes));
        let tried = run.system.enabled(&run.topology);
        let tries = |signal: &Signal| {
            let step = SystemStep::TakeSignal { actor: A, signal: *signal };
            tried.contains(&Action::System(step))
        };
        assert!(both.iter().all(tries));
    }
}

#[test]
fn two_equal_signals_are_one() {
    let run = run("root(a)", RELAY).does(signal(A, Signal::Interrupt));
    let run = run.does(signal(A, Signal::Interrupt));
    assert_eq!(run.pending(A).iter().count(), 1);
}

#[test]
fn a_timer_fires_if_it_is_armed_and_its_actor_is_not_frozen() {
    let grace = SystemStep::Expire { actor: A, timer: Timer::Grace(B) };
    for (policy, fires) in [(RELAY, true), (FREEZES, false)] {
        let run = run("root(a(b))", policy);
        assert!(!run.may(grace), "it is not armed");
        let run = run.does(EnvironmentAction::CancelChild { actor: B });
        assert!(run.may(grace));
        let run = run.at_prompt(A);
        let armed = run.see(|view| view.actor(A).timers.contains(&Timer::Grace(B)));
        assert!(armed, "b is not the one at the prompt");
        assert_eq!(run.may(grace), fires);
    }
}

#[test]
fn a_user_task_ends_when_it_is_told_to() {
    let run = run("root(a)", RELAY);
    assert!(!run.may(SystemStep::EndUserTask { actor: A }));
    let run = run.does(ends(A)).until_flags(A, ActorFlags::USER_TASK_ASKED);
    assert!(run.may(SystemStep::EndUserTask { actor: A }));
    let run = run.until(|view| !view.actor(A).flags.contains(ActorFlags::USER_TASK_ASKED));
    assert!(!run.may(SystemStep::EndUserTask { actor: A }), "it ends once");
}

#[test]
fn who_was_started_boots_and_nobody_else() {
    let mut run = run("root(a?)", RELAY);
    assert!(!run.may(SystemStep::Boot { actor: A }) && !run.may(SystemStep::Boot { actor: ROOT }));
    run = run.does(EnvironmentAction::Spawn { actor: A });
    run.takes(SystemStep::Boot { actor: A });
    assert!(!run.may(SystemStep::Boot { actor: A }));
}

#[test]
fn a_zombie_is_reaped_by_a_parent_that_is_not_frozen() {
    let reap = SystemStep::Reap { actor: A };
    for (policy, reaps) in [(RELAY, true), (FREEZES, false)] {
        let run = run("root(a)", policy);
        assert!(!run.may(reap), "it lives");
        assert_eq!(run.at_prompt(ROOT).does(kill(A)).may(reap), reaps);
    }
}

#[test]
fn init_reaps_whom_the_dead_root_would_have_adopted() {
    let run = run("root(a?)", RELAY).does(kill(ROOT)).does(EnvironmentAction::Appear { actor: A });
    let mut run = run.does(EnvironmentAction::Die { actor: A, status: Status::Failed });
    assert!(matches!(run.process(A), ProcessState::Zombie(..)));
    run.takes(SystemStep::Reap { actor: A });
    assert_eq!(*run.process(A), ProcessState::Gone);
}

#[test]
fn under_upstreams_release_a_holder_stays_until_its_last_word_was_read() {
    let reap = SystemStep::Reap { actor: A };
    let said = Policy { release: LockRelease::DoneArrived, ..RELAY };
    for (policy, reaps) in [(RELAY, true), (said, false)] {
        let mut run = run("root(a)", policy).does(pause(A)).does(kill(A));
        assert_eq!(run.may(reap), reaps);
        run.takes(deliver(A, ROOT));
        run.takes(deliver(A, ROOT));
        assert!(run.may(reap));
    }
}

#[test]
fn who_reaps_closes_the_link_with_what_is_unread() {
    let mut run = run("root(a)", RELAY).does(pause(A)).does(kill(A));
    run.takes(SystemStep::Reap { actor: A });
    assert!(!run.may(deliver(A, ROOT)));
}

#[test]
fn a_zombie_stays_until_it_is_reaped() {
    let mut run = run("root(a(b))", RELAY).does(kill(B));
    assert!(matches!(run.process(B), ProcessState::Zombie(Status::Killed, _)));
    run.takes(deliver(B, A));
    assert!(run.is(B, ActorFlags::ZOMBIE), "its link is read to the end, and it is still there");
    assert!(run.until(|view| view.actor(B).flags.is_empty()).is(A, ActorFlags::RUNNING));
}

#[test]
fn the_root_finds_an_orphan_that_lives() {
    let adopt = SystemStep::Adopt { actor: B };
    let whole = run("root(a(b))", RELAY);
    assert!(!whole.may(adopt), "its supervisor lives");
    let run = whole.does(kill(A));
    assert_eq!(run.see(|view| view.actor(B).parent), Some(ROOT), "a subreaper is next");
    assert!(run.may(adopt));
    assert!(!run.does(kill(B)).may(adopt), "it is reaped without that");
}

#[test]
fn a_root_that_is_frozen_finds_nobody() {
    let run = run("root(a(b))", FREEZES).at_prompt(ROOT).does(kill(A));
    assert!(!run.may(SystemStep::Adopt { actor: B }));
}

#[test]
fn an_orphan_is_found_once() {
    let mut run = run("root(a(b))", RELAY).does(kill(A));
    run.takes(SystemStep::Adopt { actor: B });
    assert!(!run.may(SystemStep::Adopt { actor: B }));
}

#[test]
fn without_a_subreaper_an_orphan_is_inits() {
    let lives_on = Policy { orphans: Orphans::LiveOn, ..RELAY };
    let run = run("root(a(b))", lives_on).does(kill(A));
    assert_eq!(run.see(|view| view.actor(B).parent), None);
    assert!(!run.may(SystemStep::Adopt { actor: B }));
    assert_eq!(*run.does(kill(B)).process(B), ProcessState::Gone, "init reaps at once");
}

#[test]
fn who_the_root_leaves_behind_is_inits() {
    let run = run("root(a)", RELAY).does(kill(A)).does(kill(ROOT));
    assert_eq!(*run.process(A), ProcessState::Gone);
}

#[test]
fn the_root_sees_nobody_left_once_nobody_is() {
    let run = run("root(a(b))", RELAY);
    assert!(!run.may(SystemStep::SeeChildrenGone), "it does not end");
    // The root has reaped its child; the grandchild is the kernel's to give it.
    let run = run.does(kill(A)).until(|view| {
        view.root().flags.contains(ActorFlags::SWEEPING)
            && view.actor(B).flags.contains(ActorFlags::UNFOUND)
    });
    assert!(!run.may(SystemStep::SeeChildrenGone));
    let run = run.until(|view| view.actors().skip(1).all(|(_, facts)| facts.parent.is_none()));
    let run = run.until_flags(ROOT, ActorFlags::SWEEPING);
    assert!(run.may(SystemStep::SeeChildrenGone));
}

#[test]
fn a_root_that_does_not_end_sees_nothing() {
    let run = run("root", RELAY);
    assert!(!run.may(SystemStep::SeeChildrenGone));
}

#[test]
fn the_end_of_a_baton_is_read_once_every_copy_is_closed() {
    let read = SystemStep::ReadBaton { request: FIRST };
    let mut run = run("root(a)", RELAY);
    assert!(!run.may(read));
    run = run.at_prompt(A);
    assert!(!run.may(read), "the holder has it");
    run = run.does(answer(A));
    run.takes(read);
    assert!(!run.may(read), "it is read once");
}

#[test]
fn a_dead_root_reads_no_baton() {
    let run = run("root(a)", RELAY).at_prompt(A).does(kill(ROOT)).does(kill(A));
    assert_eq!(run.baton(), Some(BatonState::Closed));
    assert!(!run.may(SystemStep::ReadBaton { request: FIRST }));
}

#[test]
fn a_prompt_ends_with_the_process_that_reads_the_terminal() {
    let lose = SystemStep::LosePrompt { actor: A };
    let run_ = run("root(a)", RELAY);
    assert!(!run_.does(kill(ROOT)).may(lose), "no prompt is open");
    let at_prompt = run("root(a)", RELAY).at_prompt(A);
    assert!(!at_prompt.may(lose), "the root lives");
    assert!(at_prompt.does(kill(ROOT)).may(lose));
    let holder = Policy { reader: TerminalReader::Holder, ..RELAY };
    assert!(!run("root(a)", holder).at_prompt(A).does(kill(ROOT)).may(lose), "it reads itself");
}

#[test]
fn a_script_goes_on_when_what_it_waits_for_is_so() {
    let pass = SystemStep::Pass { at: 0 };
    let waits = |tree: &str, condition| scripted(tree, RELAY, vec![ScriptStep::Until(condition)]);
    let run = waits("root(a)", Condition::PromptOpen(A)).does(pause(A));
    assert!(!run.may(pass));
    assert!(run.until(|view| view.actor(A).prompt.is_some()).may(pass));
    let run = waits("root(a)", Condition::PromptOpen(ROOT)).at_prompt(A);
    assert!(!run.may(pass), "it is another's");
    let run = waits("root(a)", Condition::Waiting(A));
    assert!(!run.may(pass));
    assert!(run.does(pause(A)).may(pass));
    let run = waits("root(a)", Condition::NoPrompt);
    assert!(run.may(pass));
    assert!(!run.does(pause(A)).may(pass));
    let run = waits("root(a?)", Condition::Ended(A));
    assert!(!run.may(pass), "it is not started");
    let run = run.does(EnvironmentAction::Spawn { actor: A });
    assert!(!run.may(pass));
    assert!(run.does(kill(A)).may(pass));
    let run = waits("root(a)", Condition::Cancelled(ROOT)).at_prompt(A);
    assert!(!run.may(pass));
    let run = run.does(ends(ROOT));
    assert!(run.may(pass));
    let run = waits("root(a)", Condition::TearingDown(ROOT)).at_prompt(A).does(ends(ROOT));
    assert!(!run.may(pass), "the prompt is open");
    assert!(run.does(answer(A)).until_flags(ROOT, ActorFlags::TEARING_DOWN).may(pass));
    let run = waits("root(a?)", Condition::Running(A)).does(EnvironmentAction::Spawn { actor: A });
    assert!(!run.may(pass));
    assert!(run.until_flags(A, ActorFlags::RUNNING).may(pass));
    let run = waits("root(a)", Condition::Quiet);
    assert!(run.may(pass));
    assert!(!run.does(pause(A)).may(pass));
}

#[test]
fn a_script_goes_on_step_by_step() {
    let free = ScriptStep::Until(Condition::NoPrompt);
    let mut run = scripted("root(a)", RELAY, vec![free, free]);
    assert!(!run.may(SystemStep::Pass { at: 1 }));
    run.takes(SystemStep::Pass { at: 0 });
    assert!(!run.may(SystemStep::Pass { at: 0 }));
    run.takes(SystemStep::Pass { at: 1 });
    assert!(!run.may(SystemStep::Pass { at: 2 }), "it is over");
}

// What the environment does.

#[test]
fn a_breakpoint_needs_a_task_that_runs() {
    for pause in [pause(A), EnvironmentAction::PauseShielded { actor: A }] {
        assert!(run("root(a)", RELAY).can(pause));
        assert!(!run("root(a?)", RELAY).can(pause), "it is not started");
        assert!(run("root(a)", RELAY).at_prompt(A).can(pause), "another task");
        assert!(!run("root(a)", FREEZES).at_prompt(A).can(pause), "it is frozen");
        let ended = run("root(a(b))", RELAY).does(ends(A));
        let ended = ended.until_flags(A, ActorFlags::USER_TASK_ENDED | ActorFlags::RUNNING);
        assert!(!ended.can(pause), "its task has ended");
        let mut debug = config("root(a)", "none", RELAY);
        (debug.debug[1], debug.environment) = (DebugMode::On, Environment::Recorded);
        assert!(!Run::from(debug).does(fails(A)).can(pause), "its task has failed");
    }
}

#[test]
fn a_person_answers_a_prompt_that_somebody_shows() {
    let at_prompt = run("root(a)", RELAY);
    assert!(!at_prompt.can(answer(A)), "there is no prompt");
    let at_prompt = at_prompt.at_prompt(A);
    assert!(at_prompt.can(answer(A)) && !at_prompt.can(answer(ROOT)));
    assert!(!at_prompt.does(kill(ROOT)).can(answer(A)), "nobody reads the terminal");
    let holder = Policy { reader: TerminalReader::Holder, ..RELAY };
    assert!(run("root(a)", holder).at_prompt(A).does(kill(ROOT)).can(answer(A)));
}

#[test]
fn a_person_may_quit() {
    let quit = EnvironmentAction::Answer { actor: A, answer: Answer::Quit };
    assert!(bounded("root(a)", "request=1,quit=1").at_prompt(A).tries(quit));
    let run = bounded("root(a)", "request=1").at_prompt(A);
    assert!(!run.tries(quit) && run.tries(answer(A)));
    let run = bounded("root(a)", "request=1,quit=1").at_prompt(A).does(quit);
    assert!(run.until_flags(A, ActorFlags::ZOMBIE).is(A, ActorFlags::ZOMBIE), "it fails");
}

#[test]
fn an_end_has_one_cause() {
    let run_ = run("root(a(b))", RELAY);
    assert!(run_.can(ends(A)));
    assert!(!run_.does(ends(A)).can(ends(A)), "it ends already");
    assert!(!run("root(a)", FREEZES).at_prompt(A).can(ends(A)), "it is frozen");
    assert!(!run("root(a?)", RELAY).can(ends(A)), "it is not started");
    let mut debug = config("root(a)", "none", RELAY);
    (debug.debug[1], debug.environment) = (DebugMode::On, Environment::Recorded);
    assert!(!Run::from(debug).does(fails(A)).can(ends(A)), "it is examined");
}

#[test]
fn an_examination_can_be_cut_short() {
    let cut_short = EnvironmentAction::FailUnexamined { actor: A, cause: Cause::Failed };
    let mut debug = config("root(a)", "none", RELAY);
    (debug.debug[1], debug.environment) = (DebugMode::On, Environment::Recorded);
    let run_ = Run::from(debug).does(fails(A));
    assert!(run_.is(A, ActorFlags::FAILING) && run_.can(cut_short));
    assert!(!run_.does(cut_short).can(cut_short), "it ends already");
    assert!(!run("root(a)", FREEZES).at_prompt(A).can(cut_short), "it is frozen");
}

#[test]
fn a_supervisor_asks_a_child_once() {
    let ask = EnvironmentAction::CancelChild { actor: A };
    let run_ = run("root(a)", RELAY);
    assert!(run_.can(ask) && !run_.can(EnvironmentAction::CancelChild { actor: ROOT }));
    assert!(!run_.does(ask).can(ask));
    assert!(!run("root(a)", FREEZES).at_prompt(ROOT).can(ask), "it is frozen");
    assert!(!run("root(a?)", RELAY).can(ask), "there is no child");
}

#[test]
fn a_ctrl_c_goes_to_the_whole_foreground_group() {
    for (placement, reached) in [(Placement::OwnSession, 1), (Placement::SharedGroup, 2)] {
        let run_ = run("root(a)", RELAY);
        let config = Config { placement, ..run_.topology.config().clone() };
        let run_ = Run::from(config).does(EnvironmentAction::Interrupt);
        let pending =
            [ROOT, A].into_iter().filter(|actor| run_.pending(*actor).iter().count() == 1);
        assert_eq!(pending.count(), reached);
    }
}

#[test]
fn a_ctrl_c_waits_for_nobody() {
    let run = bounded("root(a)", "request=1,interrupt=1");
    assert!(run.tries(EnvironmentAction::Interrupt));
    let run = run.does(pause(A));
    assert!(run.tries(EnvironmentAction::Interrupt), "a message is unread");
    let run = run.until(|view| view.actor(A).prompt.is_some());
    assert!(run.tries(EnvironmentAction::Interrupt), "a prompt is open");
}

#[test]
fn a_ctrl_c_that_is_pending_everywhere_changes_nothing() {
    let run = run("root(a)", RELAY).does(EnvironmentAction::Interrupt);
    assert!(!run.can(EnvironmentAction::Interrupt));
    let mut again = run.system.clone();
    again.apply(&run.topology, Action::Environment(EnvironmentAction::Interrupt));
    assert_eq!(again, run.system);
}

#[test]
fn signals_reach_whoever_is_alive() {
    let die = EnvironmentAction::Die { actor: A, status: Status::Failed };
    for action in [signal(A, Signal::Interrupt), kill(A), die] {
        let later = run("root(a?)", RELAY);
        assert!(!later.can(action), "it is not started");
        assert!(later.does(EnvironmentAction::Spawn { actor: A }).can(action));
        assert!(run("root(a)", FREEZES).at_prompt(A).can(action));
        assert!(!run("root(a)", RELAY).does(kill(A)).can(action), "it is dead");
    }
}

#[test]
fn a_kill_takes_who_boots_too() {
    let boots = run("root(a?)", RELAY).does(EnvironmentAction::Spawn { actor: A });
    let run = boots.does(kill(A));
    assert!(matches!(run.process(A), ProcessState::Zombie(Status::Killed, _)));
}

#[test]
fn who_boots_ignores_sigint_and_dies_of_sigterm() {
    let boots = |policy| run("root(a?)", policy).does(EnvironmentAction::Spawn { actor: A });
    assert!(boots(RELAY).does(signal(A, Signal::Interrupt)).is(A, ActorFlags::BOOTING));
    assert!(boots(RELAY).does(signal(A, Signal::Terminate)).is(A, ActorFlags::ZOMBIE));
    let dies = Policy { boot_interrupt: BootInterrupt::Dies, ..RELAY };
    assert!(boots(dies).does(signal(A, Signal::Interrupt)).is(A, ActorFlags::ZOMBIE));
}

#[test]
fn a_root_that_was_killed_has_not_exited() {
    let end = |run: &Run| run.see(|view| view.shared().root_end);
    let run_ = run("root", RELAY);
    assert_eq!(end(&run_), None);
    assert_eq!(end(&run_.does(kill(ROOT))), Some(RootEnd::Killed));
    let run = run("root", RELAY).does(ends(ROOT)).until(|view| !view.root().alive());
    assert_eq!(end(&run), Some(RootEnd::Exited));
}

#[test]
fn a_link_breaks_whatever_is_under_way_and_carries_that() {
    let cut = EnvironmentAction::Cut { actor: A };
    let mut run = bounded("root(a)", "request=1,cut=1");
    assert!(run.tries(cut));
    run = run.does(pause(A));
    assert!(run.tries(cut), "a message is under way");
    run = run.does(cut);
    assert!(!run.can(cut), "it is broken");
    assert_eq!(run.root_reads(), Some(Message::Want { request: FIRST }));
    assert_eq!(run.root_reads(), None, "the end");
}

#[test]
fn a_link_of_the_dead_does_not_break_once_more() {
    let cut = EnvironmentAction::Cut { actor: A };
    assert!(!run("root(a)", RELAY).can(EnvironmentAction::Cut { actor: ROOT }), "it has none");
    assert!(!run("root(a)", RELAY).does(kill(A)).can(cut));
    assert!(!run("root(a)", RELAY).does(kill(ROOT)).can(cut));
    assert!(!run("root(a?)", RELAY).can(cut), "it is not started");
}

#[test]
fn a_supervisor_that_serves_starts_whom_it_has_not_started() {
    let spawn = EnvironmentAction::Spawn { actor: A };
    let run_ = run("root(a?)", RELAY);
    assert!(run_.can(spawn) && !run_.can(EnvironmentAction::Spawn { actor: ROOT }));
    assert!(!run_.does(spawn).can(spawn), "it is started");
    assert!(!run("root(a?)", RELAY).does(ends(ROOT)).can(spawn), "it ends");
    assert!(!run("root(a?)", FREEZES).at_prompt(ROOT).can(spawn), "it is frozen");
}

#[test]
fn what_nobody_has_announced_appears_once() {
    let appear = EnvironmentAction::Appear { actor: A };
    let run = run("root(a?)", RELAY);
    assert!(run.can(appear));
    let run = run.does(appear);
    assert!(run.is(A, ActorFlags::UNFOUND) && !run.can(appear));
}

#[test]
fn only_a_zombie_that_the_root_has_not_found_is_gone_behind_its_back() {
    let vanish = EnvironmentAction::Vanish { actor: B };
    let run_ = run("root(a(b))", RELAY);
    assert!(!run_.can(vanish), "it lives");
    let run_ = run_.does(kill(B));
    assert!(!run_.can(vanish), "its supervisor reaps it");
    assert!(run_.does(kill(A)).can(vanish));
    assert!(!run("root(a(b))", RELAY).does(kill(A)).can(vanish), "it lives");
}

// What is tried of it.

#[test]
fn what_the_budget_has_left_is_tried_and_no_more() {
    let run = bounded("root(a)", "request=1");
    assert!(run.tries(pause(A)) && run.tries(pause(ROOT)) && !run.tries(kill(A)));
    assert!(!run.does(pause(A)).tries(pause(ROOT)));
}

#[test]
fn what_would_be_refused_on_the_spot_is_not_tried() {
    let stopped = bounded("root(a)", "request=1,shielded=1,stop=1");
    let stopped = stopped.does(signal(ROOT, Signal::Terminate));
    let stopped = stopped.until_flags(ROOT, ActorFlags::STOPPING);
    let shielded = EnvironmentAction::PauseShielded { actor: ROOT };
    assert!(!stopped.tries(pause(ROOT)) && !stopped.tries(shielded), "it was told to stop");
    let ends = bounded("root(a(b))", "request=1,shielded=1,cancel=1").does(ends(A));
    let shielded = EnvironmentAction::PauseShielded { actor: A };
    assert!(!ends.tries(pause(A)) && ends.tries(shielded), "a cancel withdraws it");
    let orphan = bounded("root(a)", "request=1,kill-root=1").does(kill(ROOT));
    let orphan = orphan.until_flags(A, ActorFlags::ORPHAN);
    assert!(!orphan.tries(pause(A)), "nobody is there to grant it");
}

#[test]
fn each_fault_strikes_whom_it_is_named_after() {
    let run = bounded("root(a)", "kill=1,stop=1,cut=1,interrupt-one=1");
    assert!(run.tries(kill(A)) && !run.tries(kill(ROOT)));
    assert!(run.tries(signal(ROOT, Signal::Terminate)) && !run.tries(signal(A, Signal::Terminate)));
    let pending = run.does(signal(A, Signal::Interrupt));
    let int_a = signal(A, Signal::Interrupt);
    let pending_again = {
        let budget = bounded("root(a)", "interrupt-one=2").does(int_a);
        budget.tries(int_a)
    };
    assert!(!pending_again && !pending.tries(signal(ROOT, Signal::Interrupt)));
    let run = bounded("root(a)", "kill-root=1");
    assert!(!run.tries(kill(A)) && run.tries(kill(ROOT)));
    let run = bounded("root(a)", "stop=2").does(signal(ROOT, Signal::Terminate));
    assert!(!run.tries(signal(ROOT, Signal::Terminate)), "it is pending");
}

#[test]
fn the_person_and_starts_need_no_budget() {
    let run = bounded("root(a?)", "request=1");
    assert!(run.tries(EnvironmentAction::Spawn { actor: A }));
    assert!(run.at_prompt(ROOT).tries(answer(ROOT)));
    let spawn = ScriptStep::Do(EnvironmentAction::Spawn { actor: A });
    let wait = ScriptStep::Until(Condition::PromptOpen(ROOT));
    let mut timed = config("root(a?)", "request=1", RELAY);
    timed.script.steps = vec![wait, spawn];
    let timed = Run::from(timed);
    assert!(!timed.tries(EnvironmentAction::Spawn { actor: A }), "the script times it");
    let mut timed = timed.at_prompt(ROOT);
    assert!(!timed.tries(answer(ROOT)), "the script is not over");
    timed.takes(SystemStep::Pass { at: 0 });
    assert!(timed.tries(EnvironmentAction::Spawn { actor: A }));
}
