//! The loop of a host: the program, its terminal, its turns.

use super::leftovers;
use super::lines::{self, LabelledLines};
use super::order::{Begins, HostReport, HostedProgram, PersonTerminal, ProgramEnd};
use super::program::{self, Start};
use super::pseudo_terminal::PseudoTerminal;
use super::reading::waits_for_keys;
use super::turn::{Turn, TurnEvent, TurnId, TurnOwner, TurnStage};
use crate::context::Context;
use crate::error::{RuntimeError, failed};
use crate::event::Resumed;
use crate::process::become_subreaper;
use crate::session::{Afterwards, Announced, PromptCommand, Reply};
use holdfast_protocol::Answer;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, getpgid, getppid};
use std::collections::{BTreeMap, VecDeque};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

/// What wakes a host.
pub(super) enum HostEvent {
    /// The program has ended.
    Ended(ProgramEnd),
    /// A process was stopped.
    Stopped(Pid, Signal),
    /// Something happened to a turn.
    Turn(TurnId, TurnEvent),
}

/// Whether the loop goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    GoOn,
    Ended,
}

/// A host.
struct Host<'c> {
    context: &'c Context,
    program: HostedProgram,
    terminal: Option<Arc<PseudoTerminal>>,
    events: UnboundedSender<HostEvent>,
    turns: BTreeMap<TurnId, Turn>,
    next_turn: TurnId,
    /// The program's process group, once it runs.
    group: Option<Pid>,
    /// Groups that were stopped because they read.
    stopped: VecDeque<Pid>,
    /// The group that had the terminal when it was taken back.
    resumes: Option<Pid>,
    lines: LabelledLines,
    /// When the person last typed something.
    typed: Instant,
    /// How often in a row the program was seen to do something else than to read.
    busy: u32,
    end: Option<ProgramEnd>,
}

/// Hosts a program until nothing of it is left.
pub(super) async fn serve(context: &Context, program: HostedProgram) -> Result<(), RuntimeError> {
    become_subreaper()?;
    let terminal = match &program.terminal {
        Some(terminal) => {
            let made = PseudoTerminal::make(&terminal.shape);
            Some(Arc::new(made.map_err(failed("make a pseudo-terminal"))?))
        }
        None => None,
    };
    let (events, mut queue) = unbounded_channel();
    let (label, grace) = (program.label.clone(), program.grace);
    let mut host = Host {
        context,
        program,
        terminal,
        events,
        turns: BTreeMap::new(),
        next_turn: 0,
        group: None,
        stopped: VecDeque::new(),
        resumes: None,
        lines: LabelledLines::new(label),
        typed: Instant::now(),
        busy: 0,
        end: None,
    };
    let end = match host.begin(&mut queue).await {
        Ok(()) => host.attend(&mut queue).await?,
        Err(end) => end,
    };
    host.turns.clear();
    leftovers::end(grace).await;
    host.drain_all();
    lines::write(&host.lines.finish());
    host.report(HostReport::Ended(end)).await;
    Ok(())
}

