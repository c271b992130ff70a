//! The mistakes of a case that has the right shape: names that nothing bears, steps that cannot
//! be, claims that contradict each other.

use super::diagnostic::Diagnostic;
use super::programs;
use super::resolve::BASE;
use super::span::{Segment, SpanMap};
use super::step::ConditionScope;
use super::{Case, CaseVariant, FaultCounts, Step};
use crate::expect::{Expectation, Expectations};
use holdfast_check::tree::{ActorStart, Tree, TreeError};
use holdfast_check::world::Fault;
use holdfast_protocol::ActorId;
use std::fmt;
use std::ops::Range;

/// Looks for mistakes in a case that has the right shape.
pub struct Checker<'a> {
    case: &'a Case,
    spans: &'a SpanMap<'a>,
    found: Vec<Diagnostic>,
}

impl<'a> Checker<'a> {
    /// Everything that is wrong with the case in the file `<name>.toml`.
    #[must_use]
    pub fn check(case: &'a Case, name: &str, spans: &'a SpanMap<'a>) -> Vec<Diagnostic> {
        let mut checker = Self { case, spans, found: Vec::new() };
        checker.check_names(name);
        checker.check_expectations();
        checker.check_forced();
        match case.tree.parse::<Tree>() {
            Err(error) => checker.say_tree(&error),
            Ok(tree) => {
                checker.check_debug(&tree);
                checker.check_steps(&case.step, &tree, &[Segment::Key("step")]);
                checker.check_length(case.steps(None).len(), &[Segment::Key("step")]);
                checker.check_variants(&tree);
            }
        }
        checker.found
    }

