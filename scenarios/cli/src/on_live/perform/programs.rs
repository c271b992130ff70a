//! What programs do that know nothing of the tree, and what the person does to them.

use super::{Halt, Live};
use crate::on_live::mirrored_actor::MirroredActor;
use crate::on_live::view::View;
use holdfast_check::property::PropertyId;
use holdfast_protocol::ActorId;
use holdfast_protocol::policy::TerminalReader;
use holdfast_testkit::process::{RunState, foreground_group};
use holdfast_testkit::{Instruction, ProcessInfo};
use std::time::{Duration, Instant};

impl Live<'_> {
    /// Whether an actor is the host of a program.
    pub(in crate::on_live) fn hosts(&self, actor: ActorId) -> bool {
        self.view.config.tree.program_of(actor).is_some()
    }

    fn host_of(&self, program: ActorId) -> ActorId {
        self.view.config.tree.supervisor(program).unwrap_or(ActorId(0))
    }

    /// The program reads: its host asks for it, or it is in the foreground already.
    pub(super) fn read(&mut self, program: ActorId) -> Result<(), Halt> {
        let host = self.host_of(program);
        self.say(format!("{} reads its terminal", self.view.name(program)));
        let before = self.view.mirror(host).map_or(0, |mirror| mirror.requests);
        let hosted = self.reader() == TerminalReader::Root;
        self.instruct(program, Instruction::ReadLine {})?;
        self.effect("the read", |view| {
            let asked = view.mirror(host).is_none_or(|mirror| {
                mirror.requests > before || mirror.prompt().is_some() || mirror.told()
            });
            let reads = view.program(program).is_none_or(|program| program.reads);
            (reads && (asked || !hosted) || !view.runs(program)).then_some(())
        })
    }

    fn reader(&self) -> TerminalReader {
        self.view.config.policy.reader
    }

    /// Types a line to the program, which gets it whole.
    pub(in crate::on_live) fn type_to(&mut self, program: ActorId) -> Result<(), Halt> {
        self.await_foreground(program)?;
        let reads = |view: &View<'_>| {
            let reads = view.program(program).is_none_or(|program| program.reads);
            (reads || !view.runs(program)).then_some(())
        };
        self.effect("the read", reads)?;
        let before = self.view.program(program).map_or(0, |program| program.lines.len());
        let line = format!("line {} of {}", before + 1, self.view.name(program));
        self.say(format!("`{line}` is typed"));
        self.grown.stage.type_line(&line).map_err(|error| Halt::Stage(error.to_string()))?;
        let hosted = self.reader() == TerminalReader::Root;
        self.effect("a typed line", |view| {
            let read = view.program(program).and_then(|program| program.lines.get(before));
            // Where all programs read one terminal, any of them gets it.
            let other = view.programs().any(|(_, one)| one.lines.contains(&line));
            (read == Some(&line) || (other && !hosted) || !view.runs(program)).then_some(())
        })
    }

    /// The person has the next one have its turn.
    pub(super) fn take_back(&mut self, program: ActorId) -> Result<(), Halt> {
        self.await_foreground(program)?;
        self.say(format!("the terminal is taken back from {}", self.view.name(program)));
        let host = self.host_of(program);
        let open = self.view.mirror(host).and_then(MirroredActor::prompt);
        self.grown.stage.write(NEXT).map_err(|error| Halt::Stage(error.to_string()))?;
        self.effect("the end of the turn", |view| {
            let now = view.mirror(host).and_then(MirroredActor::prompt);
            (now != open).then_some(())
        })
    }

    /// The host gives the terminal back, since its program does not read and somebody waits.
    pub(super) fn given_back(&mut self, host: ActorId) -> Result<(), Halt> {
        self.say(format!("{} gives the terminal back", self.view.name(host)));
        self.effect("the end of the turn", |view| {
            let open = view.mirror(host).and_then(MirroredActor::prompt);
            open.is_none().then_some(())
        })
    }

    /// The program ends of itself.
    pub(super) fn exit(&mut self, program: ActorId) -> Result<(), Halt> {
        self.say(format!("{} ends", self.view.name(program)));
        self.instruct(program, Instruction::Finish {})?;
        self.effect("the end of a program", |view| (!view.runs(program)).then_some(()))
    }

    /// The person serves a program that has the terminal: types what it reads, and lets it end if
    /// nobody else waits.
    pub(in crate::on_live) fn serve(&mut self, host: ActorId) -> Result<(), Halt> {
        let Some(program) = self.view.config.tree.program_of(host) else { return Ok(()) };
        let open = self.view.mirror(host).and_then(MirroredActor::prompt);
        if self.view.runs(program) {
            self.await_foreground(program)?;
            self.look_at_programs();
            if self.view.program(program).is_some_and(|program| program.reads) {
                self.type_to(program)?;
            } else if !self.view.somebody_waits() {
                self.exit(program)?;
            }
        }
        // Who has the terminal, and is not waited for, keeps it.
        let closed = self.wait(self.time_outs.limit, |view| {
            let now = view.mirror(host).and_then(MirroredActor::prompt);
            let keeps = view.runs(program) && !view.somebody_waits();
            (now != open || keeps).then_some(())
        });
        closed.ok_or_else(|| Halt::Deaf(self.view.name(host)))
    }

    /// Waits until the kernel has stopped a program that reads.
    pub(super) fn await_stopped(&mut self, program: ActorId) -> Result<(), Halt> {
        self.await_process(program, "stopped", |info| info.state == RunState::Stopped)
    }

    /// Waits until a program has the foreground of its terminal.
    pub(super) fn await_foreground(&mut self, program: ActorId) -> Result<(), Halt> {
        self.await_process(program, "in the foreground", has_foreground)?;
        // The process table is ahead of what the host tells.
        let host = self.host_of(program);
        let hosted = self.reader() == TerminalReader::Root;
        let known = |view: &View<'_>| {
            let open = view.mirror(host).is_none_or(|mirror| mirror.prompt().is_some());
            (open || !hosted || !view.runs(host)).then_some(())
        };
        let _ = self.wait(self.time_outs.limit, known);
        Ok(())
    }

    /// Waits for what no event tells; not longer than something still happens.
    fn await_process(
        &mut self,
        program: ActorId,
        what: &str,
        is: impl Fn(&ProcessInfo) -> bool,
    ) -> Result<(), Halt> {
        let begun = Instant::now();
        let name = self.view.name(program);
        loop {
            self.look();
            let pid = self.view.program(program).map_or(0, |program| program.pid);
            match ProcessInfo::read(pid.cast_signed()) {
                Ok(info) if is(&info) => return Ok(()),
                Ok(info) if info.state != RunState::Zombie => {}
                Ok(_) | Err(_) => return Err(Halt::Never(format!("{name} is gone"))),
            }
            if self.time_outs.interrupted() {
                return Err(Halt::Interrupted);
            }
            if begun.elapsed() > self.time_outs.limit {
                return Err(Halt::Never(format!("{name} is never {what}")));
            }
            let _ = self.wait::<()>(GLANCE, |_| None);
        }
    }

    /// Looks who has the keys: no two programs have them at once, and none beside a prompt.
    pub(in crate::on_live) fn look_at_programs(&mut self) {
        self.look();
        let reader = self.reader();
        let has =
            |pid: u32| ProcessInfo::read(pid.cast_signed()).is_ok_and(|info| has_foreground(&info));
        let at_keys = || {
            let programs = self.view.programs();
            programs.filter(move |(_, program)| match reader {
                TerminalReader::Root => has(program.pid),
                TerminalReader::Holder => program.reads && has(program.pid),
            })
        };
        // One after the other: who still has them when another one does, has them beside it.
        let first: Vec<_> = at_keys().map(|(actor, _)| actor).collect();
        let [one, other, ..] = first.as_slice() else { return };
        let again: Vec<_> = at_keys().map(|(actor, _)| actor).collect();
        if again.contains(one) && again.contains(other) {
            let (one, other) = (self.view.name(*one), self.view.name(*other));
            let said = format!("{one} and {other} have the keys together");
            self.seen.entry(PropertyId::OnePrompt).or_insert(said);
        }
    }

    /// The program that has the keys; none if an actor is at its own prompt, or nobody.
    pub(super) fn program_at_keys(&self) -> Option<ActorId> {
        let hosts = self.view.prompts().filter(|actor| self.hosts(*actor));
        let mut programs = hosts.filter_map(|host| self.view.config.tree.program_of(host));
        programs.find(|program| self.view.runs(*program))
    }

    /// Ctrl-C is a key of the program that has them.
    pub(super) fn interrupt_program(&mut self, program: ActorId) -> Result<(), Halt> {
        self.await_foreground(program)?;
        let before = self.view.program(program).map_or(0, |program| program.interrupts);
        self.grown.stage.ctrl_c().map_err(|error| Halt::Stage(error.to_string()))?;
        self.effect("Ctrl-C at a program", |view| {
            let took = view.program(program).is_none_or(|program| program.interrupts > before);
            (took || !view.runs(program)).then_some(())
        })
    }
}

fn has_foreground(info: &ProcessInfo) -> bool {
    foreground_group(info.pid).ok().flatten() == Some(info.group)
}

/// Ctrl-] opens the root's menu, and `n` lets the next one have its turn.
const NEXT: &[u8] = b"\x1dn";

/// How long the events are looked at before the process is.
const GLANCE: Duration = Duration::from_millis(20);
