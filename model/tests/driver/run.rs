//! One run: a tree, what the environment does to it, and what must be so when nothing moves.
//!
//! ```text
//!     two threads of deeds, a person, a clock, one thread an actor
//!       --> all deeds are done, nothing moves: judged
//!       --> Ctrl-C, or SIGTERM with nobody at the prompt, or the root's code returns
//!       --> nothing moves: the tree has ended, every thread ends
//! ```

use crate::actor::start;
use crate::kernel::{Ending, Event, Local, Machine, State};
use crate::observer::{Book, Observer};
use holdfast_model::check::property::PropertyId;
use holdfast_model::protocol::input::Shielding;
use holdfast_model::protocol::policy::WhilePrompt;
use holdfast_model::protocol::{
    ActorId, Answer, DebugMode, Origin, Policy, RequestId, Signal, Status,
};
use holdfast_model::shared::mailbox::{Receiver, mailbox};
use holdfast_model::sync::{Arc, thread};
use holdfast_model::tree::Start;
use holdfast_model::world::{Budget, Config, Fault, Placement, Topology};
use shuttle::rand::Rng;

/// What a run is drawn from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) trees: &'static [&'static str],
    pub(crate) policy: Policy,
    /// The faults that may happen.
    pub(crate) faults: &'static [Fault],
    /// How many at most.
    pub(crate) most: usize,
    pub(crate) end: Ends,
}

/// What ends the tree when nothing moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    ByCtrlC,
    ByStop,
    Any,
}

fn below(bound: usize) -> usize {
    shuttle::rand::thread_rng().gen_range(0..bound)
}

fn dawdle(most: usize) {
    for _ in 0..below(most + 1) {
        thread::yield_now();
    }
}

/// Something that the environment does.
#[derive(Clone, Copy, Debug)]
struct Deed {
    fault: Fault,
    actor: ActorId,
}

/// Runs a tree once.
pub(crate) fn run(plan: Plan, book: Book) {
    let topology = Arc::new(Topology::new(config(plan)));
    let actors = topology.config().tree.len();
    let (person, asked) = mailbox();
    let observer = Observer::new(book, actors);
    observer.tell(|| format!("{}", topology.config().tree));
    let machine = Machine::new(&topology, observer, person);
    machine.with(|kernel| {
        for actor in topology.actors() {
            if topology.config().tree.start(actor) == Start::Running {
                start(&machine, kernel, actor);
            }
        }
    });
    let patience = [2, 40, 200][below(3)];
    let aside = [
        spawn(&machine, move |it| person_answers(it, asked)),
        spawn(&machine, move |it| clock(it, patience)),
    ];
    let mut deeds: Vec<Deed> = (0..=below(plan.most)).map(|_| deed(plan, actors)).collect();
    let second = deeds.split_off(below(deeds.len() + 1));
    let doers = [deeds, second].map(|deeds| spawn(&machine, move |it| act(it, deeds)));
    for doer in doers {
        doer.join().expect("deeds are done");
    }
    drop(machine.until(|kernel| {
        let idle = kernel.idle();
        if idle {
            Observer::at_rest(kernel, None);
        }
        idle
    }));
    let ended = end(&machine, plan.end);
    drop(machine.until(|kernel| {
        let idle = kernel.idle();
        if idle {
            Observer::at_rest(kernel, Some(ended));
        }
        idle
    }));
    for thread in machine.with(|kernel| kernel.end()) {
        thread.join().expect("each actor ends");
    }
    for thread in aside {
        thread.join().expect("it ends");
    }
}

fn spawn(machine: &Machine, act: impl FnOnce(&Machine) + Send + 'static) -> thread::JoinHandle<()> {
    let machine = machine.clone();
    thread::spawn(move || act(&machine))
}

fn config(plan: Plan) -> Config {
    let tree = plan.trees[below(plan.trees.len())].parse().expect("a tree");
    let placement = [Placement::OwnSession, Placement::SharedGroup][below(2)];
    let mut policy = plan.policy;
    if below(4) == 0 {
        policy.while_prompt = WhilePrompt::Freezes;
    }
    let mut config = Config::new(tree, policy, placement, Budget::NONE);
    for debug in &mut config.debug {
        *debug = [DebugMode::Off, DebugMode::On][below(2)];
    }
    config
}

