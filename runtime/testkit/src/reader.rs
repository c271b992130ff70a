//! A program that knows nothing of the tree: it reads lines of its terminal when a test says so.
//!
//! The program connects to the test as actors do ([`crate::control`]), under the path that is its argument.
//! It takes a SIGINT as a debugger at its prompt does: it says so, and reads on.

use crate::control::{ActorEvent, ControlClient, EventSender, Instruction};
use nix::sys::signal::{SigSet, Signal};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::ExitCode;

/// Runs this process as such a program.
#[must_use]
pub fn run(path: &str) -> ExitCode {
    match serve(path) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{path}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(path: &str) -> io::Result<()> {
    let interrupts = SigSet::from(Signal::SIGINT);
    interrupts.thread_block()?;
    let Some(mut client) = ControlClient::connect_from_env()? else {
        return Err(io::Error::other("no test has started this program"));
    };
    client.hello(path)?;
    let events = client.events();
    std::thread::spawn({
        let events = events.clone();
        move || {
            while interrupts.wait().is_ok() {
                let _ = events.send(&ActorEvent::Interrupted {});
            }
        }
    });
    events.send(&ActorEvent::Booted {})?;
    while let Some(instruction) = client.recv()? {
        match instruction {
            Instruction::ReadLine {} => read_line(path, &events)?,
            Instruction::Finish {} => return Ok(()),
            other => {
                let text = format!("{other:?} is nothing for a program");
                events.send(&ActorEvent::Failed { text })?;
            }
        }
    }
    Ok(())
}

fn read_line(path: &str, events: &EventSender) -> io::Result<()> {
    // Its input is nothing where no host has started it.
    let mut terminal = File::options().read(true).write(true).open("/dev/tty")?;
    events.send(&ActorEvent::Reading {})?;
    write!(terminal, "{path}? ")?;
    let mut line = String::new();
    if BufReader::new(&terminal).read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let text = line.trim_end_matches('\n').to_owned();
    events.send(&ActorEvent::Line { text })
}
