//! The state of every actor, asked for down the tree and answered up it.
//!
//! For the command `tree` of a prompt and for the dump on SIGUSR1. An actor that does not answer (it
//! is stopped, or booting) is shown as such by what its supervisor says of it.

use holdfast_protocol::hold::HoldStage;
use holdfast_protocol::lock::client::RequestStage;
use holdfast_protocol::node::TreePosition;
use holdfast_protocol::teardown::Teardown;
use holdfast_protocol::{ActorId, Node};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SurveyTopic {
    /// Every actor.
    Tree,
    /// Who waits for the terminal, since when and where.
    Waiting,
}

/// Who asks, and which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Token {
    pub(crate) asker: u32,
    pub(crate) serial: u32,
}

/// A child, as its supervisor sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ChildReport {
    pub(crate) pid: u32,
    pub(crate) name: String,
    /// Whether it can answer for itself.
    pub(crate) answers: bool,
    pub(crate) rung: String,
}

/// One actor, as it sees itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) pid: u32,
    pub(crate) path: String,
    pub(crate) teardown: String,
    pub(crate) prompts: Vec<String>,
    pub(crate) holds: Vec<String>,
    /// Its own requests that wait, in their order: since when and where.
    pub(crate) waits: Vec<String>,
    /// The root alone: who has the lock, then who waits.
    pub(crate) lock: Vec<String>,
    pub(crate) children: Vec<ChildReport>,
}

impl Report {
    /// What an actor says of itself. `names` are its children.
    pub(crate) fn of(
        node: &Node,
        path: &str,
        children: Vec<ChildReport>,
        waits: Vec<String>,
    ) -> Self {
        let teardown = match node.teardown() {
            Teardown::NotAsked => "running".to_owned(),
            Teardown::Deferred(cause) => format!("must end ({cause:?}), waits for a prompt"),
            Teardown::Running(cause) => format!("ending ({cause:?})"),
            Teardown::Over => "ended".to_owned(),
        };
        let prompts = node.requests().iter().map(|own| match own.stage {
            RequestStage::Waiting => "waits for the terminal".to_owned(),
            RequestStage::Open => "at its prompt".to_owned(),
        });
        let holds = node.holds().iter().map(|(request, hold)| {
            let stage = match hold.stage {
                HoldStage::Waiting => "waits",
                HoldStage::Granted => "has the terminal",
                HoldStage::Detached => "has the terminal, its branch is lost",
                HoldStage::Closed => "is done",
            };
            format!("holds for {} ({stage})", request.actor.0)
        });
        let lock = match node.position() {
            TreePosition::Root { server, .. } => {
                server.owner().into_iter().chain(server.waiting()).map(|r| r.actor.0.to_string())
            }
            .collect(),
            TreePosition::Below { .. } => Vec::new(),
        };
        let (prompts, holds) = (prompts.collect(), holds.collect());
        Self {
            pid: node.id().0,
            path: path.to_owned(),
            teardown,
            prompts,
            holds,
            waits,
            lock,
            children,
        }
    }
}

/// The most reports that a survey takes.
const MOST_REPORTS: usize = 16 << 10;

/// A survey under way, at who asked.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    reports: BTreeMap<u32, Report>,
    /// Those who have gone meanwhile.
    gone: BTreeSet<u32>,
}

impl Survey {
    /// Takes a report in.
    pub(crate) fn add(&mut self, report: Report) {
        if self.reports.len() < MOST_REPORTS || self.reports.contains_key(&report.pid) {
            self.reports.insert(report.pid, report);
        }
    }

    /// Waits for this actor no longer.
    pub(crate) fn lose(&mut self, pid: u32) {
        self.gone.insert(pid);
    }

    /// Whether everybody who can answer has.
    pub(crate) fn is_complete(&self) -> bool {
        let came = |pid| self.reports.contains_key(pid) || self.gone.contains(pid);
        let mut children = self.reports.values().flat_map(|report| &report.children);
        children.all(|child| !child.answers || came(&child.pid))
    }

    /// Who waits for the terminal, the next one first.
    fn render_waiting(&self, root: ActorId) -> String {
        let lock = self.reports.get(&root.0).map_or(&[][..], |report| &report.lock);
        let waiting = lock.get(1..).unwrap_or_default();
        let mut text = String::new();
        for (index, pid) in waiting.iter().enumerate() {
            let earlier = waiting[..index].iter().filter(|other| *other == pid).count();
            let report = pid.parse().ok().and_then(|pid: u32| self.reports.get(&pid));
            let wait = report.and_then(|report| report.waits.get(earlier));
            let wait = wait.map_or("does not answer", String::as_str);
            let _ = writeln!(text, "{}. {}, {wait}", index + 1, self.name_of(pid));
        }
        if text.is_empty() { "nobody waits\n".to_owned() } else { text }
    }

