//! Whether a run can come back to a state: decided on the steps of components, not on states.
//!
//! On a cycle of the explored graph every component comes back to its value, so it only takes
//! steps that lie on a cycle of its own values. And every input that it takes there was given by
//! somebody on the same cycle: by another component, or by an action all of whose inputs are taken
//! on it. What violates one of the two is struck out, and that again and again:
//!
//! ```text
//!     steps of all components --> strike out what lies on no cycle of the component's values
//!                       ^     --> strike out what nobody gives the input for     \
//!                       \________________________________________________________/
//! ```
//!
//! If no step that changes a value is left, there is no cycle. Budgets shrink and ladders climb, so
//! what they give dies out first, and with it the requests, the holds and the grants. The reverse
//! does not hold: what is left may still lie on no cycle of whole states. Counts of nodes and steps
//! here are those of the tables of the search, which are small beside its states.
//!
//! A cycle of states that count as one with their renamed forms is, a few times around, a cycle of
//! plain states whose steps are renamed forms of steps that were seen. So values and inputs are
//! named here by the least of their renamed forms.

use super::guard_table::GuardTable;
use super::intern::{InternView, Number, TableFull};
use super::memo::{Memo, PackedInput};
use super::symmetry::Symmetries;
use crate::world::component::ComponentInput;
use rustc_hash::FxHashMap;

/// What one thread has seen components do.
#[derive(Debug)]
pub struct ComponentSteps {
    /// Their steps.
    pub memo: Memo,
    /// The actions, with the inputs that they begin with.
    pub guards: GuardTable,
    /// Values that were replaced by others without an input: slot, before, after.
    pub replaced: Vec<(usize, Number, Number)>,
}

/// Whether a run may come back to a state.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recurrence {
    /// No run can: the graph has no cycle, loops on one state aside.
    Never,
    /// That is not excluded.
    Possible,
}

type NodeId = u32;
type InputId = u32;

/// A step of a component, by the least of its renamed forms.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Transition {
    from: NodeId,
    to: NodeId,
    changes: bool,
    /// None for a replacement, which takes no input.
    input: Option<InputId>,
    gives: Vec<InputId>,
}

/// The names of values and inputs, and all steps.
struct StepGraph<'v, 's, 't> {
    view: &'v mut InternView<'s, 't>,
    symmetries: &'v mut Symmetries,
    nodes: FxHashMap<(usize, Number), NodeId>,
    inputs: FxHashMap<(usize, ComponentInput), InputId>,
    transitions: FxHashMap<Transition, ()>,
    /// Each action's inputs.
    begun: FxHashMap<Vec<InputId>, ()>,
}

/// Decides whether the steps that were seen can lie on a cycle.
///
/// # Errors
/// If some component took too many values.
pub fn recurrence(
    view: &mut InternView<'_, '_>,
    symmetries: &mut Symmetries,
    seen: &[ComponentSteps],
) -> Result<Recurrence, TableFull> {
    let mut graph = StepGraph {
        view,
        symmetries,
        nodes: FxHashMap::default(),
        inputs: FxHashMap::default(),
        transitions: FxHashMap::default(),
        begun: FxHashMap::default(),
    };
    for steps in seen {
        graph.add(steps)?;
    }
    let (nodes, inputs) = (graph.nodes.len(), graph.inputs.len());
    let begun: Vec<_> = graph.begun.into_keys().collect();
    Ok(strike_out((nodes, inputs), &begun, graph.transitions.into_keys().collect()))
}

fn strike_out(
    (nodes, inputs): (usize, usize),
    begun: &[Vec<InputId>],
    mut left: Vec<Transition>,
) -> Recurrence {
    loop {
        let before = left.len();
        let given = given(inputs, begun, &left);
        left.retain(|step| step.input.is_none_or(|input| given[input as usize]));
        let component = components(nodes, &left);
        left.retain(|step| component[step.from as usize] == component[step.to as usize]);
        if !left.iter().any(|step| step.changes) {
            return Recurrence::Never;
        }
        if left.len() == before {
            return Recurrence::Possible;
        }
    }
}

impl StepGraph<'_, '_, '_> {
    fn add(&mut self, steps: &ComponentSteps) -> Result<(), TableFull> {
        for (task, before, after, answer) in steps.memo.steps() {
            let slot = usize::from(task.slot);
            let (from, to) = (self.node(slot, before)?, self.node(slot, after)?);
            let input = Some(self.input(&steps.memo, task));
            let gives = answer.tasks.iter().map(|task| self.input(&steps.memo, *task)).collect();
            let step = Transition { from, to, changes: before != after, input, gives };
            self.transitions.insert(step, ());
        }
        for (slot, before, after) in &steps.replaced {
            let (from, to) = (self.node(*slot, *before)?, self.node(*slot, *after)?);
            let step = Transition { from, to, changes: true, input: None, gives: Vec::new() };
            self.transitions.insert(step, ());
        }
        for tasks in steps.guards.begun() {
            let inputs = tasks.iter().map(|task| self.input(&steps.memo, *task)).collect();
            self.begun.insert(inputs, ());
        }
        Ok(())
    }

    fn node(&mut self, slot: usize, number: Number) -> Result<NodeId, TableFull> {
        let least = self.symmetries.least(self.view, slot, number)?;
        let next = self.nodes.len() as NodeId;
        Ok(*self.nodes.entry(least).or_insert(next))
    }

    fn input(&mut self, memo: &Memo, task: PackedInput) -> InputId {
        let least = self.symmetries.least_input(usize::from(task.slot), memo.input(task));
        let next = self.inputs.len() as InputId;
        *self.inputs.entry(least).or_insert(next)
    }
}