impl Host<'_> {
    /// Starts the program, with the terminal if it begins with it.
    async fn begin(&mut self, queue: &mut UnboundedReceiver<HostEvent>) -> Result<(), ProgramEnd> {
        let mut start = Start::Background;
        if self.terminal.is_some() && self.program.begins == Begins::WithTerminal {
            self.ask(TurnOwner::Program);
            while !self.turns.is_empty() && start == Start::Background {
                if let Some(HostEvent::Turn(turn, event)) = queue.recv().await {
                    self.turn_event(turn, event);
                }
                if self.turns.values().any(Turn::runs) {
                    start = Start::Foreground;
                }
            }
        }
        let command = program::command(&self.program, self.terminal.as_deref(), start);
        let command = command.map_err(|error| ProgramEnd::NotStarted(error.to_string()))?;
        let started = self.context.spawn_hosted(command).await;
        let portal = started.map_err(|error| program::not_started(&self.program, &error))?;
        self.group = i32::try_from(portal.pid()).ok().map(Pid::from_raw);
        let to = self.events.clone();
        let _ = program::watch_stops(move |pid, signal| {
            let _ = to.send(HostEvent::Stopped(pid, signal));
        });
        self.report(HostReport::Started(portal.pid())).await;
        let to = self.events.clone();
        tokio::task::spawn_local(async move {
            let end = portal.result().await.unwrap_or(ProgramEnd::Unknown);
            let _ = to.send(HostEvent::Ended(end));
        });
        Ok(())
    }

    /// Serves the program until it has ended.
    async fn attend(
        &mut self,
        queue: &mut UnboundedReceiver<HostEvent>,
    ) -> Result<ProgramEnd, RuntimeError> {
        let mut orphaned = Box::pin(orphaned(self.context, getppid()));
        let mut watches = true;
        let master = self.terminal.as_ref().map(|one| watch(one)).transpose();
        let master = master.map_err(failed("watch a terminal"))?;
        loop {
            let doubt = self.doubt();
            let output = async {
                match &master {
                    Some(master) => master.readable().await,
                    None => std::future::pending().await,
                }
            };
            let looks_again = async {
                match doubt {
                    Some(after) => tokio::time::sleep(after).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                Some(event) = queue.recv() => {
                    if self.take(event).await == After::Ended {
                        self.drain_all();
                        self.turns.clear();
                        return Ok(self.end.take().unwrap_or(ProgramEnd::Unknown));
                    }
                }
                ready = output => {
                    if let (Drained::All, Ok(mut ready)) = (self.drain(), ready) {
                        ready.clear_ready();
                    }
                }
                () = looks_again => self.look(),
                () = &mut orphaned, if watches => {
                    watches = false;
                    self.program.terminal.iter().for_each(PersonTerminal::put_back);
                }
            }
        }
    }

    async fn take(&mut self, event: HostEvent) -> After {
        match event {
            HostEvent::Ended(end) => {
                self.end = Some(end);
                return After::Ended;
            }
            HostEvent::Stopped(pid, signal) => self.was_stopped(pid, signal),
            HostEvent::Turn(turn, event) => self.turn_event(turn, event),
        }
        After::GoOn
    }

    async fn report(&self, report: HostReport) {
        // A supervisor that is gone hears nothing.
        let _ = self.context.send(&report).await;
    }

    fn ask(&mut self, owner: TurnOwner) {
        let number = self.next_turn;
        self.next_turn += 1;
        let wrap = move |event| HostEvent::Turn(number, event);
        self.turns.insert(number, Turn::ask(owner, &self.events, wrap));
    }

    /// Asks for the program, unless it has asked already.
    fn ask_for_program(&mut self) {
        if !self.turns.values().any(|turn| turn.owner == TurnOwner::Program) {
            self.ask(TurnOwner::Program);
        }
    }

    fn was_stopped(&mut self, pid: Pid, signal: Signal) {
        let Some(terminal) = self.terminal.clone() else { return };
        let Ok(group) = getpgid(Some(pid)) else { return };
        let at_it = self.turns.values().find(|turn| turn.runs());
        let has_it = at_it.is_some() && terminal.foreground() == Some(group);
        match signal {
            Signal::SIGTTIN | Signal::SIGTTOU if has_it => go_on(group),
            Signal::SIGTTIN | Signal::SIGTTOU => {
                if !self.stopped.contains(&group) {
                    self.stopped.push_back(group);
                }
                self.ask_for_program();
            }
            Signal::SIGTSTP if has_it => {
                self.drain_all();
                if let Some(turn) = self.turns.values().find(|turn| turn.runs()) {
                    let _ = turn.say(Reply::Stopped);
                }
            }
            _ => {}
        }
    }

    fn turn_event(&mut self, number: TurnId, event: TurnEvent) {
        let Some(turn) = self.turns.get_mut(&number) else {
            // The terminal comes too late.
            if let TurnEvent::Granted(_, end) = event {
                end(Answer::Continue);
            }
            return;
        };
        match event {
            TurnEvent::Granted(socket, end) => {
                let announced = match self.program.begins {
                    Begins::WithTerminal => Announced::No,
                    Begins::WithoutTerminal => Announced::Yes,
                };
                let wrap = move |event| HostEvent::Turn(number, event);
                let (path, terminal) = (self.context.path(), self.terminal.as_ref());
                turn.greet(path, announced, terminal, (socket, end), &self.events, wrap);
            }
            TurnEvent::Said(command) => self.told(number, command),
            TurnEvent::Typed => self.typed = Instant::now(),
            TurnEvent::HungUp => turn.end(Answer::Hangup),
            TurnEvent::Over(how) => self.over(number, how),
        }
    }

    fn told(&mut self, number: TurnId, command: PromptCommand) {
        match command {
            PromptCommand::Terminal { rows, columns } => self.has_terminal(number, rows, columns),
            PromptCommand::Waiting(count) => {
                if let Some(turn) = self.turns.get_mut(&number) {
                    turn.waiting = count;
                }
            }
            PromptCommand::Yield(afterwards) => self.give_back(number, afterwards),
            // Nobody is at the prompt.
            PromptCommand::Continue => self.give_back(number, Afterwards::Background),
            PromptCommand::Quit
            | PromptCommand::Keys(_)
            | PromptCommand::Where
            | PromptCommand::List { .. }
            | PromptCommand::Backtrace { .. }
            | PromptCommand::Locals
            | PromptCommand::Names
            | PromptCommand::Print { .. }
            | PromptCommand::Log { .. } => {}
        }
    }

    /// The terminal is this turn's: from now on, or again after a stop.
    fn has_terminal(&mut self, number: TurnId, rows: u16, columns: u16) {
        let (Some(terminal), Some(turn)) = (self.terminal.clone(), self.turns.get_mut(&number))
        else {
            return;
        };
        terminal.resize(rows, columns);
        if !turn.run() {
            // Told once more: what a key has stopped goes on.
            return terminal.foreground().into_iter().for_each(go_on);
        }
        (self.typed, self.busy) = (Instant::now(), 0);
        let group = match turn.owner {
            TurnOwner::Program => self.stopped.pop_front().or(self.resumes.take()).or(self.group),
        };
        turn.show(&self.lines.take_partial());
        if let Some(group) = group {
            terminal.give_to(group);
            go_on(group);
        }
    }

    /// Gives the terminal back, and asks for it again if the program is to have it.
    fn give_back(&mut self, number: TurnId, afterwards: Afterwards) {
        self.drain_all();
        let Some(mut turn) = self.turns.remove(&number) else { return };
        if let Some(terminal) = &self.terminal {
            if turn.owner == TurnOwner::Program {
                self.resumes = terminal.foreground().or(self.group);
            }
            terminal.take_back();
        }
        turn.end(Answer::Continue);
        drop(turn);
        match afterwards {
            Afterwards::Background => self.resumes.into_iter().for_each(go_on),
            Afterwards::Queue if self.program.begins == Begins::WithTerminal => {
                self.ask_for_program();
            }
            Afterwards::Queue => {}
        }
        if !self.stopped.is_empty() {
            self.ask_for_program();
        }
    }

    /// A request is over.
    fn over(&mut self, number: TurnId, how: Resumed) {
        let Some(mut turn) = self.turns.remove(&number) else { return };
        let had_it = matches!(turn.stage, TurnStage::Runs(..));
        turn.end(Answer::Continue);
        if let (Some(terminal), true) = (&self.terminal, had_it) {
            terminal.take_back();
        }
        tracing::debug!(target: "holdfast", ?how, "a turn at the terminal is over");
    }

    /// How soon it is to be seen whether the program still reads, if anybody wants to know.
    fn doubt(&self) -> Option<Duration> {
        let turn = self.turns.values().find(|turn| turn.runs());
        match turn {
            Some(turn) => {
                (turn.owner == TurnOwner::Program && turn.waiting > 0).then_some(LOOK_AT_HOLDER)
            }
            // A shell that lost the terminal takes it by itself when its job has ended.
            None => (self.resumes.is_some() && self.turns.is_empty()).then_some(LOOK_AT_SHELL),
        }
    }

    fn look(&mut self) {
        let Some(terminal) = self.terminal.clone() else { return };
        let running = self.turns.iter().find(|(_, turn)| turn.runs()).map(|(number, _)| *number);
        let foreground = terminal.foreground();
        let Some(number) = running else {
            if foreground.is_some() {
                self.ask_for_program();
            }
            return;
        };
        let reads =
            foreground.is_some_and(|group| waits_for_keys(group.as_raw(), terminal.device()));
        self.busy = if reads { 0 } else { self.busy + 1 };
        if self.busy >= SURE && self.typed.elapsed() >= THINKING {
            self.give_back(number, Afterwards::Queue);
        }
    }

    /// Passes on what the program has written.
    fn drain(&mut self) -> Drained {
        let Some(terminal) = &self.terminal else { return Drained::All };
        let output = terminal.read(MOST_AT_ONCE);
        match self.turns.values().find(|turn| turn.runs()) {
            Some(turn) => turn.show(&output),
            None => lines::write(&self.lines.add(&output)),
        }
        if output.len() < MOST_AT_ONCE { Drained::All } else { Drained::Some }
    }

    /// Passes on all that the program has written so far; not forever, if it goes on to write.
    fn drain_all(&mut self) {
        for _ in 0..MOST_DRAINED {
            if self.drain() == Drained::All {
                return;
            }
        }
    }
}

