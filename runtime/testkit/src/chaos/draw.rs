//! What a seed draws: a tree, its start, and events.

use crate::control::Instruction;
use holdfast::Placement;
use holdfast_check::rng::Rng;
use holdfast_protocol::Shielding;
use serde::{Deserialize, Serialize};

/// How a root is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChaosStart {
    /// As the job of a shell.
    Job,
    /// As the leader of the terminal's session.
    Leader,
    /// With few descriptors.
    FewDescriptors,
    /// With a standard output that is closed.
    ClosedOutput,
    /// With its outputs in a pipe that is read.
    Piped,
    /// With SIGCHLD ignored.
    IgnoredChildren,
}

impl ChaosStart {
    /// What stands before the path of the root.
    pub(super) fn words(self) -> Option<[&'static str; 4]> {
        let script = match self {
            Self::Job | Self::Leader => return None,
            Self::FewDescriptors => "ulimit -n 64; exec \"$@\"",
            Self::ClosedOutput => "exec \"$@\" >&-",
            Self::Piped => "\"$@\" 2>&1 | cat",
            Self::IgnoredChildren => "trap '' CHLD; exec \"$@\"",
        };
        Some(["sh", "-c", script, "sh"])
    }

    /// Whether the end that the stage sees is the root's own.
    pub(super) fn shows_the_end(self) -> bool {
        self != Self::Piped
    }
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChaosEvent {
    /// An actor is told to do something.
    Instruct(String, Instruction),
    /// A signal comes to an actor.
    Signal(String, i32),
    /// Keys are pressed.
    Keys(String),
    /// The window has another size.
    Resize(u16, u16),
    /// The job is let go on in the foreground.
    Foreground,
    /// The window is closed.
    Close,
    /// So many milliseconds pass.
    Beat(u64),
}

/// A run that can be made again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChaosPlan {
    /// What it was drawn from.
    pub seed: u64,
    /// The tree.
    pub shape: String,
    /// Where its actors are.
    pub placement: Placement,
    /// How its root is started.
    pub start: ChaosStart,
    /// Whose failures open prompts.
    pub debug: Vec<String>,
    /// What happens, in this order.
    pub events: Vec<ChaosEvent>,
}

/// The trees, with the names of their actors.
const SHAPES: [(&str, &[&str]); 6] = [
    ("root(a)", &["root", "a"]),
    ("root(a,b)", &["root", "a", "b"]),
    ("root(a(b))", &["root", "a", "b"]),
    ("root(a(b),c)", &["root", "a", "b", "c"]),
    ("root(a(b(c)),d)", &["root", "a", "b", "c", "d"]),
    ("root(a(b,c),d(e))", &["root", "a", "b", "c", "d", "e"]),
];

/// What a person may press.
const KEYS: [&str; 13] = [
    "\x03",
    "\x03\x03",
    "\x1a",
    "\x1c",
    "\x04",
    "continue\r",
    "quit\r",
    "stop\r",
    "tree\r",
    "print id\r",
    "\x13",
    "\x11",
    "half a li",
];

/// The signals that may come: those that the driver handles, and those that nobody does.
const SIGNALS: [nix::libc::c_int; 14] = [
    nix::libc::SIGINT,
    nix::libc::SIGINT,
    nix::libc::SIGTERM,
    nix::libc::SIGHUP,
    nix::libc::SIGQUIT,
    nix::libc::SIGKILL,
    nix::libc::SIGKILL,
    nix::libc::SIGSTOP,
    nix::libc::SIGCONT,
    nix::libc::SIGTSTP,
    nix::libc::SIGUSR1,
    nix::libc::SIGUSR2,
    nix::libc::SIGCHLD,
    nix::libc::SIGWINCH,
];

fn pick<T: Clone>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.below(from.len())].clone()
}

impl ChaosPlan {
    /// The plan of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut rng = Rng::new(seed, 0);
        let (shape, names) = pick(&mut rng, &SHAPES);
        let placement = pick(&mut rng, &[Placement::OwnSession, Placement::SharedGroup]);
        let start = pick(
            &mut rng,
            &[
                ChaosStart::Job,
                ChaosStart::Job,
                ChaosStart::Job,
                ChaosStart::Leader,
                ChaosStart::Leader,
                ChaosStart::FewDescriptors,
                ChaosStart::ClosedOutput,
                ChaosStart::Piped,
                ChaosStart::IgnoredChildren,
            ],
        );
        let debug = names.iter().filter(|_| rng.below(3) == 0);
        let debug = debug.map(|name| (*name).to_owned()).collect();
        let count = 1 + rng.below(14);
        let events = (0..count).map(|id| event(&mut rng, names, id as u32)).collect();
        Self { seed, shape: shape.to_owned(), placement, start, debug, events }
    }
}

fn event(rng: &mut Rng, names: &[&str], id: u32) -> ChaosEvent {
    let name = pick(rng, names).to_owned();
    match rng.below(20) {
        0..8 => ChaosEvent::Instruct(name, instruction(rng, names, id)),
        8..12 => ChaosEvent::Signal(name, pick(rng, &SIGNALS)),
        12..16 => ChaosEvent::Keys(pick(rng, &KEYS).to_owned()),
        16 => ChaosEvent::Resize(1 + rng.below(60) as u16, 1 + rng.below(200) as u16),
        17 => ChaosEvent::Foreground,
        18 if rng.below(3) == 0 => ChaosEvent::Close,
        _ => ChaosEvent::Beat(rng.below(60) as u64),
    }
}

fn instruction(rng: &mut Rng, names: &[&str], id: u32) -> Instruction {
    let shielding = pick(rng, &[Shielding::Plain, Shielding::Plain, Shielding::Shielded]);
    let text = "chaos".to_owned();
    match rng.below(18) {
        0..5 => Instruction::Breakpoint { id, shielding },
        5 => Instruction::SyncBreakpoint { id, shielding },
        6 => Instruction::TwoBreakpoints { ids: [100 + id, 200 + id] },
        7 => Instruction::Error { text },
        8 => Instruction::Crash { text },
        9 => Instruction::Deadline {},
        10 => Instruction::Cancel {},
        11 => Instruction::CancelChild { name: pick(rng, names).to_owned() },
        12 => Instruction::Finish {},
        13 => Instruction::Block {},
        14 => Instruction::Unblock {},
        15 => Instruction::Print { text: "x".repeat(rng.below(4000)) },
        16 => Instruction::Warn { text },
        _ => {
            let script = pick(
                rng,
                &[
                    "exec sleep 1000",
                    "trap '' TERM INT HUP; sleep 1000; sleep 1000",
                    "(setsid sleep 1000 &); exit 0",
                    "for i in 1 2 3 4 5 6 7 8 9; do (true &); done; exit 3",
                    "kill -STOP $$",
                ],
            );
            let args = vec!["-c".to_owned(), script.to_owned()];
            Instruction::Command { program: "sh".to_owned(), args }
        }
    }
}
