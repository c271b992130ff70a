//! The person at the terminal: Ctrl-C, and answers at prompts that are on the screen.

use super::{Halt, Live, Stepping};
use crate::conform::outside::Mark;
use crate::on_live::mirrored_actor::MirroredActor;
use crate::on_live::view::View;
use holdfast::recorder::now_ns;
use holdfast_check::world::EnvironmentAction;
use holdfast_protocol::Placement;
use holdfast_protocol::policy::TerminalReader;
use holdfast_protocol::{ActorId, Answer};
use nix::sys::termios::LocalFlags;
use std::time::{Duration, Instant};

impl Live<'_> {
    /// Types Ctrl-C: the root takes it, whether it comes as a signal or as a key; and if it was a
    /// signal to a shared group, everybody does.
    pub(in crate::on_live) fn ctrl_c(&mut self) -> Result<(), Halt> {
        if self.stepping == Stepping::Held {
            // The key throws away what is on its way to the screen (NOFLSH of termios(3)).
            let open: Vec<_> = self.view.prompts().collect();
            open.into_iter().try_for_each(|actor| self.on_screen(actor))?;
        }
        self.say("Ctrl-C is typed");
        if let Some(program) = self.program_at_keys() {
            return self.interrupt_program(program);
        }
        let signalled = |view: &View<'_>| match view.config.placement {
            Placement::SharedGroup => view.running().map(|(actor, _)| actor).collect(),
            Placement::OwnSession => vec![ActorId(0)],
        };
        let before: Vec<(ActorId, usize)> = signalled(&self.view)
            .into_iter()
            .filter_map(|actor| Some((actor, self.view.mirror(actor)?.interrupted())))
            .collect();
        if !self.view.runs(ActorId(0)) {
            self.say("nobody is there to take it");
            return self.typed(KEY);
        }
        let root = |(one, _): &&(ActorId, usize)| *one == ActorId(0);
        let root_before: Vec<_> = before.iter().filter(root).copied().collect();
        // A key that comes between two readers is dropped: who sees nothing types it again.
        for _ in 0..TRIES {
            let modes = self.grown.stage.modes().map_err(|error| Halt::Stage(error.to_string()))?;
            if !modes.local_flags.contains(LocalFlags::ISIG) {
                if self.key_to_editor()? == Took::Yes {
                    return Ok(());
                }
                continue;
            }
            let at_ns = now_ns();
            self.typed(KEY)?;
            let took = self.wait(self.time_outs.limit / TRIES, |view| taken(view, &root_before));
            if took.is_some() {
                // An actor that is frozen at a prompt may handle it much later.
                self.outside.actions.push(Mark { at_ns, action: EnvironmentAction::Interrupt });
                // With the root the group leaves the foreground.
                self.effect("Ctrl-C in the group", |view| {
                    let over = (!view.runs(ActorId(0))).then_some(());
                    over.or_else(|| taken(view, &before))
                })?;
                return self.die_booting();
            }
        }
        Err(Halt::NoEffect("Ctrl-C".to_owned()))
    }

    fn typed(&self, keys: &[u8]) -> Result<(), Halt> {
        self.grown.stage.write(keys).map_err(|error| Halt::Stage(error.to_string()))
    }

    /// Types Ctrl-C to the line editor, which says little: that it has taken it shows in the
    /// letter that is typed after it, and taken back.
    fn key_to_editor(&mut self) -> Result<Took, Halt> {
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

    /// Waits until the screen is like that, or no prompt is open any longer.
    fn sees(&mut self, what: &str, like: impl Fn(&vt100::Screen) -> bool) -> Result<Took, Halt> {
        let begun = Instant::now();
        loop {
            if self.grown.stage.shows(GLANCE, &like) {
                return Ok(Took::Yes);
            }
            self.look();
            if self.view.prompts().next().is_none() {
                return Ok(Took::No);
            }
            if begun.elapsed() > self.time_outs.limit {
                let dump = self.grown.stage.dump();
                return Err(Halt::Stage(format!("failed to see {what}\n{dump}")));
            }
        }
    }

    /// Waits for the prompt of an actor; says so if it cannot come any longer.
    pub(super) fn await_prompt(&mut self, actor: ActorId) -> Result<(), Halt> {
        self.release(actor)?;
        let open = self.wait_while_it_moves(|view| {
            let mirror = view.mirror(actor);
            let open = mirror.is_some_and(|mirror| mirror.prompt().is_some());
            let never = !view.runs(actor);
            (open || never).then_some(open)
        });
        let name = self.view.name(actor);
        match open {
            Some(true) => self.on_screen(actor),
            Some(false) => Err(Halt::Never(format!("{name} is gone, its prompt does not open"))),
            None if self.time_outs.interrupted() => Err(Halt::Interrupted),
            None => Err(Halt::Never(format!("the prompt of {name} does not open"))),
        }
    }

    /// Waits until the prompt of an actor is on the screen, or has closed meanwhile.
    pub(in crate::on_live) fn on_screen(&mut self, actor: ActorId) -> Result<(), Halt> {
        if self.hosts(actor) {
            return Ok(());
        }
        let name = self.view.name(actor);
        let path = self.grown.path(&name).map_err(|error| Halt::Stage(error.to_string()))?;
        let editor = self.view.config.policy.reader == TerminalReader::Root;
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
            let open = self.view.mirror(actor).is_some_and(|mirror| mirror.prompt().is_some());
            if shown || !open {
                return Ok(());
            }
            if begun.elapsed() > self.time_outs.limit {
                let dump = self.grown.stage.dump();
                return Err(Halt::Stage(format!("failed to see the prompt of {name}\n{dump}")));
            }
        }
    }

    /// Says something at the prompt of an actor, and waits until a prompt has closed for it.
    pub(in crate::on_live) fn answer(
        &mut self,
        actor: ActorId,
        answer: Answer,
    ) -> Result<(), Halt> {
        let word = match answer {
            Answer::Continue => "continue",
            Answer::Quit => "quit",
            Answer::Hangup => return Err(Halt::NotStaged("a hangup as an answer".to_owned())),
        };
        self.look();
        let open: Vec<_> = self
            .view
            .prompts()
            .filter_map(|one| Some((one, self.view.mirror(one)?.prompt()?)))
            .collect();
        self.say(format!("`{word}` is typed at the prompt of {}", self.view.name(actor)));
        self.grown.stage.type_line(word).map_err(|error| Halt::Stage(error.to_string()))?;
        let closed = self.wait(self.time_outs.limit, |view| {
            let closed = |(one, request): &(ActorId, _)| {
                view.mirror(*one).and_then(MirroredActor::prompt) != Some(*request)
            };
            open.iter().any(closed).then_some(())
        });
        match closed {
            Some(()) => Ok(()),
            None => Err(Halt::Deaf(self.view.name(actor))),
        }
    }
}

/// Whether everybody of these has taken one more SIGINT, or is gone.
fn taken(view: &View<'_>, before: &[(ActorId, usize)]) -> Option<()> {
    let took = |(actor, count): &(ActorId, usize)| {
        !view.runs(*actor) || view.mirror(*actor).is_some_and(|one| one.interrupted() > *count)
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

/// Ctrl-C.
const KEY: &[u8] = b"\x03";

/// How often a key is typed that nobody has taken.
const TRIES: u32 = 5;
