//! `holdfast up`: the programs of a Procfile, each of which may ask for the keyboard, in turn.

use super::exec::seconds;
use super::hosts::{self, Notes};
use super::{complain, note, ps, python};
use crate::exit::ExitClass;
use crate::procfile::{self, ProcfileEntry};
use clap::Args;
use holdfast::host::{Begins, HostReport, HostedProgram, ProgramEnd};
use holdfast::{BoxError, Context};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Runs the programs of a Procfile: any of them may stop at a prompt, one at a time.
#[derive(Debug, Args)]
#[command(
    after_help = "Each line has the name of its program in front. When one program ends, all do.\n\
                  A program that reads the terminal gets the keyboard in its turn; Ctrl-] leaves it.\n\
                  Exit codes: that of the first program that ended, 2 for bad input."
)]
pub struct UpArgs {
    /// The Procfile: lines like `web: python3 server.py`.
    #[arg(short = 'f', long, value_name = "FILE", default_value = "Procfile")]
    procfile: PathBuf,
    /// A file of variables, lines like `NAME=VALUE`; `.env` beside the Procfile without it.
    #[arg(short = 'e', long, value_name = "FILE")]
    env: Vec<PathBuf>,
    /// The port of the first program, in its variable PORT; a hundred more for each further one.
    #[arg(short = 'p', long, value_name = "PORT", default_value_t = 5000)]
    port: u16,
    /// How long programs have to end after SIGTERM, in seconds; as long again, and they are killed.
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = seconds)]
    grace: Duration,
    /// The other programs go on when one ends.
    #[arg(long)]
    keep_going: bool,
    /// How many of each program; those that are not named are not started, `all=1` names all.
    #[arg(value_name = "NAME=N", value_parser = formation)]
    formation: Vec<(String, usize)>,
}

/// One program that is to run.
struct UpProgram {
    name: String,
    program: HostedProgram,
}

impl UpArgs {
    /// Does it.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let members = match self.members() {
            Ok(members) => members,
            Err(exit) => return exit.into(),
        };
        let notes = Notes::default();
        let told = notes.clone();
        let keep_going = self.keep_going;
        let code = hosts::program(self.grace).run(async move |tree: Context| {
            run(&tree, members, keep_going, &told).await?;
            Ok::<_, BoxError>(ExitCode::SUCCESS)
        });
        match notes.ends.all().first() {
            Some((_, end)) => ExitCode::from(end.exit_code()),
            None => code,
        }
    }

    /// The programs that are to run, with their variables and labels.
    fn members(&self) -> Result<Vec<UpProgram>, ExitClass> {
        let entries = procfile::read(&self.procfile).map_err(|error| complain(&error))?;
        let folder = self.procfile.parent().filter(|folder| *folder != Path::new(""));
        let variables = self.variables(folder)?;
        let counts = self.counts(&entries)?;
        let started = entries
            .iter()
            .flat_map(|entry| (1..=counts[entry.name.as_str()]).map(move |number| (entry, number)));
        let names = started.clone().map(|(entry, number)| format!("{}.{number}", entry.name));
        let widest = names.map(|name| name.len()).max().unwrap_or(0);
        if widest == 0 {
            note("error: expected a program to start, found none: name one, as in `web=1`");
            return Err(ExitClass::BadInput);
        }
        let port = |name: &str, number: usize| {
            let index = entries.iter().position(|entry| entry.name == name).unwrap_or(0);
            usize::from(self.port) + index * 100 + number - 1
        };
        let colours = labels_have_colours();
        let members = started.enumerate().map(|(index, (entry, number))| {
            let name = format!("{}.{number}", entry.name);
            let mut program = HostedProgram::new(shell(&entry.command));
            program.begins = Begins::WithoutTerminal;
            program.grace = self.grace;
            program.folder = folder.map(Path::to_owned);
            program.label = label(&name, widest, colours.then_some(index));
            program.variables = variables.iter().map(owned).collect();
            program.variables.extend(python::variables(python::Exceptions::Print));
            let own = [("PORT", port(&entry.name, number).to_string()), ("PS", name.clone())];
            program
                .variables
                .extend(own.iter().map(|(name, value)| ((*name).into(), value.into())));
            UpProgram { name, program }
        });
        Ok(members.collect())
    }

    fn variables(&self, folder: Option<&Path>) -> Result<Vec<(String, String)>, ExitClass> {
        let beside = folder.unwrap_or(Path::new(".")).join(".env");
        let files = match self.env.is_empty() && beside.exists() {
            true => vec![beside],
            false => self.env.clone(),
        };
        let mut variables = Vec::new();
        for file in files {
            let read = procfile::read_variables(&file);
            variables.extend(read.map_err(|error| complain(&error))?);
        }
        Ok(variables)
    }

    /// How many of each program.
    fn counts<'e>(
        &self,
        entries: &'e [ProcfileEntry],
    ) -> Result<BTreeMap<&'e str, usize>, ExitClass> {
        let all = self.formation.iter().find(|(name, _)| name == "all").map(|(_, count)| *count);
        let default = all.unwrap_or(usize::from(self.formation.is_empty()));
        let mut counts: BTreeMap<_, _> =
            entries.iter().map(|entry| (entry.name.as_str(), default)).collect();
        for (name, number) in self.formation.iter().filter(|(name, _)| name != "all") {
            let Some(count) = counts.get_mut(name.as_str()) else {
                let known: Vec<_> = entries.iter().map(|entry| entry.name.as_str()).collect();
                let file = self.procfile.display();
                note(&format!(
                    "error: expected one of {}, found `{name}`: {file} has no such program",
                    known.join(", ")
                ));
                return Err(ExitClass::BadInput);
            };
            *count = *number;
        }
        Ok(counts)
    }
}

