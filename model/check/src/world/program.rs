//! A program that knows nothing of the tree, at the terminal that it shares with its host.

use super::config::HostRule;
use super::topology::Topology;
use holdfast_protocol::policy::TerminalReader;
use holdfast_protocol::{ActorId, Answer, Output};

/// What a host and its program do at the terminal that they share: a pseudo-terminal of their own,
/// in which the kernel's job control is the lock.
///
/// ```text
///     Away --reads--> Stopped --host asks--> Asked --host is granted--> Reads --keys--> Has
///       ^                ^                     \--refused--> Given up    |              |
///       |                \_____________ taken back, prompt closed ______/               |
///       \______________________________ prompt closed _________________________________/
/// ```
///
/// Where whoever is at a prompt reads the terminal itself ([`TerminalReader::Holder`]) nobody keeps a
/// program in the background: it has the one terminal from its start, together with all others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProgramTerminal {
    /// This is not a host.
    #[default]
    NoProgram,
    /// The program is in the background, and does not read.
    Away,
    /// The program has read in the background: the kernel has stopped it.
    Stopped,
    /// The same, and its host has asked for the terminal.
    Asked,
    /// The same, and its host was refused: it does not ask any longer.
    GivenUp,
    /// The program is in the foreground, and reads.
    Reads,
    /// The program is in the foreground, and does something else.
    Has,
    /// The program has ended.
    Gone,
}

/// What happens at that terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProgramInput {
    /// The program reads.
    Reads,
    /// The program gets what it has read.
    Typed,
    /// The host asks for it.
    Asked,
    /// The host gives it the foreground.
    Foreground,
}

impl ProgramTerminal {
    /// That of an actor as it starts.
    pub(super) fn new(topology: &Topology, actor: ActorId) -> Self {
        let config = topology.config();
        match (config.tree.program_of(actor), config.policy.reader) {
            (None, _) => Self::NoProgram,
            (Some(_), TerminalReader::Root) => Self::Away,
            (Some(_), TerminalReader::Holder) => Self::Has,
        }
    }

    pub(super) fn step(self, input: ProgramInput) -> Self {
        match (input, self) {
            (ProgramInput::Reads, Self::Away) => Self::Stopped,
            (ProgramInput::Reads, Self::Has) => Self::Reads,
            (ProgramInput::Typed, Self::Reads) => Self::Has,
            (ProgramInput::Asked, Self::Stopped) => Self::Asked,
            (ProgramInput::Foreground, Self::Asked) => Self::Reads,
            (_, other) => other,
        }
    }

    /// A host takes the foreground back before it closes the baton of its turn, so nobody sees one
    /// without the other. A program that still wants to read is stopped once more.
    pub(super) fn after(self, output: Output, rule: HostRule) -> Self {
        match (output, self) {
            (Output::PromptClosed { .. }, Self::Reads | Self::Has)
                if rule == HostRule::ForegroundLeft =>
            {
                self
            }
            (Output::PromptClosed { .. }, Self::Reads) if rule == HostRule::AskedOnce => {
                Self::GivenUp
            }
            (Output::PromptClosed { .. }, Self::Reads | Self::Asked) => Self::Stopped,
            (Output::PromptClosed { .. }, Self::Has) => Self::Away,
            (Output::Refused { .. }, Self::Asked) => Self::GivenUp,
            (_, other) => other,
        }
    }
}

/// Whether an answer can be the end of a prompt: a host gives the terminal back once its program does
/// not read any longer, or has never come to the foreground; nobody answers but by that.
pub(crate) fn can_be_over(program: ProgramTerminal, answer: Answer) -> bool {
    match program {
        ProgramTerminal::NoProgram => true,
        ProgramTerminal::Away | ProgramTerminal::Has | ProgramTerminal::Gone => {
            answer == Answer::Continue
        }
        ProgramTerminal::Stopped
        | ProgramTerminal::Asked
        | ProgramTerminal::GivenUp
        | ProgramTerminal::Reads => false,
    }
}
