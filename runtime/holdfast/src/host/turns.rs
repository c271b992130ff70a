//! The turns of a host: who asks, who has the terminal, and when it is taken back.

use super::hooks::{HookAnswer, HookEvent, HookId};
use super::order::Begins;
use super::placeholder::Placeholder;
use super::reading::waits_for_keys;
use super::serve::{Host, HostEvent};
use super::turn::{TurnEvent, TurnId, TurnOwner, TurnStage};
use crate::event::Resumed;
use crate::session::{Afterwards, Announced, PromptCommand, Reply};
use holdfast_protocol::Answer;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, getpgid};
use std::time::Duration;
use tokio::time::Instant;

impl Host<'_> {
    pub(super) fn was_stopped(&mut self, pid: Pid, signal: Signal) {
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
            // The whole group stops, and each child of this process in it is told of.
            Signal::SIGTSTP if has_it && !self.suspended => {
                self.suspended = true;
                self.drain_all();
                if let Some(turn) = self.turns.values().find(|turn| turn.runs()) {
                    let _ = turn.say(Reply::Stopped);
                }
            }
            _ => {}
        }
    }

    pub(super) fn turn_event(&mut self, number: TurnId, event: TurnEvent) {
        let Some(turn) = self.turns.get_mut(&number) else {
            // The terminal comes too late.
            if let TurnEvent::Granted(_, end) = event {
                end(Answer::Continue);
            }
            return;
        };
        match event {
            TurnEvent::Granted(socket, end) => {
                let (announced, path) = match (turn.owner, self.program.begins) {
                    (TurnOwner::Hook(hook), begins) => {
                        let name = self.hooks.get(&hook).map_or("a hook", |(name, _)| name);
                        let path = match begins {
                            // There is no other program whose name would tell them apart.
                            Begins::WithTerminal => name.to_owned(),
                            Begins::WithoutTerminal => format!("{}/{name}", self.context.path()),
                        };
                        (Announced::Yes, path)
                    }
                    (TurnOwner::Program, Begins::WithTerminal) => {
                        (Announced::No, self.context.path().to_owned())
                    }
                    (TurnOwner::Program, Begins::WithoutTerminal) => {
                        (Announced::Yes, self.context.path().to_owned())
                    }
                };
                let wrap = move |event| HostEvent::Turn(number, event);
                let terminal = self.terminal.as_ref();
                turn.greet(&path, announced, terminal, (socket, end), &self.events, wrap);
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
            PromptCommand::Continue => {
                if let Some(TurnOwner::Hook(hook)) = self.turns.get(&number).map(|turn| turn.owner)
                {
                    self.tell_hook(hook, HookAnswer::Nobody);
                }
                self.give_back(number, Afterwards::Background);
            }
            PromptCommand::Quit
            | PromptCommand::Keys(_)
            | PromptCommand::Where
            | PromptCommand::List { .. }
            | PromptCommand::Backtrace { .. }
            | PromptCommand::Locals
            | PromptCommand::Names
            | PromptCommand::Print { .. }
            | PromptCommand::Log { .. }
            | PromptCommand::Attach { .. }
            | PromptCommand::Detach => {}
        }
    }

    /// The terminal is this turn's: from now on, or again after a stop.
    fn has_terminal(&mut self, number: TurnId, rows: u16, columns: u16) {
        let (Some(terminal), Some(turn)) = (self.terminal.clone(), self.turns.get_mut(&number))
        else {
            return;
        };
        terminal.resize(rows, columns);
        self.suspended = false;
        if !turn.run() {
            // Told once more: what a key has stopped goes on.
            return terminal.foreground().into_iter().for_each(go_on);
        }
        (self.typed, self.busy) = (Instant::now(), 0);
        turn.show(&self.lines.take_partial());
        let group = match turn.owner {
            TurnOwner::Hook(hook) => self.answer_hook(hook),
            TurnOwner::Program => self.stopped.pop_front().or(self.resumes.take()).or(self.group),
        };
        if let Some(group) = group {
            terminal.give_to(group);
            go_on(group);
        }
    }

    /// Gives the terminal back, and asks for it again if the program is to have it.
    fn give_back(&mut self, number: TurnId, afterwards: Afterwards) {
        self.drain_all();
        let Some(mut turn) = self.turns.remove(&number) else { return };
        if let Some(terminal) = &self.terminal
            && turn.runs()
        {
            if turn.owner == TurnOwner::Program {
                self.resumes = terminal.foreground().or(self.group);
            }
            terminal.take_back();
        }
        turn.end(Answer::Continue);
        drop(turn);
        match afterwards {
            Afterwards::Background => self.resumes.into_iter().for_each(go_on),
            Afterwards::Queue => self.due |= self.program.begins == Begins::WithTerminal,
        }
        if !self.stopped.is_empty() || (self.due && self.turns.is_empty()) {
            self.due = false;
            self.ask_for_program();
        }
    }

    /// Passes a signal on to the program and its group.
    pub(super) fn signal(&self, signal: i32) {
        let Some(program) = self.group else { return };
        send(-program.as_raw(), signal);
        // In its turn a program may be in another group.
        if getpgid(Some(program)).is_ok_and(|group| group != program) {
            send(program.as_raw(), signal);
        }
    }

    pub(super) fn hook_event(&mut self, hook: HookId, event: HookEvent) {
        match event {
            HookEvent::Asks(name, handle) => {
                self.hooks.insert(hook, (name, handle));
                self.ask(TurnOwner::Hook(hook));
            }
            HookEvent::Gone => {
                let owner = TurnOwner::Hook(hook);
                let turn = self.turns.iter().find(|(_, turn)| turn.owner == owner);
                if let Some(number) = turn.map(|(number, _)| *number) {
                    self.give_back(number, Afterwards::Queue);
                }
                self.hooks.remove(&hook);
            }
        }
    }

    /// Lets a hook have the terminal, in a group of its own, which is returned.
    fn answer_hook(&mut self, hook: HookId) -> Option<Pid> {
        let terminal = self.terminal.as_ref()?.name();
        let (_, handle) = self.hooks.get_mut(&hook)?;
        let group = Placeholder::make().ok()?;
        let number = group.group();
        handle.group = Some(group);
        self.tell_hook(hook, HookAnswer::Granted(number.as_raw(), terminal));
        Some(number)
    }

    fn tell_hook(&mut self, hook: HookId, answer: HookAnswer) {
        let handle = self.hooks.get_mut(&hook);
        if let Some(to) = handle.and_then(|(_, handle)| handle.answer.take()) {
            // One that is gone is heard of in another way.
            let _ = to.send(answer);
        }
    }

    /// A request is over.
    fn over(&mut self, number: TurnId, how: Resumed) {
        let Some(mut turn) = self.turns.remove(&number) else { return };
        let had_it = matches!(turn.stage, TurnStage::Runs(..));
        turn.end(Answer::Continue);
        if let TurnOwner::Hook(hook) = turn.owner {
            self.hooks.remove(&hook);
        }
        if let (Some(terminal), true) = (&self.terminal, had_it) {
            terminal.take_back();
        }
        tracing::debug!(target: "holdfast", ?how, "a turn at the terminal is over");
    }

    /// How soon it is to be seen whether the program still reads, if anybody wants to know.
    pub(super) fn doubt(&self) -> Option<Duration> {
        let turn = self.turns.values().find(|turn| turn.runs());
        match turn {
            Some(turn) => (turn.waiting > 0).then_some(LOOK_AT_HOLDER),
            // A shell that lost the terminal takes it by itself when its job has ended; and who
            // waited for keys already when it lost it is stopped by nothing.
            None => (self.resumes.is_some() && self.turns.is_empty()).then_some(LOOK_AT_SHELL),
        }
    }

    pub(super) fn look(&mut self) {
        let Some(terminal) = self.terminal.clone() else { return };
        let running = self.turns.iter().find(|(_, turn)| turn.runs()).map(|(number, _)| *number);
        let foreground = terminal.foreground();
        let Some(number) = running else {
            let had = self.resumes.map(Pid::as_raw);
            let reads = had.is_some_and(|group| waits_for_keys(group, terminal.device()));
            if foreground.is_some() || reads {
                self.ask_for_program();
            }
            return;
        };
        let reads =
            foreground.is_some_and(|group| waits_for_keys(group.as_raw(), terminal.device()));
        self.busy = if reads { 0 } else { self.busy + 1 };
        let patience = match self.turns.get(&number).map(|turn| turn.owner) {
            // It says itself when its turn is over.
            Some(TurnOwner::Hook(_)) => HOOK_THINKING,
            Some(TurnOwner::Program) | None => THINKING,
        };
        if self.busy >= SURE && self.typed.elapsed() >= patience {
            self.give_back(number, Afterwards::Queue);
        }
    }
}

/// Sends a signal by number, which nix has no name for if it is one of the real-time signals.
fn send(to: i32, signal: i32) {
    // SAFETY: kill(2) touches no memory.
    unsafe { libc::kill(to, signal) };
}

/// Lets a stopped group go on.
fn go_on(group: Pid) {
    let _ = killpg(group, Signal::SIGCONT);
}

/// How often a program that has the terminal while another waits is looked at.
const LOOK_AT_HOLDER: Duration = Duration::from_millis(50);

/// How often a program that the terminal was taken from is looked at.
const LOOK_AT_SHELL: Duration = Duration::from_millis(250);

/// How often in a row it must be seen not to read.
const SURE: u32 = 3;

/// How long it may work on what was typed.
const THINKING: Duration = Duration::from_millis(500);

/// How long who has asked by itself may.
const HOOK_THINKING: Duration = Duration::from_secs(10);
