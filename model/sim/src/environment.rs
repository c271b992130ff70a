//! One run: a tree, what the environment does to it, and what must be so when nothing moves.
//!
//! ```text
//!     two threads of actions, a person, a clock, one thread an actor
//!       --> all actions are taken, nothing moves: judged
//!       --> Ctrl-C, or SIGTERM with nobody at the prompt, or the root's code returns
//!       --> nothing moves: the tree has ended, every thread ends
//! ```

use super::effects::start;
use super::kernel::{Machine, SimulatedEvent, SimulatedKernel, State};
use super::observer::{Book, Observer};
use holdfast_check::property::PropertyId;
use holdfast_check::schedule::{RunEnd, SimulatedRun};
use holdfast_check::tree::ActorStart;
use holdfast_check::world::{Config, Fault, Topology};
use holdfast_protocol::actor_loop::{Event, Examine, TaskEnd};
use holdfast_protocol::policy::WhilePrompt;
use holdfast_protocol::{ActorId, Answer, Cause, Origin, RequestId, Shielding, Signal, Status};
use holdfast_sync::engine::{Arc, thread};
use holdfast_sync::mailbox::{Receiver, mailbox};
use shuttle::rand::Rng;

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
struct Attempt {
    fault: Fault,
    actor: ActorId,
}

/// Runs a tree once.
pub(crate) fn run(run: &SimulatedRun, book: Book) {
    let mut config = run.config.clone();
    if below(4) == 0 {
        config.policy.while_prompt = WhilePrompt::Freezes;
    }
    let holds_back = below(4) == 0;
    let (mut first, pausing) = (actions(&config), config.policy.while_prompt);
    let topology = Arc::new(Topology::new(config));
    let (person, asked) = mailbox();
    let observer = Observer::new(book, &topology);
    observer.tell(|| format!("the tree: {}; an actor at a prompt {pausing:?}", run.config.tree));
    let machine = Machine::new(&topology, observer, person);
    machine.with(|kernel| {
        kernel.holds_back = holds_back;
        for actor in topology.actors() {
            if topology.config().tree.start(actor) == ActorStart::Running {
                start(&machine, kernel, actor);
            }
        }
    });
    let patience = [2, 40, 200][below(3)];
    let aside = [
        spawn(&machine, move |it| person_answers(it, asked)),
        spawn(&machine, move |it| clock(it, patience)),
    ];
    let second = first.split_off(below(first.len() + 1));
    let threads = [first, second].map(|actions| spawn(&machine, move |it| act(it, actions)));
    for thread in threads {
        thread.join().expect("all actions are taken");
    }
    drop(machine.until(|kernel| {
        let idle = kernel.idle();
        if idle {
            Observer::at_rest(kernel, None);
        }
        idle
    }));
    let ended = end(&machine, run.ends);
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

/// What the environment does: some of what it may, in some order.
fn actions(config: &Config) -> Vec<Attempt> {
    let actors = config.tree.len();
    let below_root = |fault| matches!(fault, Fault::Kill | Fault::Cut | Fault::CancelChild);
    let mut left: Vec<Fault> = Fault::ALL
        .into_iter()
        .filter(|fault| actors > 1 || !below_root(*fault))
        .flat_map(|fault| std::iter::repeat_n(fault, config.budget.left(fault).into()))
        .collect();
    let count = if left.is_empty() { 0 } else { 1 + below(left.len()) };
    let mut attempt = || {
        let fault = left.swap_remove(below(left.len()));
        let actor = match fault {
            Fault::Stop | Fault::KillRoot => 0,
            _ if below_root(fault) => 1 + below(actors - 1),
            _ => below(actors),
        };
        Attempt { fault, actor: ActorId(actor as u32) }
    };
    (0..count).map(|_| attempt()).collect()
}

/// Starts who is started later, and takes the actions in between.
fn act(machine: &Machine, actions: Vec<Attempt>) {
    for attempt in actions {
        dawdle(60);
        let late = machine.with(|kernel| {
            let late = |id: &ActorId| kernel.process(*id).state == State::Later;
            let late = kernel.topology.actors().find(late);
            let above = late.and_then(|id| kernel.topology.config().tree.supervisor(id));
            late.zip(above)
        });
        if let Some((late, above)) = late {
            // One thread asks for it, so that it is started once.
            machine.with(|kernel| {
                if kernel.claim(late) {
                    kernel.task_says(above, Event::Spawn(late));
                }
            });
        }
        machine.with(|kernel| take(kernel, attempt));
    }
}

fn take(kernel: &mut SimulatedKernel, Attempt { fault, actor }: Attempt) {
    kernel.observer.tell(|| match fault {
        Fault::Interrupt | Fault::Quit => format!("environment: {fault}"),
        _ => format!("environment: {fault} at {}", kernel.name(actor)),
    });
    match fault {
        Fault::Request => kernel.task_says(actor, Event::Pause(Shielding::Plain)),
        Fault::Shielded => kernel.task_says(actor, Event::Pause(Shielding::Shielded)),
        Fault::Error => kernel.task_says(actor, failed(Examine::Yes)),
        Fault::ErrorUnexamined => kernel.task_says(actor, failed(Examine::No)),
        Fault::Cancel => kernel.task_says(actor, Event::Cancel(Cause::Requested)),
        Fault::Quit => kernel.quits += 1,
        Fault::CancelChild => {
            let above = kernel.topology.config().tree.supervisor(actor);
            let above = above.expect("the root is nobody's child");
            kernel.task_says(above, Event::CancelChild(actor));
        }
        Fault::Interrupt => kernel.interrupt(),
        Fault::InterruptOne => kernel.signal(actor, Signal::Interrupt, Origin::Process),
        Fault::Stop => {
            kernel.person_gone |= below(2) == 0;
            kernel.signal(actor, Signal::Terminate, Origin::Process);
        }
        Fault::Kill | Fault::KillRoot => kernel.die(actor, Status::Killed),
        Fault::Cut => kernel.cut(actor, below(2) == 0),
        // There are no hosts here: they are actors, and what they do to a terminal is the kernel's.
        Fault::Read | Fault::TakeBack => {}
    }
}

fn failed(examine: Examine) -> SimulatedEvent {
    Event::TaskEnded(TaskEnd::Failed(examine))
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

/// Lets timers expire and user tasks end, some time after they may.
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
fn end(machine: &Machine, ends: RunEnd) -> PropertyId {
    machine.with(|kernel| {
        let root = kernel.root();
        kernel.observer.tell(|| "nothing moves; the tree is to end".to_owned());
        let turn = match ends {
            RunEnd::ByCtrlC => 0,
            RunEnd::ByStop => 1,
            RunEnd::Any => below(3),
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
                kernel.task_says(actor, Event::Pause(Shielding::Plain));
                kernel.signal(root, Signal::Terminate, Origin::Process);
                PropertyId::StopIsBounded
            }
            _ => {
                kernel.task_says(root, Event::TaskEnded(TaskEnd::Returned));
                PropertyId::TeardownCompletes
            }
        }
    })
}
