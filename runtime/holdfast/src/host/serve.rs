//! The loop of a host: the program, its terminal, its turns.

use super::hooks::{self, HookEvent, HookHandle, HookId, SOCKET_VARIABLE};
use super::leftovers;
use super::lines::{self, LabelledLines};
use super::order::{Begins, HostCommand, HostReport, HostedProgram, PersonTerminal, ProgramEnd};
use super::program;
use super::pseudo_terminal::PseudoTerminal;
use super::turn::{Turn, TurnEvent, TurnId, TurnOwner};
use crate::context::Context;
use crate::error::{RuntimeError, failed};
use crate::process::become_subreaper;
use nix::sys::signal::Signal;
use nix::unistd::{Pid, getppid};
use std::collections::{BTreeMap, VecDeque};
use std::os::fd::OwnedFd;
use std::sync::Arc;
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
    /// A process asks by itself, or has released its turn.
    Hook(HookId, HookEvent),
}

/// Whether the loop goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    GoOn,
    Ended,
}

/// A host.
pub(super) struct Host<'c> {
    pub(super) context: &'c Context,
    pub(super) program: HostedProgram,
    pub(super) terminal: Option<Arc<PseudoTerminal>>,
    pub(super) events: UnboundedSender<HostEvent>,
    pub(super) turns: BTreeMap<TurnId, Turn>,
    pub(super) next_turn: TurnId,
    /// Processes that have asked by themselves.
    pub(super) hooks: BTreeMap<HookId, (String, HookHandle)>,
    /// The program's process group, once it runs.
    pub(super) group: Option<Pid>,
    /// Groups that were stopped because they read.
    pub(super) stopped: VecDeque<Pid>,
    /// The group that had the terminal when it was taken back.
    pub(super) resumes: Option<Pid>,
    pub(super) lines: LabelledLines,
    /// When the person last typed something.
    pub(super) typed: Instant,
    /// How often in a row the program was seen to do something else than to read.
    pub(super) busy: u32,
    pub(super) end: Option<ProgramEnd>,
    /// What was reported last.
    pub(super) state: HostReport,
    /// Whether the root was told that a key has stopped the program.
    pub(super) suspended: bool,
    /// Whether the program is to have the terminal again once nobody else asks here.
    pub(super) due: bool,
}

/// Hosts a program until nothing of it is left.
pub(super) async fn serve(
    context: &Context,
    mut program: HostedProgram,
) -> Result<(), RuntimeError> {
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
    let socket = hooks::listen(events.clone()).map_err(failed("listen for hooks"))?;
    program.variables.push((SOCKET_VARIABLE.into(), socket.into()));
    let mut host = Host {
        context,
        program,
        terminal,
        events,
        turns: BTreeMap::new(),
        next_turn: 0,
        hooks: BTreeMap::new(),
        group: None,
        stopped: VecDeque::new(),
        resumes: None,
        lines: LabelledLines::new(label),
        typed: Instant::now(),
        busy: 0,
        end: None,
        state: HostReport::Rests,
        suspended: false,
        due: false,
    };
    let end = match host.begin(&mut queue).await {
        Ok(()) => host.attend(&mut queue).await?,
        Err(end) => end,
    };
    host.hooks.clear();
    leftovers::end(grace).await;
    host.drain_all();
    lines::write(&host.lines.finish());
    host.report(HostReport::Ended(end)).await;
    Ok(())
}

impl Host<'_> {
    /// Starts the program, with the terminal if it begins with it.
    async fn begin(&mut self, queue: &mut UnboundedReceiver<HostEvent>) -> Result<(), ProgramEnd> {
        let mut begins = Begins::WithoutTerminal;
        if self.terminal.is_some() && self.program.begins == Begins::WithTerminal {
            self.ask(TurnOwner::Program);
            while !self.turns.is_empty() && begins == Begins::WithoutTerminal {
                if let Some(HostEvent::Turn(turn, event)) = queue.recv().await {
                    self.turn_event(turn, event);
                }
                if self.turns.values().any(Turn::runs) {
                    begins = Begins::WithTerminal;
                }
            }
        }
        let command = program::command(&self.program, self.terminal.as_deref(), begins);
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
        let (mut watches, mut hears) = (true, true);
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
                command = self.context.receive::<HostCommand>(), if hears => match command {
                    Ok(Some(HostCommand::Signal(signal))) => self.signal(signal),
                    Ok(None) | Err(_) => hears = false,
                },
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
            HostEvent::Hook(hook, event) => self.hook_event(hook, event),
        }
        self.report_state().await;
        After::GoOn
    }

    /// Says who has the terminal and who waits, if that is new.
    async fn report_state(&mut self) {
        let state = match self.turns.values() {
            turns if turns.clone().any(Turn::runs) => HostReport::Has,
            turns if turns.len() > 0 => HostReport::Asks,
            _ => HostReport::Rests,
        };
        if self.state != state {
            self.state = state.clone();
            self.report(state).await;
        }
    }

    async fn report(&self, report: HostReport) {
        // A supervisor that is gone hears nothing.
        let _ = self.context.send(&report).await;
    }

    /// Asks for a turn. What was written before is shown before: the root may stop at once, where
    /// its terminal is another job's.
    pub(super) fn ask(&mut self, owner: TurnOwner) {
        self.drain_all();
        let number = self.next_turn;
        self.next_turn += 1;
        let wrap = move |event| HostEvent::Turn(number, event);
        self.turns.insert(number, Turn::ask(owner, &self.events, wrap));
    }

    /// Asks for the program, unless it has asked already.
    pub(super) fn ask_for_program(&mut self) {
        if !self.turns.values().any(|turn| turn.owner == TurnOwner::Program) {
            self.ask(TurnOwner::Program);
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
    pub(super) fn drain_all(&mut self) {
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