    /// What was asked for, as text.
    pub(crate) fn answer(&self, root: ActorId, about: SurveyTopic) -> String {
        match about {
            SurveyTopic::Tree => self.render(root),
            SurveyTopic::Waiting => self.render_waiting(root),
        }
    }

    /// The tree as text, supervisors before their children.
    fn render(&self, root: ActorId) -> String {
        let mut text = String::new();
        self.render_below(root.0, 0, &mut BTreeSet::new(), &mut text);
        text
    }

    /// An actor says who its children are, and may lie: nobody is shown twice, so this ends.
    fn render_below(&self, pid: u32, depth: usize, shown: &mut BTreeSet<u32>, text: &mut String) {
        let Some(report) = self.reports.get(&pid).filter(|_| shown.insert(pid)) else { return };
        let indent = "  ".repeat(depth);
        let name = report.path.rsplit('/').next().unwrap_or(&report.path);
        let _ = write!(text, "{indent}{name} [{pid}] {}", report.teardown);
        for fact in report.prompts.iter().chain(&report.holds) {
            let _ = write!(text, ", {}", self.named(fact));
        }
        if let Some((owner, waiting)) = report.lock.split_first() {
            let _ = write!(text, "; the terminal: {}", self.name_of(owner));
            for waits in waiting {
                let _ = write!(text, ", then {}", self.name_of(waits));
            }
        }
        text.push('\n');
        for child in &report.children {
            if self.reports.contains_key(&child.pid) {
                self.render_below(child.pid, depth + 1, shown, text);
            } else {
                let why =
                    if child.answers { "does not answer" } else { "not an actor, or booting" };
                let (name, pid, rung) = (&child.name, child.pid, &child.rung);
                let _ = writeln!(text, "{indent}  {name} [{pid}] {why}, {rung}");
            }
        }
    }

    /// A process number as a path, where it is known.
    fn name_of(&self, pid: &str) -> String {
        let report = pid.parse().ok().and_then(|pid: u32| self.reports.get(&pid));
        report.map_or_else(|| pid.to_owned(), |report| report.path.clone())
    }

    fn named(&self, fact: &str) -> String {
        let Some(rest) = fact.strip_prefix("holds for ") else { return fact.to_owned() };
        let (pid, stage) = rest.split_once(' ').unwrap_or((rest, ""));
        format!("holds for {} {stage}", self.name_of(pid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(pid: u32, path: &str, waits: &[&str], lock: &[&str]) -> Report {
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        Report {
            pid,
            path: path.to_owned(),
            teardown: "running".to_owned(),
            prompts: Vec::new(),
            holds: Vec::new(),
            waits: texts(waits),
            lock: texts(lock),
            children: Vec::new(),
        }
    }

    #[test]
    fn who_waits_is_listed_in_turn_with_each_of_its_own_requests() {
        let mut survey = Survey::default();
        survey.add(report(1, "root", &[], &["2", "3", "4", "3"]));
        survey.add(report(3, "root/sib", &["since 7 s, at a.rs:1:1", "a program"], &[]));
        assert_eq!(
            survey.answer(ActorId(1), SurveyTopic::Waiting),
            "1. root/sib, since 7 s, at a.rs:1:1\n2. 4, does not answer\n3. root/sib, a program\n"
        );
    }

    #[test]
    fn where_nobody_waits_that_is_said() {
        for lock in [&[][..], &["2"]] {
            let mut survey = Survey::default();
            survey.add(report(1, "root", &[], lock));
            assert_eq!(survey.answer(ActorId(1), SurveyTopic::Waiting), "nobody waits\n");
        }
    }

    #[test]
    fn a_tree_that_bites_its_tail_is_shown_once() {
        let child = |pid| ChildReport {
            pid,
            name: "a".to_owned(),
            answers: true,
            rung: "running".to_owned(),
        };
        let report = |pid, children| Report { children, ..report(pid, "root", &[], &[]) };
        let mut survey = Survey::default();
        survey.add(report(1, vec![child(2)]));
        survey.add(report(2, vec![child(1), child(2)]));
        assert_eq!(survey.render(ActorId(1)).matches("[1]").count(), 1);
    }
}
