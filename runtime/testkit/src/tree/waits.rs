//! What a test waits for in a tree: what its actors say, and what the kernel and the screen show.

use super::{Result, TestTree};
use crate::control::{ActorEvent, Instruction};
use crate::process::{self, RunState};
use crate::{PATIENCE, ProcessInfo};
use nix::sys::signal::Signal;
use std::time::Instant;

impl TestTree {
    /// Sends a signal to an actor that reads it, and waits until it has.
    ///
    /// # Errors
    /// The actor is gone, or the wait times out.
    pub fn deliver(&mut self, name: &str, signal: Signal) -> Result<()> {
        self.signal(name, signal)?;
        self.wait_read(name, signal)
    }

    /// Waits until no such signal is on its way to an actor. What it asks the driver for after that
    /// is answered when the signal was acted on.
    ///
    /// # Errors
    /// The wait times out.
    pub fn wait_read(&mut self, name: &str, signal: Signal) -> Result<()> {
        let pid = self.actor(name)?.pid();
        let what = format!("{signal} read by {name}");
        self.spin(&what, || Ok(!process::masks(pid)?.pending.contains(signal)))
    }

    /// Types Ctrl-C where it is a signal, and waits until the root has read that.
    ///
    /// # Errors
    /// The wait times out.
    pub fn interrupt(&mut self) -> Result<()> {
        self.stage.ctrl_c()?;
        // The terminal works later than it is written to, and shows the key after it has signalled.
        self.stage.wait_output("^C")?;
        self.wait_read("root", Signal::SIGINT)
    }

    /// Waits until the processes of these actors are in this state.
    ///
    /// # Errors
    /// The wait times out.
    pub fn wait_state(&mut self, names: &[&str], state: RunState) -> Result<()> {
        let mut pids = Vec::new();
        for name in names {
            pids.push(self.actor(name)?.pid());
        }
        self.spin(&format!("{names:?} {state:?}"), || {
            let states = pids.iter().map(|pid| Ok(ProcessInfo::read(*pid)?.state == state));
            Ok(states.collect::<Result<Vec<bool>>>()?.into_iter().all(|is| is))
        })
    }

    /// Waits for what no event tells: the kernel is asked again and again.
    ///
    /// # Errors
    /// The wait times out.
    pub fn spin(&self, what: &str, mut is: impl FnMut() -> Result<bool>) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !is()? {
            if Instant::now() > deadline {
                return Err(format!("not in time: {what}\n{}", self.stage.dump()).into());
            }
            std::thread::yield_now();
        }
        Ok(())
    }

    /// Waits until the terminal has the modes from before the tree.
    ///
    /// # Errors
    /// The wait times out.
    pub fn wait_modes(&self) -> Result<()> {
        self.spin("the modes from before", || Ok(self.stage.modes()? == self.modes))
    }

    /// The tree below an actor, as it sees it now.
    ///
    /// # Errors
    /// The actor does not answer.
    pub fn survey(&mut self, name: &str) -> Result<String> {
        self.asked += 1;
        let id = self.asked;
        self.instruct(name, Instruction::Survey { id })?;
        let is =
            |event: &ActorEvent| matches!(event, ActorEvent::Surveyed { id: of, .. } if *of == id);
        match self.actor(name)?.wait("a survey", is)? {
            ActorEvent::Surveyed { text, .. } => Ok(text),
            other => Err(format!("expected a survey, found {other:?}").into()),
        }
    }

    /// Waits until an actor sees the tree below it like that.
    ///
    /// # Errors
    /// The wait times out.
    pub fn wait_survey(
        &mut self,
        name: &str,
        what: &str,
        like: impl Fn(&str) -> bool,
    ) -> Result<String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = self.survey(name)?;
            if like(&text) {
                return Ok(text);
            }
            if Instant::now() > deadline {
                return Err(format!("not in time: {what}\n{text}{}", self.stage.dump()).into());
            }
        }
    }

    /// Waits until nobody has the terminal, waits for it, or holds for one who does.
    ///
    /// # Errors
    /// Somebody does when the time is over.
    pub fn wait_quiet(&mut self) -> Result<()> {
        let busy = ["holds", "waits", "at its prompt", "the terminal"];
        let quiet = |text: &str| !busy.iter().any(|word| text.contains(word));
        self.wait_survey("root", "nothing held", quiet).map(drop)
    }

    /// Waits until the prompt of an actor is on the screen and takes input.
    ///
    /// # Errors
    /// The actor does not come.
    pub fn wait_prompt(&mut self, name: &str) -> Result<()> {
        let path = self.path(name)?;
        Ok(self.stage.wait_screen(&format!("the prompt of {path}"), |screen| {
            let (row, _) = screen.cursor_position();
            let line: String = screen.contents_between(row, 0, row, screen.size().1);
            // Not `root/mid> ` where `root> ` is waited for.
            let rest = line.strip_prefix(&path).unwrap_or_default();
            line.trim_end().ends_with('>') && (rest.starts_with('>') || rest.starts_with(" ["))
        })?)
    }
}