async fn run(
    tree: &Context,
    members: Vec<UpProgram>,
    keep_going: bool,
    notes: &Notes,
) -> Result<(), BoxError> {
    if let Err(error) = ps::serve(tree, &notes.states) {
        note(&format!("`holdfast ps` will not find this tree: {error}"));
    }
    let mut waits = Vec::new();
    for UpProgram { name, program } in members {
        let label = program.label.clone();
        let context = tree.clone();
        let seen = move |report: &HostReport| match report {
            HostReport::Started(pid) => println!("{label}started with pid {pid}"),
            HostReport::Ended(end) => {
                println!("{label}{}", said(end));
                if !keep_going {
                    context.cancel();
                }
            }
            _ => {}
        };
        waits.push(hosts::attend(tree, &name, program, notes, None, seen).await?);
    }
    for wait in waits {
        let _ = wait.await;
    }
    Ok(())
}

fn said(end: &ProgramEnd) -> String {
    match end {
        ProgramEnd::Code(code) => format!("exited with code {code}"),
        ProgramEnd::Signal(signal) => format!("ended by signal {signal}"),
        ProgramEnd::NotFound(why) | ProgramEnd::NotStarted(why) => why.clone(),
        _ => "ended".to_owned(),
    }
}

fn shell(command: &str) -> Vec<OsString> {
    ["sh", "-c", command].map(OsString::from).to_vec()
}

fn owned((name, value): &(String, String)) -> (OsString, OsString) {
    (name.into(), value.into())
}

/// What stands in front of the lines of a program.
fn label(name: &str, widest: usize, colour: Option<usize>) -> String {
    match colour {
        None => format!("{name:widest$} | "),
        Some(index) => {
            let code = COLOURS[index % COLOURS.len()];
            format!("\x1b[{code}m{name:widest$} |\x1b[0m ")
        }
    }
}

fn labels_have_colours() -> bool {
    use std::io::IsTerminal as _;
    std::io::stdout().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn formation(text: &str) -> Result<(String, usize), String> {
    let parts = text.split_once('=').and_then(|(name, count)| Some((name, count.parse().ok()?)));
    let known = parts.filter(|(name, count)| !name.is_empty() && *count <= MOST);
    let expected = || format!("expected NAME=N with N up to {MOST}, for example `web=2`");
    known.map(|(name, count)| (name.to_owned(), count)).ok_or_else(expected)
}

/// The colours of the names, as foreman has them: cyan, yellow, green, magenta, blue, and brighter.
const COLOURS: [u8; 10] = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];

/// The most of one program.
const MOST: usize = 1000;
