//! The program as a job: stopped and continued, ended, and what it leaves.

use super::watch::{JobEvent, StreamState};
use super::{Result, TerminalStage};
use crate::process::ProcessInfo;
use crate::shim::protocol::{ProcessEnd, ShimRequest};
use nix::sys::signal::Signal;

impl TerminalStage {
    /// Waits until a signal has stopped the program.
    ///
    /// # Errors
    /// None does in time.
    pub fn wait_stopped(&self) -> Result<Signal> {
        self.wait("the program stopped", |seen| {
            while let Some(job) = seen.job.pop_front() {
                if let JobEvent::Stopped(signal) = job {
                    return Some(Ok(signal));
                }
            }
            seen.ended_program()
        })
    }

    /// Lets a stopped program go on with the terminal, as a shell's `fg` does, but for the modes:
    /// those stay as they are.
    ///
    /// # Errors
    /// The wait times out.
    pub fn foreground(&self) -> Result<()> {
        self.ask(&ShimRequest::Foreground {})?;
        self.wait_continued()
    }

    /// The same, and does not wait: a program that is not stopped is not disturbed.
    ///
    /// # Errors
    /// The shim is gone.
    pub fn ask_for_foreground(&self) -> Result<()> {
        self.ask(&ShimRequest::Foreground {})
    }

    /// Lets a stopped program go on without the terminal, as a shell's `bg` does.
    ///
    /// # Errors
    /// The wait times out.
    pub fn background(&self) -> Result<()> {
        self.ask(&ShimRequest::Background {})?;
        self.wait_continued()
    }

    fn wait_continued(&self) -> Result<()> {
        self.wait("the program continued", |seen| {
            while let Some(job) = seen.job.pop_front() {
                if job == JobEvent::Continued {
                    return Some(Ok(()));
                }
            }
            seen.ended_program()
        })
    }

    /// Waits for the end of the program, and for all its output unless others still hold the
    /// terminal.
    ///
    /// # Errors
    /// The wait times out.
    pub fn exit(&self) -> Result<ProcessEnd> {
        self.wait("the program's end", |seen| {
            let (exit, leftovers) = seen.ended.as_ref()?;
            (seen.output == StreamState::Ended || !leftovers.is_empty()).then_some(Ok(*exit))
        })
    }

    /// What the program left at the moment when it ended, alive or zombie.
    ///
    /// # Errors
    /// The wait times out.
    pub fn leftovers(&self) -> Result<Vec<ProcessInfo>> {
        self.wait("the program's end", |seen| Some(Ok(seen.ended.as_ref()?.1.clone())))
    }

    /// What is there now, alive or zombie, the running program aside.
    ///
    /// # Errors
    /// The shim does not answer.
    pub fn leftovers_now(&self) -> Result<Vec<ProcessInfo>> {
        self.ask(&ShimRequest::Leftovers {})?;
        self.wait("an answer", |seen| seen.leftovers.pop_front().map(Ok))
    }

    /// Waits until everybody has gone by themselves, the program and what it left.
    ///
    /// # Errors
    /// Somebody is there when the time is over.
    pub fn wait_gone(&self) -> Result<()> {
        self.ask(&ShimRequest::Gone {})?;
        self.wait("everybody gone", |seen| seen.gone.pop_front().map(Ok))
    }

    /// Kills everybody, the program too; returns who was there.
    ///
    /// # Errors
    /// The shim does not answer.
    pub fn clear(&self) -> Result<Vec<ProcessInfo>> {
        self.ask(&ShimRequest::Clear {})?;
        self.wait("the stage cleared", |seen| seen.cleared.pop_front().map(Ok))
    }
}
