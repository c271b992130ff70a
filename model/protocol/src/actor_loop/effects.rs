//! What an actor loop acts through: the operating system, or a simulation of it.

use super::event::{Event, Examine, Point, TaskEnd};
use crate::{ActorId, Input, Message, Node, Output, RequestId, Status};
use alloc::vec::Vec;

/// Which events may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intake {
    /// Every event.
    All,
    /// Those of which [`Event::is_urgent`] says so.
    UrgentOnly,
}

/// What reading a link gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incoming<Frame> {
    /// A message of the protocol. A baton that a grant brings along is kept for its request.
    Message(Message),
    /// Something else.
    Frame(Frame),
    /// Nothing for now. [`Event::Readable`] tells of more.
    Nothing,
    /// The end: nothing will come any longer, or nothing that can be read.
    End,
    /// There is no such link.
    NoLink,
}

/// What a frame that is not a message of the protocol means for the actor.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameVerdict {
    /// The frame asks for nothing else.
    Fine,
    /// A supervisor below has reaped an actor, whose children are orphans now.
    Orphans,
    /// The peer sends what it must not.
    Misbehaves,
}

/// Which children are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChildScope {
    /// Those that are known to be actors of this tree.
    Actors,
    /// All children, foreign ones included.
    All,
}

/// What an actor acts through. No decision is made here.
///
/// The runtime implements this over sockets, processes and signals, the simulation over simulated
/// ones.
pub trait Effects {
    /// A child that is to be started.
    type Order;
    /// How the user task ended, with what is known of that.
    type Ending;
    /// What comes on links besides messages of the protocol.
    type Frame;

    /// How much of one link is read before other events get their turn.
    const TURN: usize;

    /// Waits for the next event. A loop that is not to go on gets none.
    fn next(&mut self, node: &Node, intake: Intake) -> impl Future<Output = Option<EventOf<Self>>>;

    /// Puts an event behind those that wait.
    fn requeue(&mut self, event: EventOf<Self>);

    /// Is told of every input, the node behind it and what came of it, before the outputs are
    /// performed.
    fn handled(&mut self, node: &Node, input: Input, outputs: &[Output]) {
        let _ = (node, input, outputs);
    }

    /// Performs an output. What it leads to comes as an event.
    ///
    /// [`Output::Sweep`] and [`Output::Exit`] are the loop's own, and only told.
    fn perform(&mut self, output: Output);

    /// Reads the next of a link.
    fn read(&mut self, peer: ActorId) -> Incoming<Self::Frame>;

    /// Takes a frame that is not a message of the protocol.
    fn frame(&mut self, node: &Node, peer: ActorId, frame: Self::Frame) -> FrameVerdict;

    /// Closes the own end of a link.
    fn close_link(&mut self, peer: ActorId);

    /// Closes the baton that came with the grant of a request, unless it was sent on or is that of
    /// an open prompt.
    fn close_unused_baton(&mut self, request: RequestId);

    /// Lets go of a debug session whose baton was closed.
    fn end_session(&mut self, request: RequestId);

    /// Waits for a child whose process has ended, and says how. If the process goes on, the child is
    /// watched again.
    fn reap(&mut self, child: ActorId) -> Option<Status>;

    /// Is told that a reaped child has failed unasked, and says whether that may open a prompt.
    fn child_failed(&mut self, child: ActorId) -> Examine;

    /// Is told that a reaped child was dealt with: those above may have orphans now.
    fn child_gone(&mut self, child: ActorId);

    /// The children of this process, alive or ended, if the system tells.
    fn children(&mut self, search: ChildScope) -> Option<Vec<ActorId>>;

    /// Watches a child that was not started here, if it is there.
    #[must_use]
    fn adopt(&mut self, child: ActorId) -> bool;

    /// Starts a child, if that is possible.
    fn spawn(&mut self, order: Self::Order) -> Option<ActorId>;

    /// Says that no child is started any longer.
    fn refuse(&mut self, order: Self::Order);

    /// Notes how the user task ended.
    fn task_ended(&mut self, ending: Self::Ending) -> TaskEnd;

    /// Whether the user task has parts that are waited for, however long they take.
    fn task_is_shielded(&self) -> bool;

    /// Gives the user task its time once more: [`Event::TaskOverdue`] comes when it is over.
    fn await_task(&mut self);

    /// Is told that the user task is not waited for any longer.
    fn give_up_task(&mut self);

    /// Whether an input may be taken now. If not, [`Event::Released`] comes when it may.
    #[must_use]
    fn passes(&mut self, point: Point) -> bool {
        let _ = point;
        true
    }
}

/// An event of an actor loop over `E`.
pub type EventOf<E> = Event<<E as Effects>::Order, <E as Effects>::Ending>;
