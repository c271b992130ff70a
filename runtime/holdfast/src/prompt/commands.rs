//! The commands that a person can type at a prompt.
//!
//! Runs in the prompt; pure.
//!
//! # Rules
//! 1. A beginning of a name that fits one command alone is that command, and some letters are
//!    settled by hand. `stop` ends the whole tree: it is never abbreviated.

use super::debugger::DebuggerCommand;
use crate::session::{Frames, PromptCommand};
use std::fmt::Write as _;
use thiserror::Error;

/// What a line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PromptAction {
    /// An empty line, or a comment of a script.
    Nothing,
    /// The table of commands.
    Help,
    /// The state of the tree, which the root's own process knows.
    Tree,
    /// Who waits for the terminal, which the root's own process can ask.
    Waiting,
    /// A question to the agent.
    Ask(PromptCommand),
    /// The end of the session.
    Finish(PromptCommand),
    /// A debugger on the process at the prompt.
    Debug(DebuggerCommand),
    /// The end of the tree.
    Stop,
}

/// Why a line is not a command.
#[derive(Debug, PartialEq, Eq, Error)]
pub(super) enum Misread {
    /// Nothing has that name.
    #[error("`{word}` is not a command; {hint}")]
    Unknown {
        /// What was typed.
        word: String,
        /// What may have been meant.
        hint: String,
    },
    /// Several have.
    #[error("`{word}` may be {candidates}")]
    Ambiguous {
        /// What was typed.
        word: String,
        /// Their names.
        candidates: String,
    },
    /// The rest of the line does not fit.
    #[error("usage: {0}")]
    Usage(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Help,
    Where,
    List,
    Backtrace,
    Locals,
    Print,
    Tree,
    Waiting,
    Log,
    Gdb,
    Lldb,
    Debugger,
    Continue,
    Quit,
    Stop,
}

struct Spec {
    verb: Verb,
    name: &'static str,
    /// What is settled by hand, and other names.
    aliases: &'static [&'static str],
    usage: &'static str,
    about: &'static str,
}

const fn spec(
    verb: Verb,
    name: &'static str,
    aliases: &'static [&'static str],
    usage: &'static str,
    about: &'static str,
) -> Spec {
    Spec { verb, name, aliases, usage, about }
}

const COMMANDS: [Spec; 15] = [
    spec(Verb::Where, "where", &["w"], "where", "who is paused, and where"),
    spec(Verb::List, "list", &["l"], "list [LINES]", "the source around that place"),
    spec(Verb::Backtrace, "bt", &["backtrace"], "bt [all]", "the calls that led here"),
    spec(Verb::Locals, "locals", &[], "locals", "all named values"),
    spec(Verb::Print, "print", &["p"], "print NAME", "one named value"),
    spec(Verb::Tree, "tree", &[], "tree", "all actors of the tree"),
    spec(Verb::Waiting, "waiting", &[], "waiting", "who waits for the terminal, since when, where"),
    spec(Verb::Log, "log", &[], "log [COUNT]", "the last log events of this actor"),
    spec(Verb::Gdb, "gdb", &[], "gdb", "gdb on this actor, until it ends; then this prompt again"),
    spec(Verb::Lldb, "lldb", &[], "lldb", "the same with lldb"),
    spec(Verb::Debugger, "debugger", &[], "debugger CMD {pid}", "the same with any command"),
    spec(Verb::Continue, "continue", &[], "continue", "close the prompt and go on"),
    spec(Verb::Quit, "quit", &["exit"], "quit", "fail this actor (end of file does the same)"),
    spec(Verb::Stop, "stop", &[], "stop", "cancel the whole tree"),
    spec(Verb::Help, "help", &["?"], "help", "this table"),
];