fn deed(plan: Plan, actors: usize) -> Deed {
    // A request every other time, or most runs would have nothing to protect.
    let fault = if below(2) == 0 { Fault::Request } else { plan.faults[below(plan.faults.len())] };
    let actor = match fault {
        Fault::Stop | Fault::KillRoot => 0,
        Fault::Kill | Fault::Cut | Fault::CancelChild => 1 + below(actors - 1),
        _ => below(actors),
    };
    Deed { fault, actor: ActorId(actor as u32) }
}

/// Starts who is started later, and does the deeds in between.
fn act(machine: &Machine, deeds: Vec<Deed>) {
    for deed in deeds {
        dawdle(60);
        let late = machine.with(|kernel| {
            let late = |id: &ActorId| kernel.process(*id).state == State::Later;
            let late = kernel.topology.actors().find(late);
            let above = late.and_then(|id| kernel.topology.config().tree.supervisor(id));
            late.zip(above)
        });
        if let Some((late, above)) = late {
            // One thread of deeds asks for it, so that it is started once.
            machine.with(|kernel| {
                if kernel.claim(late) {
                    kernel.post(above, Event::Local(Local::Spawn(late)));
                }
            });
        }
        machine.with(|kernel| {
            kernel.observer.tell(|| format!("{deed:?}"));
            let actor = deed.actor;
            let local = |local| (actor, Event::Local(local));
            let (to, event) = match deed.fault {
                Fault::Request => local(Local::Pause(Shielding::Plain)),
                Fault::Shielded => local(Local::Pause(Shielding::Shielded)),
                Fault::Error => local(Local::Ended(Ending::Failed)),
                Fault::ErrorUnexamined => local(Local::Ended(Ending::FailedUnexamined)),
                Fault::Cancel => local(Local::Cancel),
                Fault::Quit => return kernel.quits += 1,
                Fault::CancelChild => {
                    let above = kernel.topology.config().tree.supervisor(actor);
                    let above = above.expect("the root is nobody's child");
                    (above, Event::Local(Local::CancelChild(actor)))
                }
                Fault::Interrupt => return kernel.interrupt(),
                Fault::InterruptOne => {
                    return kernel.signal(actor, Signal::Interrupt, Origin::Process);
                }
                Fault::Stop => {
                    kernel.person_gone |= below(2) == 0;
                    return kernel.signal(actor, Signal::Terminate, Origin::Process);
                }
                Fault::Kill | Fault::KillRoot => return kernel.die(actor, Status::Killed),
                Fault::Cut => return kernel.cut(actor),
            };
            kernel.post(to, event);
        });
    }
}

/// Answers each prompt some time after it has opened.
fn person_answers(machine: &Machine, mut asked: Receiver<(ActorId, RequestId)>) {
    while let Some((actor, request)) = asked.wait() {
        dawdle(40);
        machine.with(|kernel| {
            kernel.unanswered -= 1;
            if kernel.person_gone {
                return;
            }
            let answer = if kernel.quits > 0 { Answer::Quit } else { Answer::Continue };
            kernel.quits = kernel.quits.saturating_sub(1);
            kernel.post(actor, Event::Answered(request, answer));
        });
    }
}

/// Lets timers expire and bodies end, some time after they may.
fn clock(machine: &Machine, patience: usize) {
    loop {
        if machine.until(|kernel| kernel.over || !kernel.later.is_empty()).over {
            return;
        }
        dawdle(patience);
        machine.with(|kernel| {
            if !kernel.later.is_empty() {
                kernel.happen(below(kernel.later.len()));
            }
        });
    }
}

/// Ends the tree, and says what is broken if it does not end.
fn end(machine: &Machine, end: Ends) -> PropertyId {
    machine.with(|kernel| {
        let root = kernel.root();
        kernel.observer.tell(|| "nothing moves; the tree is to end".to_owned());
        let turn = match end {
            Ends::ByCtrlC => 0,
            Ends::ByStop => 1,
            Ends::Any => below(3),
        };
        match turn {
            // Somebody who has left his prompt for good types no Ctrl-C either.
            0 if !kernel.person_gone => {
                kernel.interrupt();
                PropertyId::InterruptWorksAgain
            }
            0 | 1 => {
                kernel.person_gone = true;
                let actor = ActorId(below(kernel.processes.len()) as u32);
                kernel.post(actor, Event::Local(Local::Pause(Shielding::Plain)));
                kernel.signal(root, Signal::Terminate, Origin::Process);
                PropertyId::StopIsBounded
            }
            _ => {
                kernel.post(root, Event::Local(Local::Ended(Ending::Returned)));
                PropertyId::TeardownCompletes
            }
        }
    })
}
