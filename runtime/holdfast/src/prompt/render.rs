//! What the prompt shows: the opening of a session, the replies of the agent, the prompt.
//!
//! Runs in the prompt; pure. All text of the other process goes through [`escape`] here.

use super::escape;
use crate::session::{Greeting, NamedValue, PromptKind, Reply, SourceExcerpt};
use std::fmt::Write as _;

/// Whether output has colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Color {
    /// Text alone.
    Plain,
    /// With sequences SGR.
    Ansi,
}

#[derive(Clone, Copy)]
enum Style {
    Bold,
    Red,
    Green,
    Cyan,
    Dim,
}

impl Color {
    fn paint(self, style: Style, text: &str) -> String {
        let code = match style {
            Style::Bold => "1",
            Style::Red => "1;31",
            Style::Green => "1;32",
            Style::Cyan => "36",
            Style::Dim => "2",
        };
        match self {
            Self::Plain => text.to_owned(),
            Self::Ansi => format!("\x1b[{code}m{text}\x1b[0m"),
        }
    }

    /// The prompt, as it is shown.
    pub(super) fn prompt(self, text: &str) -> String {
        self.paint(Style::Bold, text)
    }

    /// An error of the person's, or of the prompt's.
    pub(super) fn error(self, text: &str) -> String {
        self.paint(Style::Red, text)
    }

    /// Something that the prompt itself says.
    pub(super) fn note(self, text: &str) -> String {
        self.paint(Style::Dim, text)
    }
}

/// The prompt as text.
pub(super) fn prompt(path: &str, waiting: usize) -> String {
    let path = escape::brief(path, LONGEST_PATH);
    match waiting {
        0 => format!("{path}> "),
        _ => format!("{path} [{waiting} wait]> "),
    }
}

/// The head of a session: what is paused, why, and where.
pub(super) fn opening(greeting: &Greeting, color: Color) -> String {
    let Greeting { path, task, file, line, column, .. } = greeting;
    let (path, task) = (escape::brief(path, LONGEST), escape::brief(task, LONGEST));
    let what = match greeting.kind {
        PromptKind::Breakpoint => color.paint(Style::Bold, "breakpoint"),
        PromptKind::PostMortem => color.paint(Style::Red, "post-mortem"),
        PromptKind::Program(_) => color.paint(Style::Bold, "a program asks for the terminal"),
    };
    let mut text = format!("{what} in {}, {task}\n", color.paint(Style::Bold, &path));
    if let Some(failure) = &greeting.failure {
        for (index, failed) in escape::lines(failure).iter().enumerate() {
            let head = if index == 0 { "failure: " } else { "         " };
            push(&mut text, format_args!("{head}{}\n", color.paint(Style::Red, failed)));
        }
    }
    // An error that was returned has no place.
    if file.is_empty() {
        return text;
    }
    let place = format!("{}:{line}:{column}", escape::brief(file, LONGEST));
    let values = match greeting.values {
        0 => String::new(),
        1 => " (1 named value)".to_owned(),
        many => format!(" ({many} named values)"),
    };
    push(&mut text, format_args!("at {}{values}\n", color.paint(Style::Cyan, &place)));
    text
}

/// A reply, as lines that each end with a line break.
pub(super) fn reply(reply: &Reply, color: Color) -> String {
    match reply {
        Reply::Lines(lines) if lines.is_empty() => "(nothing)\n".to_owned(),
        Reply::Lines(lines) | Reply::Names(lines) => {
            let shown = lines.iter().flat_map(|line| escape::lines(line));
            shown.fold(String::new(), |text, line| text + &line + "\n")
        }
        Reply::Source(source) => excerpt(source, color),
        Reply::Output(_) | Reply::Stopped | Reply::Attachable { .. } => String::new(),
        Reply::Values { values, omitted } => listing(values, *omitted, color),
        Reply::Failed(why) => {
            let shown = escape::lines(why).into_iter().map(|line| color.error(&line));
            shown.fold(String::new(), |text, line| text + &line + "\n")
        }
    }
}