/// Which inputs somebody gives who can still take a step.
fn given(inputs: usize, begun: &[Vec<InputId>], left: &[Transition]) -> Vec<bool> {
    let (mut taken, mut given) = (vec![false; inputs], vec![false; inputs]);
    for step in left {
        if let Some(input) = step.input {
            taken[input as usize] = true;
        }
        step.gives.iter().for_each(|input| given[*input as usize] = true);
    }
    for action in begun.iter().filter(|action| action.iter().all(|one| taken[*one as usize])) {
        action.iter().for_each(|input| given[*input as usize] = true);
    }
    given
}

/// The number of each node's strongly connected component (Kosaraju and Sharir: a search forward
/// for the order in which nodes are done, and one backward in the reverse of it).
fn components(nodes: usize, steps: &[Transition]) -> Vec<u32> {
    let forward = Adjacency::new(nodes, steps.iter().map(|step| (step.from, step.to)));
    let backward = Adjacency::new(nodes, steps.iter().map(|step| (step.to, step.from)));
    let mut done = Vec::with_capacity(nodes);
    let mut seen = vec![false; nodes];
    for node in 0..nodes as NodeId {
        forward.visit(node, &mut seen, |node| done.push(node));
    }
    let mut component = vec![0; nodes];
    seen.fill(false);
    for (number, root) in done.into_iter().rev().enumerate() {
        backward.visit(root, &mut seen, |node| component[node as usize] = number as u32);
    }
    component
}

/// The neighbours of each node, one after another.
struct Adjacency {
    starts: Vec<u32>,
    neighbours: Vec<NodeId>,
}

impl Adjacency {
    fn new(nodes: usize, edges: impl Iterator<Item = (NodeId, NodeId)> + Clone) -> Self {
        let mut starts = vec![0_u32; nodes + 1];
        edges.clone().for_each(|(from, _)| starts[from as usize + 1] += 1);
        for node in 0..nodes {
            starts[node + 1] += starts[node];
        }
        let mut next = starts.clone();
        let mut neighbours = vec![0; starts[nodes] as usize];
        for (from, to) in edges {
            neighbours[next[from as usize] as usize] = to;
            next[from as usize] += 1;
        }
        Self { starts, neighbours }
    }

    /// Visits what can be reached and was not seen, depth-first; tells of each node when it is done.
    fn visit(&self, root: NodeId, seen: &mut [bool], mut done: impl FnMut(NodeId)) {
        if std::mem::replace(&mut seen[root as usize], true) {
            return;
        }
        let mut path = vec![(root, self.starts[root as usize])];
        while let Some((node, next)) = path.last_mut() {
            if *next == self.starts[*node as usize + 1] {
                done(*node);
                path.pop();
                continue;
            }
            let to = self.neighbours[*next as usize];
            *next += 1;
            if !std::mem::replace(&mut seen[to as usize], true) {
                path.push((to, self.starts[to as usize]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(from: NodeId, to: NodeId) -> Transition {
        Transition { from, to, changes: from != to, input: None, gives: Vec::new() }
    }

    #[test]
    fn components_are_what_leads_back_to_itself() {
        let steps = [step(0, 1), step(1, 2), step(2, 0), step(2, 3), step(3, 4), step(4, 3)];
        let component = components(6, &steps);
        assert_eq!((component[0], component[1]), (component[1], component[2]));
        assert_eq!(component[3], component[4]);
        let mut distinct = vec![component[0], component[3], component[5]];
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), 3);
    }

    #[test]
    fn two_that_keep_each_other_going_may_recur_until_one_of_them_cannot() {
        let takes = |from, to, input, gives: &[InputId]| Transition {
            input: Some(input),
            gives: gives.to_vec(),
            ..step(from, to)
        };
        // The first goes from 0 to 1 and back, the second from 2 to 3 and back, by turns.
        let round = [
            takes(0, 1, 0, &[2]),
            takes(2, 3, 2, &[1]),
            takes(1, 0, 1, &[3]),
            takes(3, 2, 3, &[0]),
        ];
        let decide = |steps: &[Transition]| strike_out((6, 5), &[vec![4]], steps.to_vec());
        assert_eq!(decide(&round), Recurrence::Possible);
        let mut broken = round.clone();
        broken[3].to = 4;
        assert_eq!(decide(&broken), Recurrence::Never, "the second does not come back");
        let mut broken = round.clone();
        broken[1].gives.clear();
        assert_eq!(decide(&broken), Recurrence::Never, "nobody gives the first its input");
        let mut free = broken;
        free[2].input = Some(4);
        free[0].input = Some(4);
        assert_eq!(decide(&free), Recurrence::Possible, "an action begins with it");
    }

    #[test]
    fn an_input_is_given_by_a_step_or_by_an_action_that_can_be_taken_whole() {
        let takes = |input| Transition { input: Some(input), ..step(0, 0) };
        let gives = Transition { gives: vec![2], ..takes(0) };
        let begun = [vec![0], vec![1, 3]];
        assert_eq!(given(4, &begun, &[gives.clone(), takes(1)]), [true, false, true, false]);
        assert_eq!(given(4, &begun, &[gives, takes(1), takes(3)]), [true; 4]);
    }
}
