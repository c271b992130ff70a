//! The steps of a script, performed on a live tree. Each waits for its own effect.

use super::judge::Mark;
use super::view::{Life, Member, View};
use super::{Hurry, Stop};
use holdfast::live::tell::now_ns;
use holdfast::live::{Grown, Order, Process};
use holdfast_model::protocol::policy::Reader;
use holdfast_model::protocol::reaper::ChildLink;
use holdfast_model::protocol::teardown::Teardown;
use holdfast_model::protocol::{ActorId, Answer, Cause, DebugMode, Shielding, Signal};
use holdfast_model::tree::Start;
use holdfast_model::world::script::Condition;
use holdfast_model::world::{Deed, Placement, ScriptStep};
use nix::sys::signal::Signal as Unix;
use std::time::{Duration, Instant};

/// A live tree under way.
pub(super) struct Live<'a> {
    pub(super) grown: Grown,
    pub(super) view: View<'a>,
    /// What only the script knows, and when.
    pub(super) marks: Vec<(u64, Mark)>,
    /// What was done and seen, for people.
    pub(super) story: Vec<String>,
    pub(super) hurry: &'a Hurry<'a>,
    /// Actors that are held while they boot.
    held: Vec<(ActorId, u32)>,
    next_id: u32,
}

impl<'a> Live<'a> {
    pub(super) fn new(grown: Grown, view: View<'a>, hurry: &'a Hurry<'a>) -> Self {
        let (marks, story) = (Vec::new(), Vec::new());
        let mut live = Self { grown, view, marks, story, hurry, held: Vec::new(), next_id: 0 };
        let tree = live.view.config.tree.clone();
        let early = |actor: &ActorId| tree.start(*actor) == Start::Running;
        let limit = hurry.limit;
        // What the actors say comes on connections that are read one by one.
        let _ = live.wait(limit, |view| {
            tree.ids().filter(early).all(|actor| view.member(actor).is_some()).then_some(())
        });
        live
    }

    /// Takes in what is known by now.
    pub(super) fn look(&mut self) {
        let log = self.grown.orders.log();
        self.view.follow(&log);
    }