/// Reads a line.
pub(super) fn parse(line: &str) -> Result<PromptAction, Misread> {
    let line = line.trim();
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    if word.is_empty() || word.starts_with('#') {
        return Ok(PromptAction::Nothing);
    }
    let spec = find(word)?;
    let usage = Misread::Usage(spec.usage);
    let alone = |action| if rest.is_empty() { Ok(action) } else { Err(Misread::Usage(spec.usage)) };
    let number = |default: u32| match rest {
        "" => Ok(default),
        _ => rest.parse().map_err(|_| Misread::Usage(spec.usage)),
    };
    match spec.verb {
        Verb::Help => alone(PromptAction::Help),
        Verb::Where => alone(PromptAction::Ask(PromptCommand::Where)),
        Verb::List => Ok(PromptAction::Ask(PromptCommand::List { around: number(AROUND)? })),
        Verb::Backtrace => match rest {
            "" => Ok(PromptAction::Ask(PromptCommand::Backtrace { frames: Frames::Own })),
            "all" => Ok(PromptAction::Ask(PromptCommand::Backtrace { frames: Frames::All })),
            _ => Err(usage),
        },
        Verb::Locals => alone(PromptAction::Ask(PromptCommand::Locals)),
        Verb::Print => match rest {
            "" => Err(usage),
            name => Ok(PromptAction::Ask(PromptCommand::Print { name: name.to_owned() })),
        },
        Verb::Tree => alone(PromptAction::Tree),
        Verb::Waiting => alone(PromptAction::Waiting),
        Verb::Log => Ok(PromptAction::Ask(PromptCommand::Log { last: number(EVENTS)? as usize })),
        Verb::Gdb => alone(PromptAction::Debug(DebuggerCommand::Gdb)),
        Verb::Lldb => alone(PromptAction::Debug(DebuggerCommand::Lldb)),
        Verb::Debugger if rest.contains("{pid}") || rest.contains("{thread}") => {
            Ok(PromptAction::Debug(DebuggerCommand::Other(rest.to_owned())))
        }
        Verb::Debugger => Err(usage),
        Verb::Continue => alone(PromptAction::Finish(PromptCommand::Continue)),
        Verb::Quit => alone(PromptAction::Finish(PromptCommand::Quit)),
        Verb::Stop => alone(PromptAction::Stop),
    }
}

fn find(word: &str) -> Result<&'static Spec, Misread> {
    let exact = |spec: &&Spec| spec.name == word || spec.aliases.contains(&word);
    if let Some(spec) = COMMANDS.iter().find(exact) {
        return Ok(spec);
    }
    let begins = |spec: &&Spec| {
        spec.verb != Verb::Stop
            && (spec.name.starts_with(word)
                || spec.aliases.iter().any(|alias| alias.starts_with(word)))
    };
    let found: Vec<&Spec> = COMMANDS.iter().filter(begins).collect();
    match found.as_slice() {
        [spec] => Ok(spec),
        [] => Err(Misread::Unknown { word: word.to_owned(), hint: nearest(word) }),
        several => {
            let names: Vec<&str> = several.iter().map(|spec| spec.name).collect();
            Err(Misread::Ambiguous { word: word.to_owned(), candidates: names.join(" or ") })
        }
    }
}

fn nearest(word: &str) -> String {
    let near = COMMANDS
        .iter()
        .map(|spec| (strsim::damerau_levenshtein(spec.name, word), spec.name))
        .min()
        .filter(|&(distance, name)| distance <= 2 && 2 * distance < name.len());
    match near {
        Some((_, name)) => format!("did you mean `{name}`?"),
        None => "`help` lists them".to_owned(),
    }
}

/// The table that `help` shows.
pub(super) fn help() -> String {
    let mut text = String::new();
    for spec in &COMMANDS {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {:<18} {}", spec.usage, spec.about);
    }
    text.push_str("A beginning is enough, except for `stop`.\n");
    text
}

/// The commands, and where their argument is a value its names, that fit what was typed before
/// the cursor: where the word begins, and what it may become.
pub(super) fn complete(before: &str, names: &[String]) -> (usize, Vec<String>) {
    let start = before.len() - before.trim_start().len();
    let typed = &before[start..];
    match typed.split_once(char::is_whitespace) {
        None => {
            let fits = COMMANDS.iter().map(|spec| spec.name).filter(|name| name.starts_with(typed));
            (start, fits.map(|name| format!("{name} ")).collect())
        }
        Some((word, rest)) => {
            let rest = rest.trim_start();
            let start = before.len() - rest.len();
            let candidates: Vec<&str> = match find(word).map(|spec| spec.verb) {
                Ok(Verb::Print) => names.iter().map(String::as_str).collect(),
                Ok(Verb::Backtrace) => vec!["all"],
                Ok(_) | Err(_) => Vec::new(),
            };
            let fits = candidates.into_iter().filter(|name| name.starts_with(rest));
            (start, fits.map(str::to_owned).collect())
        }
    }
}