    fn say(&mut self, way: &[Segment<'_>], what: impl fmt::Display, expected: impl fmt::Display) {
        let span = self.spans.find(way);
        self.found.push(Diagnostic::new(span, what, expected));
    }

    fn check_names(&mut self, name: &str) {
        let case = self.case;
        if !is_slug(&case.id) {
            let what = format!("`{}` is not a name for a case", case.id);
            self.say(&[Segment::Key("id")], what, "lower-case letters, digits and `-`");
        } else if case.id != name {
            let what = format!("the id `{}` is not the name of the file", case.id);
            self.say(&[Segment::Key("id")], what, format_args!("`{name}`, or rename the file"));
        }
        if case.title.trim().is_empty() {
            self.say(&[Segment::Key("title")], "the title is empty", "the situation in one line");
        }
        if case.source.is_empty() {
            let expected = "at least one: an issue, a test, a person who saw it";
            self.say(&[Segment::Key("source")], "no source", expected);
        }
        self.check_placement();
        self.check_faults(case.faults, &[Segment::Key("faults")]);
    }

    fn check_placement(&mut self) {
        let case = self.case;
        let mut seen = Vec::new();
        for (index, placement) in case.placement.iter().enumerate() {
            if seen.contains(placement) {
                let way = [Segment::Key("placement"), Segment::At(index)];
                self.say(&way, format!("`{placement}` is given twice"), "each once");
            }
            seen.push(*placement);
        }
        if case.placement.is_empty() {
            let expected = "`shared-group`, `own-session` or both";
            self.say(&[Segment::Key("placement")], "no placement", expected);
        }
    }

    fn check_faults(&mut self, faults: FaultCounts, way: &[Segment<'_>]) {
        let budget = faults.budget();
        for fault in Fault::ALL {
            if budget.left(fault) > MOST_FAULTS {
                let name = fault.to_string();
                let way: Vec<_> = way.iter().copied().chain([Segment::Key(&name)]).collect();
                let what = format!("{} faults of one kind", budget.left(fault));
                let expected = format!("at most {MOST_FAULTS}: each more multiplies the states");
                self.say(&way, what, expected);
            }
        }
    }

    fn say_tree(&mut self, error: &TreeError) {
        let span = self.spans.find(&[Segment::Key("tree")]);
        let inside = match error {
            TreeError::NoName { column, .. }
            | TreeError::LongName { column, .. }
            | TreeError::Unexpected { column, .. } => *column,
            _ => {
                return self.found.push(Diagnostic::new(
                    span,
                    error,
                    "a tree like `root(mid(leaf))`",
                ));
            }
        };
        let at = (span.start + inside).min(span.end);
        self.found.push(Diagnostic::new(at..at + 1, error, "a tree like `root(mid(leaf))`"));
    }

    fn check_debug(&mut self, tree: &Tree) {
        let case = self.case;
        for (index, name) in case.debug.iter().enumerate() {
            let way = [Segment::Key("debug"), Segment::At(index)];
            let actor = self.known_actor(name, tree, self.spans.find(&way));
            let hosts = |id: &ActorId| tree.is_program(*id) || tree.program_of(*id).is_some();
            if actor.is_some_and(|id| hosts(&id)) {
                let expected =
                    "an actor without a program: neither a host nor its program examines failures";
                self.say(&way, format!("`{name}` cannot be in debug mode"), expected);
            }
            if case.debug[..index].contains(name) {
                self.say(&way, format!("`{name}` is given twice"), "each actor once");
            }
        }
    }

    fn known_actor(&mut self, name: &str, tree: &Tree, span: Range<usize>) -> Option<ActorId> {
        let actor = tree.find(name);
        if actor.is_none() {
            let known: Vec<_> = tree.ids().map(|id| tree.name(id)).collect();
            self.found.push(Diagnostic::unknown(span, "actor", name, &known));
        }
        actor
    }

    fn check_steps(&mut self, steps: &[Step], tree: &Tree, way: &[Segment<'_>]) {
        for (index, step) in steps.iter().enumerate() {
            let way: Vec<_> = way.iter().copied().chain([Segment::At(index)]).collect();
            self.check_step(step, tree, &way);
        }
    }

    fn check_length(&mut self, steps: usize, way: &[Segment<'_>]) {
        if steps > MOST_STEPS {
            self.say(way, format!("{steps} steps"), format!("at most {MOST_STEPS}"));
        }
    }

    fn check_step(&mut self, step: &Step, tree: &Tree, way: &[Segment<'_>]) {
        let name_way: Vec<_> = way.iter().copied().chain([Segment::Key("actor")]).collect();
        if let Step::Wait { until, actor } = step {
            match (until.speaks(), actor) {
                (ConditionScope::OfActor, None) => {
                    self.say(way, "a condition without its actor", "`actor = \"…\"` beside it");
                }
                (ConditionScope::OfTree, Some(_)) => {
                    let expected = "no `actor`: the condition is about the whole tree";
                    self.say(&name_way, "an actor that says nothing", expected);
                }
                (ConditionScope::OfActor, Some(_)) | (ConditionScope::OfTree, None) => {}
            }
        }
        let Some(name) = step.actor() else { return };
        let Some(id) = self.known_actor(name, tree, self.spans.find(&name_way)) else { return };
        let debug = self.case.debug.iter().any(|other| other == name);
        if let Some((what, expected)) = programs::mistake(step, tree, id) {
            return self.say(&name_way, what, expected);
        }
        match step {
            Step::Spawn { .. } if tree.start(id) == ActorStart::Running => {
                let expected = format!("`{name}?` in the tree, which starts without it");
                self.say(&name_way, format!("`{name}` is there from the start"), expected);
            }
            Step::Crash { .. } if !debug => {
                let expected = format!("`{name}` in `debug`, or `do = \"error\"`");
                self.say(&name_way, format!("`{name}` is not in debug mode"), expected);
            }
            Step::Error { .. } if debug => {
                let what = format!("`{name}` is in debug mode: its errors open a prompt");
                self.say(&name_way, what, "`do = \"crash\"` or `do = \"error-unexamined\"`");
            }
            Step::CancelChild { .. } if tree.supervisor(id).is_none() => {
                let what = format!("`{name}` is nobody's child");
                self.say(&name_way, what, "an actor below the root, or `do = \"cancel\"`");
            }
            Step::Cut { .. } if tree.supervisor(id).is_none() => {
                let what = format!("`{name}` has no link to a supervisor");
                self.say(&name_way, what, "an actor below the root");
            }
            _ => {}
        }
    }

    fn check_expectations(&mut self) {
        let case = self.case;
        if case.expect.iter().next().is_none() {
            let expected = "what at least one policy makes of it: `relay = \"holds\"`";
            self.say(&[Segment::Key("expect")], "nothing is expected", expected);
        }
        self.check_falls(&case.expect, &[Segment::Key("expect")]);
        for (index, variant) in case.variant.iter().enumerate() {
            let way = [Segment::Key("variant"), Segment::At(index), Segment::Key("expect")];
            self.check_falls(&variant.expect, &way);
        }
    }

    fn check_falls(&mut self, expect: &Expectations, way: &[Segment<'_>]) {
        for (policy, expectation) in expect.iter() {
            let Expectation::Violates(violation) = expectation else { continue };
            let policy = policy.to_string();
            for (index, also) in violation.also.iter().enumerate() {
                if *also == violation.violates || violation.also[..index].contains(also) {
                    let inside = [Segment::Key(&policy), Segment::Key("also"), Segment::At(index)];
                    let way: Vec<_> = way.iter().copied().chain(inside).collect();
                    self.say(&way, format!("`{also}` is given twice"), "each property once");
                }
            }
        }
    }

    /// What real processes are forced to show must be a failure that is claimed.
    fn check_forced(&mut self) {
        let case = self.case;
        for (index, forced) in case.forced.iter().enumerate() {
            let way = [Segment::Key("forced"), Segment::At(index)];
            for (at, name) in forced.runs.iter().enumerate() {
                if name != BASE && !case.variant.iter().any(|variant| variant.name == *name) {
                    let way: Vec<_> =
                        way.into_iter().chain([Segment::Key("runs"), Segment::At(at)]).collect();
                    let expected = "`base`, or the name of a variant";
                    self.say(&way, format!("there is no variant `{name}`"), expected);
                }
            }
            let of_case = case.expect.of(forced.policy);
            let of_variants = case.variant.iter().map(|variant| variant.expect.of(forced.policy));
            let mut claims = of_variants.chain([of_case]).flatten();
            if !claims.any(|claim| matches!(claim, Expectation::Violates(_))) {
                let expected = "a policy under which something is claimed to be violated";
                let way: Vec<_> = way.into_iter().chain([Segment::Key("policy")]).collect();
                self.say(&way, format!("nothing is violated under `{}`", forced.policy), expected);
            }
        }
    }

    fn check_variants(&mut self, tree: &Tree) {
        let case = self.case;
        let mut marks: Vec<&str> = Vec::new();
        for (index, step) in case.step.iter().enumerate() {
            let Step::Mark { name } = step else { continue };
            let way = [Segment::Key("step"), Segment::At(index), Segment::Key("name")];
            if marks.contains(&name.as_str()) {
                self.say(&way, format!("the mark `{name}` is set twice"), "another name");
            }
            if !case.variant.iter().any(|variant| variant.insert.contains_key(name)) {
                let expected = "a variant that puts steps in here, or no mark";
                self.say(&way, format!("nothing uses the mark `{name}`"), expected);
            }
            marks.push(name);
        }
        for (index, variant) in case.variant.iter().enumerate() {
            let way = [Segment::Key("variant"), Segment::At(index)];
            self.check_variant(index, variant, &marks, &way);
            for (mark, steps) in &variant.insert {
                let inside = [Segment::Key("insert"), Segment::Key(mark)];
                let way: Vec<_> = way.iter().copied().chain(inside).collect();
                self.check_steps(steps, tree, &way);
                if steps.iter().any(|step| matches!(step, Step::Mark { .. })) {
                    self.say(&way, "a mark in steps that are put in", "marks in the case itself");
                }
            }
        }
    }

    fn check_variant(
        &mut self,
        at: usize,
        variant: &CaseVariant,
        marks: &[&str],
        way: &[Segment<'_>],
    ) {
        let inside = |more: &[Segment<'a>]| way.iter().chain(more).copied().collect::<Vec<_>>();
        let name_way = inside(&[Segment::Key("name")]);
        if !is_slug(&variant.name) {
            let what = format!("`{}` is not a name for a variant", variant.name);
            self.say(&name_way, what, "lower-case letters, digits and `-`");
        }
        if self.case.variant[..at].iter().any(|other| other.name == variant.name) {
            self.say(&name_way, format!("two variants `{}`", variant.name), "another name");
        }
        for mark in variant.insert.keys().filter(|mark| !marks.contains(&mark.as_str())) {
            let span =
                self.spans.find(&[way, &[Segment::Key("insert"), Segment::KeyName(mark)]].concat());
            self.found.push(Diagnostic::unknown(span, "mark", mark, marks));
        }
        if variant.insert.is_empty() && variant.placement.is_none() && variant.faults.is_none() {
            let expected = "`insert`, `placement` or `faults`";
            self.say(way, format!("the variant `{}` changes nothing", variant.name), expected);
        }
        self.check_length(self.case.steps(Some(variant)).len(), way);
        if let Some(faults) = variant.faults {
            self.check_faults(faults, &[way, &[Segment::Key("faults")]].concat());
        }
    }
}

fn is_slug(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !name.is_empty() && name.len() <= 60 && name.chars().all(plain)
}

const MOST_FAULTS: u8 = 9;
const MOST_STEPS: usize = 60;