    /// Waits until something is seen; none if it is not in time.
    pub(super) fn wait<T>(
        &mut self,
        patience: Duration,
        mut find: impl FnMut(&View<'a>) -> Option<T>,
    ) -> Option<T> {
        let view = &mut self.view;
        let found = self.grown.orders.wait_log("this", patience, |log| {
            view.follow(log);
            find(view)
        });
        found.ok()
    }

    /// Waits until something is seen; none once nothing moves any more, or it takes too long.
    pub(super) fn wait_while_it_moves<T>(
        &mut self,
        mut find: impl FnMut(&View<'a>) -> Option<T>,
    ) -> Option<T> {
        let begun = Instant::now();
        loop {
            let (before, still) = (self.view.read, self.hurry.still);
            if let Some(found) = self.wait(still, &mut find) {
                return Some(found);
            }
            let stands = self.view.read == before && !self.view.timed();
            if stands || begun.elapsed() > self.hurry.limit || self.hurry.interrupted() {
                return None;
            }
        }
    }

    fn effect(
        &mut self,
        what: &str,
        seen: impl FnMut(&View<'a>) -> Option<()>,
    ) -> Result<(), Stop> {
        match self.wait(self.hurry.limit, seen) {
            Some(()) => Ok(()),
            None if self.hurry.interrupted() => Err(Stop::Interrupted),
            None => Err(Stop::NoEffect(what.to_owned())),
        }
    }

    /// Performs steps.
    pub(super) fn steps(&mut self, steps: &[ScriptStep]) -> Result<(), Stop> {
        let mut at = 0;
        while let Some(step) = steps.get(at) {
            at += 1;
            match (step, steps.get(at)) {
                (
                    ScriptStep::Do(Deed::Pause { actor }),
                    Some(ScriptStep::Do(Deed::Pause { actor: next })),
                ) if actor == next => {
                    at += 1;
                    self.two_at_once(*actor)?;
                }
                (step, _) => self.step(*step)?,
            }
        }
        Ok(())
    }

    /// Two tasks of one actor, before either of them has its prompt.
    fn two_at_once(&mut self, actor: ActorId) -> Result<(), Stop> {
        let ids = [self.next_id, self.next_id + 1];
        self.next_id += 2;
        let before = self.view.member(actor).map_or(0, |member| member.requests);
        self.say(format!("two tasks of {} reach a breakpoint", self.view.name(actor)));
        self.order(actor, Order::TwoBreakpoints { ids })?;
        self.effect("the breakpoints", |view| {
            let Some(member) = view.member(actor) else { return Some(()) };
            let both =
                member.requests >= before + 2 || (member.frozen() && view.asked.contains(&ids[1]));
            (both || !view.runs(actor)).then_some(())
        })
    }

    /// Performs one step.
    pub(super) fn step(&mut self, step: ScriptStep) -> Result<(), Stop> {
        if self.hurry.interrupted() {
            return Err(Stop::Interrupted);
        }
        self.look();
        match step {
            ScriptStep::Do(deed) => self.perform(deed),
            ScriptStep::Until(condition) => self.until(condition),
        }
    }

    /// Does a deed.
    pub(super) fn perform(&mut self, deed: Deed) -> Result<(), Stop> {
        match deed {
            Deed::Pause { actor } => self.pause(actor, Shielding::Plain),
            Deed::PauseShielded { actor } => self.pause(actor, Shielding::Shielded),
            Deed::Answer { actor, answer } => {
                self.await_prompt(actor)?;
                self.answer(actor, answer)
            }
            Deed::Provoke { actor, cause } => self.provoke(actor, cause),
            Deed::FailUnexamined { .. } => {
                Err(Stop::NotStaged("a failure that nobody wants examined".to_owned()))
            }
            Deed::CancelChild { actor } => self.cancel_child(actor),
            Deed::Interrupt => self.ctrl_c(),
            Deed::Signal { actor, signal } => self.signal(actor, signal),
            Deed::Kill { actor } => self.kill(actor),
            Deed::Cut { actor } => self.cut(actor),
            Deed::Spawn { actor } => self.spawn(actor),
            Deed::Die { .. } | Deed::Appear { .. } => {
                Err(Stop::NotStaged("what only recorded runs hold".to_owned()))
            }
        }
    }

    fn say(&mut self, text: impl Into<String>) {
        self.story.push(text.into());
    }

    /// Gives an order; an actor that is gone takes none, and that is no failure of the run.
    fn order(&mut self, actor: ActorId, order: Order) -> Result<(), Stop> {
        self.release(actor)?;
        let name = self.view.name(actor);
        if !self.view.runs(actor) {
            self.say(format!("{name} is gone: it does not {order:?}"));
            return Ok(());
        }
        if let Err(error) = self.grown.order(&name, order.clone()) {
            let ends = |view: &View<'_>| (!view.runs(actor)).then_some(());
            if self.wait(self.hurry.limit, ends).is_none() {
                return Err(Stop::Stage(error.to_string()));
            }
            self.say(format!("{name} is gone: it does not {order:?}"));
        }
        Ok(())
    }

    fn pause(&mut self, actor: ActorId, shielding: Shielding) -> Result<(), Stop> {
        let id = self.next_id;
        self.next_id += 1;
        let name = self.view.name(actor);
        let before = self.view.member(actor).map_or(0, |member| member.requests);
        self.say(format!("{name} reaches a breakpoint"));
        // A scope that was told to end has no tasks any more, but threads.
        let told = self.view.member(actor).is_some_and(Member::told);
        let order = match (shielding, told) {
            (Shielding::Plain, false) => Order::Breakpoint { id, shielding },
            (Shielding::Plain, true) | (Shielding::Shielded, _) => {
                Order::SyncBreakpoint { id, shielding }
            }
        };
        self.order(actor, order)?;
        self.effect("the breakpoint", |view| {
            let Some(member) = view.member(actor) else { return Some(()) };
            let asked = view.asked.contains(&id) && (member.frozen() || member.told());
            (member.requests > before || asked || !view.runs(actor)).then_some(())
        })
    }

    fn provoke(&mut self, actor: ActorId, cause: Cause) -> Result<(), Stop> {
        let name = self.view.name(actor);
        let (order, said) = match cause {
            Cause::Failed => {
                let text = format!("{name} failed");
                match self.view.config.debug[actor.index()] {
                    DebugMode::On => (Order::Crash { text }, "crashes, in debug mode"),
                    DebugMode::Off => (Order::Error { text }, "fails"),
                }
            }
            Cause::Deadline => (Order::Deadline {}, "has its deadline pass"),
            Cause::Finished => (Order::Finish {}, "is done"),
            Cause::Requested => (Order::Cancel {}, "asks for its own end"),
            Cause::Interrupted | Cause::Orphaned | Cause::Stopped | Cause::ChildFailed => {
                return Err(Stop::NotStaged(format!("{cause:?} as a deed")));
            }
        };
        self.say(format!("{name} {said}"));
        let (before, over) = self.told_of(actor);
        self.order(actor, order)?;
        if over || self.view.member(actor).is_some_and(Member::frozen) {
            return Ok(());
        }
        self.effect(said, |view| {
            let Some(member) = view.member(actor) else { return Some(()) };
            let took = member.told() || member.requests > before;
            (took || !view.runs(actor)).then_some(())
        })
    }

    /// How many requests an actor has made, and whether it was told to end.
    fn told_of(&self, actor: ActorId) -> (u32, bool) {
        self.view.member(actor).map_or((0, true), |member| (member.requests, member.told()))
    }

    fn cancel_child(&mut self, actor: ActorId) -> Result<(), Stop> {
        let Some(above) = self.view.config.tree.supervisor(actor) else { return Ok(()) };
        let name = self.view.name(actor);
        self.say(format!("{} asks {name} to end", self.view.name(above)));
        let before = self.view.member(above).map_or(0, |member| member.inputs);
        self.order(above, Order::CancelChild { name })?;
        let frozen = self.view.member(above).is_some_and(Member::frozen);
        self.effect("the request to end", |view| {
            let took = view.member(above).is_none_or(|member| member.inputs > before);
            (took || frozen || !view.runs(above)).then_some(())
        })
    }

    /// Types Ctrl-C: the root takes it, whether it comes as a signal or as a key; and if it was a
    /// signal to a shared group, everybody does.
    pub(super) fn ctrl_c(&mut self) -> Result<(), Stop> {
        self.say("Ctrl-C is typed");
        let signalled = |view: &View<'_>| match view.config.placement {
            Placement::SharedGroup => view.running().map(|(actor, _)| actor).collect(),
            Placement::OwnSession => vec![ActorId(0)],
        };
        let before: Vec<(ActorId, u32)> = signalled(&self.view)
            .into_iter()
            .filter_map(|actor| Some((actor, self.view.member(actor)?.interrupts)))
            .collect();
        if !self.view.runs(ActorId(0)) {
            self.say("nobody is there to take it");
            return self.typed(KEY);
        }
        let root = |(one, _): &&(ActorId, u32)| *one == ActorId(0);
        let root_before: Vec<_> = before.iter().filter(root).copied().collect();
        // A key that comes between two readers is dropped: who sees nothing types it again.
        for _ in 0..TRIES {
            let modes = self.grown.stage.modes().map_err(|error| Stop::Stage(error.to_string()))?;
            if modes.local & ISIG == 0 {
                if self.key_to_editor()? == Took::Yes {
                    return Ok(());
                }
                continue;
            }
            self.typed(KEY)?;
            let took = self.wait(self.hurry.limit / TRIES, |view| taken(view, &root_before));
            if took.is_some() {
                return self.effect("Ctrl-C in the group", |view| taken(view, &before));
            }
        }
        Err(Stop::NoEffect("Ctrl-C".to_owned()))
    }

    fn typed(&self, keys: &[u8]) -> Result<(), Stop> {
        self.grown.stage.write(keys).map_err(|error| Stop::Stage(error.to_string()))
    }

    /// Types Ctrl-C to the line editor, which says little: that it has taken it shows in the
    /// letter that is typed after it, and taken back.
    fn key_to_editor(&mut self) -> Result<Took, Stop> {
        self.typed(KEY)?;
        self.typed(b"#")?;
        let line = |screen: &vt100::Screen| {
            let (row, _) = screen.cursor_position();
            screen.contents_between(row, 0, row, screen.size().1).trim_end().to_owned()
        };
        if self.sees("the letter", |screen| line(screen).ends_with("> #"))? == Took::No {
            return Ok(Took::No);
        }
        // Between two lines the terminal has its own modes, and takes the key for itself.
        for _ in 0..TRIES {
            self.typed(b"\x7f")?;
            if self.grown.stage.shows(GLANCE, |screen| line(screen).ends_with('>')) {
                return Ok(Took::Yes);
            }
        }
        self.sees("the letter taken back", |screen| line(screen).ends_with('>'))
    }

    /// Waits until the screen is like that, or no prompt is open any more.
    fn sees(&mut self, what: &str, like: impl Fn(&vt100::Screen) -> bool) -> Result<Took, Stop> {
        let begun = Instant::now();
        loop {
            if self.grown.stage.shows(GLANCE, &like) {
                return Ok(Took::Yes);
            }
            self.look();
            if self.view.prompts().next().is_none() {
                return Ok(Took::No);
            }
            if begun.elapsed() > self.hurry.limit {
                let dump = self.grown.stage.dump();
                return Err(Stop::Stage(format!("failed to see {what}\n{dump}")));
            }
        }
    }

    fn signal(&mut self, actor: ActorId, signal: Signal) -> Result<(), Stop> {
        let name = self.view.name(actor);
        self.say(format!("{name} gets {signal}"));
        let Some(member) = self.view.member(actor) else { return Ok(()) };
        let before = member.signals;
        let unix = match signal {
            Signal::Interrupt => Unix::SIGINT,
            Signal::Terminate => Unix::SIGTERM,
            Signal::Hangup => Unix::SIGHUP,
            Signal::Quit => Unix::SIGQUIT,
        };
        if !self.view.runs(actor) || self.grown.signal(&name, unix).is_err() {
            self.say(format!("{name} is gone"));
            return Ok(());
        }
        self.effect("the signal", |view| {
            let took = view.member(actor).is_none_or(|member| member.signals > before);
            (took || !view.runs(actor)).then_some(())
        })
    }

    fn kill(&mut self, actor: ActorId) -> Result<(), Stop> {
        let name = self.view.name(actor);
        self.say(format!("{name} is killed"));
        let held = self.held.iter().find(|(one, _)| *one == actor).map(|(_, pid)| *pid);
        let pid = held.or_else(|| self.view.member(actor).map(|member| member.pid));
        let Some(pid) = pid else { return Ok(()) };
        self.held.retain(|(one, _)| *one != actor);
        let Ok(process) = Process::read(pid.cast_signed()) else { return Ok(()) };
        self.marks.push((now_ns(), Mark::Killed(actor)));
        if process.signal(Unix::SIGKILL).is_ok() {
            process.wait_end(self.hurry.limit).map_err(|error| Stop::Stage(error.to_string()))?;
        }
        self.view.ended(actor);
        Ok(())
    }

    fn cut(&mut self, actor: ActorId) -> Result<(), Stop> {
        let name = self.view.name(actor);
        self.say(format!("the link above {name} is cut"));
        // What was said before is said.
        let _ = self.wait_while_it_moves(|view| view.settled().then_some(()));
        self.marks.push((now_ns(), Mark::Cut(actor)));
        self.order(actor, Order::Cut {})?;
        let above = self.view.config.tree.supervisor(actor);
        let frozen = |view: &View<'_>, one| view.member(one).is_none_or(Member::frozen);
        let result = self.effect("the end of the link", |view| {
            let ends = |one: ActorId| !view.runs(one) || frozen(view, one);
            let above_knows = above.is_none_or(|above| {
                let child = view.member(actor).map(|member| ActorId(member.pid));
                let node = view.member(above).map(|member| &member.node);
                let link = node.zip(child).and_then(|(node, child)| node.children().get(&child));
                ends(above) || link.is_none_or(|child| child.link != ChildLink::Up)
            });
            above_knows.then_some(())
        });
        self.view.cut(actor);
        result
    }

    /// The supervisor starts the actor, which is held before its boot is over.
    fn spawn(&mut self, actor: ActorId) -> Result<(), Stop> {
        let name = self.view.name(actor);
        self.say(format!("{name} is started, and boots"));
        let Some(above) = self.view.config.tree.supervisor(actor) else { return Ok(()) };
        let children = |view: &View<'_>| -> Vec<u32> {
            let node = view.member(above).map(|member| &member.node);
            node.map(|node| node.children().keys().map(|id| id.0).collect()).unwrap_or_default()
        };
        let before = children(&self.view);
        self.release(above)?;
        self.grown.ask_to_spawn(&name).map_err(|error| Stop::Stage(error.to_string()))?;
        if self.view.member(above).is_some_and(Member::frozen) {
            return Ok(());
        }
        let refused = self.view.failed.len();
        let pid = self.wait(self.hurry.limit, |view| {
            let new = children(view).into_iter().find(|pid| !before.contains(pid));
            let frozen = view.member(above).is_some_and(Member::frozen);
            let gone = !view.runs(above) || view.failed.len() > refused || frozen;
            new.map(Some).or(gone.then_some(None))
        });
        match pid {
            Some(Some(pid)) => {
                let path =
                    self.grown.path(&name).map_err(|error| Stop::Stage(error.to_string()))?;
                let here = format!("booting@{path}");
                let _ = self.grown.orders.wait_actor(&here);
                self.held.push((actor, pid));
                Ok(())
            }
            Some(None) => Ok(()),
            None => Err(Stop::NoEffect(format!("the start of {name}"))),
        }
    }

    /// Lets an actor boot that is held.
    pub(super) fn release(&mut self, actor: ActorId) -> Result<(), Stop> {
        if !self.held.iter().any(|(one, _)| *one == actor) {
            return Ok(());
        }
        self.held.retain(|(one, _)| *one != actor);
        let name = self.view.name(actor);
        let path = self.grown.path(&name).map_err(|error| Stop::Stage(error.to_string()))?;
        if let Ok(booting) = self.grown.orders.wait_actor(&format!("booting@{path}")) {
            // Whoever has died meanwhile needs no order.
            let _ = booting.send(Order::Boot {});
            let _ = self.wait_while_it_moves(|view| view.member(actor).map(|_| ()));
        }
        Ok(())
    }

    /// Lets everybody boot.
    pub(super) fn release_all(&mut self) -> Result<(), Stop> {
        let held: Vec<_> = self.held.iter().map(|(actor, _)| *actor).collect();
        held.into_iter().try_for_each(|actor| self.let_boot(actor))
    }

    fn let_boot(&mut self, actor: ActorId) -> Result<(), Stop> {
        let name = self.view.name(actor);
        self.say(format!("{name} goes on booting"));
        self.held.retain(|(one, _)| *one != actor);
        let path = self.grown.path(&name).map_err(|error| Stop::Stage(error.to_string()))?;
        let interrupts = self.view.root().map_or(0, |root| root.interrupts);
        if let Ok(booting) = self.grown.orders.wait_actor(&format!("booting@{path}")) {
            let _ = booting.send(Order::Boot {});
            let grouped = self.view.config.placement == Placement::SharedGroup;
            // It takes the Ctrl-C that came while it booted, unless that has killed it.
            let _ = self.wait(BOOT, |view| {
                let member = view.member(actor)?;
                let took = member.interrupts > 0 || member.life == Life::Ended;
                (took || !grouped || interrupts == 0).then_some(())
            });
        }
        Ok(())
    }

    /// Waits for the prompt of an actor; says so if it can not come any more.
    fn await_prompt(&mut self, actor: ActorId) -> Result<(), Stop> {
        self.release(actor)?;
        let open = self.wait_while_it_moves(|view| {
            let member = view.member(actor);
            let open = member.is_some_and(|member| member.prompt().is_some());
            let never = !view.runs(actor);
            (open || never).then_some(open)
        });
        let name = self.view.name(actor);
        match open {
            Some(true) => self.on_screen(actor),
            Some(false) => Err(Stop::Never(format!("{name} is gone, its prompt does not open"))),
            None if self.hurry.interrupted() => Err(Stop::Interrupted),
            None => Err(Stop::Never(format!("the prompt of {name} does not open"))),
        }
    }

    /// Waits until the prompt of an actor is on the screen, or has closed meanwhile.
    pub(super) fn on_screen(&mut self, actor: ActorId) -> Result<(), Stop> {
        let name = self.view.name(actor);
        let path = self.grown.path(&name).map_err(|error| Stop::Stage(error.to_string()))?;
        let editor = self.view.config.policy.reader == Reader::Root;
        let begun = Instant::now();
        loop {
            let shown = self.grown.stage.shows(GLANCE, |screen| {
                let (row, _) = screen.cursor_position();
                let line = screen.contents_between(row, 0, row, screen.size().1);
                // The terminal's own echo of Ctrl-C stays behind the prompt.
                let text = screen.contents();
                let anywhere = text.lines().any(|one| one.starts_with(&path) && one.contains('>'));
                match editor {
                    true => line.starts_with(&path) && line.trim_end().ends_with('>'),
                    false => anywhere,
                }
            });
            self.look();
            let open = self.view.member(actor).is_some_and(|member| member.prompt().is_some());
            if shown || !open {
                return Ok(());
            }
            if begun.elapsed() > self.hurry.limit {
                let dump = self.grown.stage.dump();
                return Err(Stop::Stage(format!("failed to see the prompt of {name}\n{dump}")));
            }
        }
    }

    /// Says something at the prompt of an actor, and waits until a prompt has closed for it.
    pub(super) fn answer(&mut self, actor: ActorId, answer: Answer) -> Result<(), Stop> {
        let word = match answer {
            Answer::Continue => "continue",
            Answer::Quit => "quit",
            Answer::Hangup => return Err(Stop::NotStaged("a hangup as an answer".to_owned())),
        };
        self.look();
        let open: Vec<_> = self
            .view
            .prompts()
            .filter_map(|one| Some((one, self.view.member(one)?.prompt()?)))
            .collect();
        self.say(format!("`{word}` is typed at the prompt of {}", self.view.name(actor)));
        self.grown.stage.type_line(word).map_err(|error| Stop::Stage(error.to_string()))?;
        let closed = self.wait(self.hurry.limit, |view| {
            let closed = |(one, request): &(ActorId, _)| {
                view.member(*one).and_then(Member::prompt) != Some(*request)
            };
            open.iter().any(closed).then_some(())
        });
        match closed {
            Some(()) => Ok(()),
            None => Err(Stop::Deaf(self.view.name(actor))),
        }
    }

    fn until(&mut self, condition: Condition) -> Result<(), Stop> {
        let what = match condition {
            Condition::PromptOpen(actor) => return self.await_prompt(actor),
            Condition::Running(actor) => {
                self.release(actor)?;
                "running"
            }
            Condition::Waiting(_) => "waiting",
            Condition::NoPrompt => "no prompt",
            Condition::Ended(_) => "ended",
            Condition::Cancelled(_) => "cancelled",
            Condition::TearingDown(_) => "tearing down",
            Condition::Quiet => "quiet",
        };
        let met = self.wait_while_it_moves(|view| {
            let met = match condition {
                Condition::PromptOpen(_) => true,
                Condition::Waiting(actor) => view.member(actor).is_some_and(Member::waits),
                Condition::NoPrompt => !view.outstanding(),
                Condition::Ended(actor) => !view.runs(actor),
                Condition::Cancelled(actor) => view.member(actor).is_some_and(Member::told),
                Condition::TearingDown(actor) => view.member(actor).is_some_and(|member| {
                    !matches!(member.node.teardown(), Teardown::NotAsked | Teardown::Deferred(_))
                }),
                Condition::Running(actor) => view.member(actor).is_some(),
                Condition::Quiet => view.quiet(),
            };
            met.then_some(())
        });
        match met {
            Some(()) => Ok(()),
            None if self.hurry.interrupted() => Err(Stop::Interrupted),
            None => Err(Stop::Never(format!("it does not come to `{what}`"))),
        }
    }
}

/// Whether everybody of these has taken one more SIGINT, or is gone.
fn taken(view: &View<'_>, before: &[(ActorId, u32)]) -> Option<()> {
    let took = |(actor, count): &(ActorId, u32)| {
        !view.runs(*actor) || view.member(*actor).is_some_and(|one| one.interrupts > *count)
    };
    before.iter().all(took).then_some(())
}

/// Whether somebody took a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Took {
    Yes,
    No,
}

/// How long the screen is looked at before the actors are.
const GLANCE: Duration = Duration::from_millis(200);

/// How long an actor may take to boot that may also be dead.
const BOOT: Duration = Duration::from_millis(1000);

/// Ctrl-C.
const KEY: &[u8] = b"\x03";

/// How often a key is typed that nobody has taken.
const TRIES: u32 = 5;
const ISIG: u32 = nix::libc::ISIG;
