//! A counterexample as a message chart: one column an actor, one row a step.
//!
//! ```text
//!          person          root            mid
//!      1   ├──breakpoint───┼──────────────▶│ asks
//!      2   │               │◀─────Want─────┤
//! ```
//!
//! A message stands on the row where it is read; who else had moved before stands above it. The
//! column of the person is the column of the terminal and of all the environment does. What follows
//! from a step at once stands beside it or on the rows below, without a number.
//!
//! Up to [`MOST_COLUMNS`] actors are drawn in columns, more in a list. The text carries colours;
//! print it through `anstream`, which takes them out where they do not belong.
//!
//! Reading order: `words`, `grid`, `list`.

mod grid;
mod list;
mod words;

pub use words::{describe, details, name_of};

use anstyle::{AnsiColor, Style};
use holdfast_check::property::{PropertyId, PropertyKind};
use holdfast_check::trace::ReplayedStep;
use holdfast_check::world::{Observation, Topology};
use holdfast_protocol::{ActorId, Message, Output};
use std::fmt;

/// The most actors that are drawn in columns.
pub const MOST_COLUMNS: usize = 6;

/// How many columns of text a chart occupies at most.
pub const WIDTH: usize = 100;

/// How wide the numbers of the steps are.
const MARGIN: usize = 6;

/// A run to draw.
#[derive(Clone, Copy, Debug)]
pub struct Chart<'a> {
    /// Where it happened.
    pub topology: &'a Topology,
    /// The steps, with what they did.
    pub steps: &'a [ReplayedStep],
    /// What the whole run breaks, if anything.
    pub breaks: Option<PropertyId>,
    /// How many of the last steps may repeat forever.
    pub repeats: usize,
}

impl Chart<'_> {
    /// The place of the step on which an always-property is violated.
    fn fatal(&self) -> Option<usize> {
        let breaks = self.breaks?;
        self.steps.iter().position(|step| step.violated.contains(&breaks))
    }

    /// The place of the first step that may repeat forever.
    fn repeats_from(&self) -> Option<usize> {
        (self.repeats > 0).then(|| self.steps.len().saturating_sub(self.repeats))
    }

    /// The messages that somebody alive has not read at the end, in a sentence.
    fn under_way(&self) -> String {
        let mut unread: Vec<(ActorId, ActorId, Message)> = Vec::new();
        let mut dead = Vec::new();
        for did in self.steps.iter().flat_map(|step| &step.observations) {
            match *did {
                Observation::Output { actor, output: Output::Send { to, message } }
                    if !dead.contains(&to) =>
                {
                    unread.push((actor, to, message));
                }
                Observation::Delivered { from, to, message } => {
                    let read = unread.iter().position(|sent| *sent == (from, to, message));
                    read.map(|place| unread.remove(place));
                }
                Observation::EndRead { from, to } => {
                    unread.retain(|sent| (sent.0, sent.1) != (from, to))
                }
                Observation::Died { actor, .. } => {
                    dead.push(actor);
                    unread.retain(|sent| sent.1 != actor);
                }
                Observation::Output { .. } | Observation::Took { .. } => {}
            }
        }
        let tree = &self.topology.config().tree;
        let name = |actor| name_of(tree, actor);
        let said: Vec<_> = unread
            .into_iter()
            .map(|(from, to, message)| format!("{message} from {} to {}", name(from), name(to)))
            .collect();
        if said.is_empty() { String::new() } else { format!("unread: {}", said.join(", ")) }
    }

    /// What is violated where, in a sentence.
    fn sentence(&self, breaks: PropertyId) -> String {
        let last = self.steps.len();
        let place = match (self.fatal(), breaks.kind(), self.repeats) {
            (Some(place), ..) => format!("is violated on step {}", place + 1),
            (None, PropertyKind::CanAlwaysEnd, _) => {
                format!("is violated: no ending can be reached after step {last}")
            }
            (None, _, 0) => {
                format!(
                    "is violated: nothing more has to happen after step {last} ({})",
                    breaks.antecedent()
                )
            }
            (None, _, _) => "is violated: the last steps may repeat forever".to_owned(),
        };
        format!("{breaks} {place}. It demands: {}.", breaks.statement())
    }
}

impl fmt::Display for Chart<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.topology.config().tree.len() <= MOST_COLUMNS {
            grid::draw(self, f)?;
        } else {
            list::draw(self, f)?;
        }
        for line in wrap(&self.under_way(), WIDTH - MARGIN) {
            let style = Emphasis::Faint.style();
            writeln!(f, "{:MARGIN$}{style}{line}{style:#}", "")?;
        }
        let Some(breaks) = self.breaks else { return Ok(()) };
        let mut mark = "✗ ";
        for line in wrap(&self.sentence(breaks), WIDTH - 2) {
            writeln!(f, "{}{mark}{line}{:#}", Emphasis::Fatal.style(), Emphasis::Fatal.style())?;
            mark = "  ";
        }
        Ok(())
    }
}

/// What a piece of text is about, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Emphasis {
    /// The life of an actor.
    Plain,
    /// What matters little.
    Faint,
    /// A message.
    Message,
    /// An action of the person or of the environment.
    Person,
    /// A prompt, or what protects it.
    Prompt,
    /// What ends somebody.
    Danger,
    /// The step that breaks a property.
    Fatal,
}

impl Emphasis {
    fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Faint => Style::new().dimmed(),
            Self::Message => AnsiColor::Cyan.on_default(),
            Self::Person => AnsiColor::Yellow.on_default(),
            Self::Prompt => AnsiColor::Green.on_default(),
            Self::Danger => AnsiColor::Red.on_default(),
            Self::Fatal => AnsiColor::Red.on_default().bold(),
        }
    }
}

/// Breaks a text between words so that no line is wider than asked, if the words allow.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let length = |text: &str| text.chars().count();
        match lines.last_mut() {
            Some(line) if length(line) + 1 + length(word) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
}