/// Returns when the root is gone without a word.
async fn orphaned(context: &Context, root: Pid) {
    context.cancelled().await;
    if getppid() == root {
        std::future::pending::<()>().await;
    }
}

/// Lets a stopped group go on.
fn go_on(group: Pid) {
    let _ = killpg(group, Signal::SIGCONT);
}

/// Whether there may be more output.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Drained {
    All,
    Some,
}

fn watch(terminal: &PseudoTerminal) -> std::io::Result<AsyncFd<OwnedFd>> {
    let master = terminal.master().try_clone_to_owned()?;
    // SAFETY: an `OwnedFd` owns its descriptor, and keeps it for as long as it lives.
    Ok(unsafe { AsyncFd::register(master) }?)
}

/// The most output that is taken before other things are looked at, in bytes.
const MOST_AT_ONCE: usize = 64 << 10;

/// How often that much is drained in a row.
const MOST_DRAINED: usize = 64;

/// How often a program that has the terminal while another waits is looked at.
const LOOK_AT_HOLDER: Duration = Duration::from_millis(50);

/// How often a program that the terminal was taken from is looked at.
const LOOK_AT_SHELL: Duration = Duration::from_millis(250);

/// How often in a row it must be seen not to read.
const SURE: u32 = 3;

/// How long it may work on what was typed.
const THINKING: Duration = Duration::from_millis(500);
