//! What is explored: the actor in focus, its two links, and what the kernel keeps beside them.

use super::environment::EnvironmentMove;
use super::focus::Focus;
use super::side::Side;
use holdfast_check::world::link::LinkEnd;
use holdfast_protocol::lock::client::RequestStage;
use holdfast_protocol::{Node, Output, Timer};

/// A process in focus below: the child on the path, or the orphan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KidLife {
    /// Not there yet.
    #[default]
    Unborn,
    /// The process is alive.
    Alive,
    /// Dead, and not reaped.
    Zombie,
    /// The process was reaped.
    Gone,
}

/// The baton of `r`, as the root sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BatonLife {
    /// Not made.
    #[default]
    Unmade,
    /// Made, and open somewhere.
    Out,
    /// Closed everywhere.
    Closed,
    /// Closed, and the root knows.
    Read,
}

/// What the kernel keeps beside the node in focus and its links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Around {
    /// The child, or the orphan.
    pub kid: KidLife,
    /// Whether the grace of the kid runs.
    pub grace: bool,
    /// Whether the time to yield of `r` runs.
    pub yields: bool,
    /// The baton of `r`.
    pub baton: BatonLife,
    /// Whether the actor in focus has asked for `r`.
    pub asked: bool,
    /// Whether the terminal has the modes of a session.
    pub session: bool,
    /// Whether the actor in focus was killed. Its batons and its lock stay as they are.
    pub killed: bool,
}

impl Around {
    /// The same in eleven bits.
    #[must_use]
    pub fn bits(self) -> u16 {
        let flags = [self.grace, self.yields, self.asked, self.session, self.killed];
        let flags = flags.iter().fold(0, |bits, flag| bits << 1 | u16::from(*flag));
        flags << 4 | (self.kid as u16) << 2 | self.baton as u16
    }

    /// The value of such bits.
    #[must_use]
    pub fn of_bits(bits: u16) -> Self {
        let flag = |place: u16| bits >> (4 + place) & 1 == 1;
        let kid = [KidLife::Unborn, KidLife::Alive, KidLife::Zombie, KidLife::Gone]
            [usize::from(bits >> 2 & 3)];
        let batons = [BatonLife::Unmade, BatonLife::Out, BatonLife::Closed, BatonLife::Read];
        Self {
            kid,
            grace: flag(4),
            yields: flag(3),
            baton: batons[usize::from(bits & 3)],
            asked: flag(2),
            session: flag(1),
            killed: flag(0),
        }
    }
}

impl Around {
    /// What an output of the actor in focus makes of it.
    #[must_use]
    pub fn after(self, output: Output) -> Self {
        match output {
            Output::Arm { timer } => self.armed(timer, true),
            Output::Disarm { timer } => self.armed(timer, false),
            Output::Requested { .. } => Self { asked: true, ..self },
            Output::TerminalTaken => Self { session: true, ..self },
            Output::TerminalRestored => Self { session: false, ..self },
            Output::Send { .. }
            | Output::Exit { .. }
            | Output::Signal { .. }
            | Output::PromptOpened { .. }
            | Output::PromptClosed { .. }
            | Output::Refused { .. }
            | Output::BatonDropped { .. }
            | Output::InterruptObeyed
            | Output::TeardownStarted { .. }
            | Output::Sweep
            | Output::Noticed { .. }
            | Output::Alarmed { .. } => self,
        }
    }

    fn armed(self, timer: Timer, on: bool) -> Self {
        match timer {
            Timer::Grace(_) => Self { grace: on, ..self },
            Timer::Yield(_) => Self { yields: on, ..self },
        }
    }
}

/// One state, as values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FocusState {
    /// The node in focus.
    pub node: Node,
    /// The link to the supervisor.
    pub up: Side,
    /// The link to the child.
    pub down: Side,
    /// The rest of the machine.
    pub around: Around,
}

impl FocusState {
    /// The same, seen whole.
    #[must_use]
    pub fn view(&self, focus: Focus) -> FocusView<'_> {
        let Self { node, up, down, around } = self;
        FocusView { focus, node, up, down, around: *around }
    }

    /// The same after the machine or a neighbour has moved, or made room for the actor.
    #[must_use]
    pub fn after(&self, step: &EnvironmentMove) -> Self {
        let mut after = Self { around: step.around, ..self.clone() };
        match &step.link {
            Some(side) if side.far == LinkEnd::Upper => after.up = side.clone(),
            Some(side) => after.down = side.clone(),
            None => {}
        }
        after
    }
}

/// One state, seen whole.
#[derive(Clone, Copy, Debug)]
pub struct FocusView<'a> {
    /// What is in focus.
    pub focus: Focus,
    /// The node in focus.
    pub node: &'a Node,
    /// The link to the supervisor; unused at the root.
    pub up: &'a Side,
    /// The link to the child; unused where none is on the path.
    pub down: &'a Side,
    /// The rest of the machine.
    pub around: Around,
}

impl FocusView<'_> {
    /// The stage of the request in focus, if it is the actor's own.
    #[must_use]
    pub fn own_stage(&self) -> Option<RequestStage> {
        self.node.requests().find(self.focus.request()).map(|own| own.stage)
    }

    /// Whether the prompt of `r` is open in the actor in focus.
    #[must_use]
    pub fn prompt_here(&self) -> bool {
        self.own_stage() == Some(RequestStage::Open)
    }

    /// Whether the prompt of `r` may be open in the child or below it.
    #[must_use]
    pub fn prompt_in_child(&self) -> bool {
        let out = !self.focus.is_root() || self.around.baton == BatonLife::Out;
        let alive = self.focus.has_child() && self.around.kid == KidLife::Alive;
        alive && out && self.down.said.may_prompt()
    }

    /// The same, and messages pass between the actor in focus and its child.
    #[must_use]
    pub fn prompt_below(&self) -> bool {
        self.prompt_in_child() && self.down.connected()
    }

    /// Whether messages pass between the actor in focus and its supervisor.
    #[must_use]
    pub fn connected_up(&self) -> bool {
        !self.focus.is_root() && self.up.connected()
    }
}