fn excerpt(source: &SourceExcerpt, color: Color) -> String {
    let mut text = String::new();
    for (number, line) in (source.first..).zip(&source.lines) {
        let line = escape::lines(line).join("\\n");
        let shown = match number == source.marked {
            true => color.paint(Style::Green, format!("> {number:>5} {line}").trim_end()),
            false => format!("  {} {line}", color.paint(Style::Dim, &format!("{number:>5}"))),
        };
        push(&mut text, format_args!("{}\n", shown.trim_end()));
    }
    text
}

fn listing(values: &[NamedValue], omitted: usize, color: Color) -> String {
    let mut text = String::new();
    for value in values {
        let name = color.paint(Style::Cyan, &escape::brief(&value.name, LONGEST));
        let lines = escape::lines(&value.text);
        let cut = match value.text.len() < value.length {
            true => format!("… ({} bytes in all)", value.length),
            false => String::new(),
        };
        match lines.as_slice() {
            [] => push(&mut text, format_args!("{name} = {cut}\n")),
            [line] => push(&mut text, format_args!("{name} = {line}{cut}\n")),
            several => {
                push(&mut text, format_args!("{name} =\n"));
                several.iter().for_each(|line| push(&mut text, format_args!("    {line}\n")));
                if !cut.is_empty() {
                    push(&mut text, format_args!("    {cut}\n"));
                }
            }
        }
    }
    match (values.len(), omitted) {
        (0, 0) => "(no named values)\n".to_owned(),
        (_, 0) => text,
        _ => text + &format!("({omitted} more; `print NAME` shows one)\n"),
    }
}

fn push(text: &mut String, piece: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = text.write_fmt(piece);
}

/// The most bytes of a path in the prompt.
const LONGEST_PATH: usize = 60;

/// The most bytes of a name elsewhere.
const LONGEST: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;

    fn greeting() -> Greeting {
        Greeting {
            path: "root/mid".to_owned(),
            task: "main".to_owned(),
            kind: PromptKind::PostMortem,
            file: "src/main.rs".to_owned(),
            line: 7,
            column: 5,
            failure: Some("it broke\nbadly \u{1b}[2J".to_owned()),
            values: 2,
        }
    }

    #[test]
    fn the_opening_says_who_why_and_where() {
        assert_eq!(
            opening(&greeting(), Color::Plain),
            "post-mortem in root/mid, main\nfailure: it broke\n         badly \\x1b[2J\n\
             at src/main.rs:7:5 (2 named values)\n"
        );
        let nowhere = Greeting { file: String::new(), ..greeting() };
        assert!(opening(&nowhere, Color::Plain).ends_with("badly \\x1b[2J\n"));
        assert!(opening(&greeting(), Color::Ansi).starts_with("\x1b[1;31mpost-mortem\x1b[0m"));
    }

    #[test]
    fn the_prompt_says_who_and_how_many_wait() {
        assert_eq!(prompt("root/mid", 0), "root/mid> ");
        assert_eq!(prompt("root\n", 2), "root\\n [2 wait]> ");
    }

    #[test]
    fn the_line_of_the_pause_is_marked() {
        let source = SourceExcerpt {
            file: "a.rs".to_owned(),
            first: 9,
            marked: 10,
            lines: vec!["\tfn".to_owned(), "here\u{7}".to_owned(), String::new()],
        };
        let shown = "      9     fn\n>    10 here\\x07\n     11\n";
        assert_eq!(reply(&Reply::Source(source), Color::Plain), shown);
    }

    #[test]
    fn values_are_shown_with_what_was_cut() {
        let value = |name: &str, text: &str, length| NamedValue {
            name: name.to_owned(),
            text: text.to_owned(),
            length,
        };
        let values = vec![
            value("a", "1", 1),
            value("b", "cut", 900),
            value("c", "{\n  x\n}", 7),
            value("d", "", 0),
            value("e\u{202e}", "\u{1b}", 1),
        ];
        assert_eq!(
            reply(&Reply::Values { values, omitted: 3 }, Color::Plain),
            "a = 1\nb = cut… (900 bytes in all)\nc =\n    {\n      x\n    }\nd = \n\
             e\\u{202e} = \\x1b\n(3 more; `print NAME` shows one)\n"
        );
        let none = Reply::Values { values: Vec::new(), omitted: 0 };
        assert_eq!(reply(&none, Color::Plain), "(no named values)\n");
    }
}