/// Lines before and after the place that `list` shows.
const AROUND: u32 = 5;

/// Events that `log` shows.
const EVENTS: u32 = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_read() {
        let ask = |command| Ok(PromptAction::Ask(command));
        let table = [
            ("", Ok(PromptAction::Nothing)),
            ("  # comment", Ok(PromptAction::Nothing)),
            ("help", Ok(PromptAction::Help)),
            ("?", Ok(PromptAction::Help)),
            ("h", Ok(PromptAction::Help)),
            ("w", ask(PromptCommand::Where)),
            ("l", ask(PromptCommand::List { around: AROUND })),
            ("list 9", ask(PromptCommand::List { around: 9 })),
            ("list x", Err(Misread::Usage("list [LINES]"))),
            ("b", ask(PromptCommand::Backtrace { frames: Frames::Own })),
            ("backtrace all", ask(PromptCommand::Backtrace { frames: Frames::All })),
            ("bt some", Err(Misread::Usage("bt [all]"))),
            ("loc", ask(PromptCommand::Locals)),
            ("locals x", Err(Misread::Usage("locals"))),
            ("  p   a b ", ask(PromptCommand::Print { name: "a b".to_owned() })),
            ("print", Err(Misread::Usage("print NAME"))),
            ("t", Ok(PromptAction::Tree)),
            ("wa", Ok(PromptAction::Waiting)),
            ("log", ask(PromptCommand::Log { last: EVENTS as usize })),
            ("log 3", ask(PromptCommand::Log { last: 3 })),
            ("g", Ok(PromptAction::Debug(DebuggerCommand::Gdb))),
            ("lldb", Ok(PromptAction::Debug(DebuggerCommand::Lldb))),
            ("gdb 7", Err(Misread::Usage("gdb"))),
            (
                "debugger  strace -p {pid} ",
                Ok(PromptAction::Debug(DebuggerCommand::Other("strace -p {pid}".to_owned()))),
            ),
            ("debugger strace", Err(Misread::Usage("debugger CMD {pid}"))),
            ("c", Ok(PromptAction::Finish(PromptCommand::Continue))),
            ("cont", Ok(PromptAction::Finish(PromptCommand::Continue))),
            ("q", Ok(PromptAction::Finish(PromptCommand::Quit))),
            ("exit", Ok(PromptAction::Finish(PromptCommand::Quit))),
            ("stop", Ok(PromptAction::Stop)),
            ("stop now", Err(Misread::Usage("stop"))),
        ];
        for (line, expected) in table {
            assert_eq!(parse(line), expected, "{line:?}");
        }
    }

    #[test]
    fn what_is_no_command_says_what_may_be_meant() {
        let table = [
            ("lo", "`lo` may be locals or log"),
            ("contineu", "`contineu` is not a command; did you mean `continue`?"),
            ("quti", "`quti` is not a command; did you mean `quit`?"),
            ("s", "`s` is not a command; `help` lists them"),
            ("sto", "`sto` is not a command; did you mean `stop`?"),
            ("frobnicate", "`frobnicate` is not a command; `help` lists them"),
        ];
        for (line, expected) in table {
            assert_eq!(parse(line).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn completion_knows_commands_and_names() {
        let names = ["alpha".to_owned(), "alps".to_owned(), "beta".to_owned()];
        let table: [(&str, usize, &[&str]); 7] = [
            ("lo", 0, &["locals ", "log "]),
            ("  st", 2, &["stop "]),
            ("print al", 6, &["alpha", "alps"]),
            ("p  b", 3, &["beta"]),
            ("bt ", 3, &["all"]),
            ("locals a", 7, &[]),
            ("xyz", 0, &[]),
        ];
        for (before, start, expected) in table {
            let found = complete(before, &names);
            assert_eq!((found.0, found.1.join("|")), (start, expected.join("|")), "{before:?}");
        }
    }

    #[test]
    fn help_names_every_command() {
        for spec in &COMMANDS {
            assert!(help().contains(spec.usage));
            assert!(find(spec.name).is_ok());
        }
    }
}
