//! `holdfast prove`: proves the properties for trees of every size.

use super::named;
use super::watch::{ProgressView, watched};
use super::{Format, TraceNotWritten, complain, print, print_json, write_trace};
use crate::exit::ExitClass;
use crate::json::prove::{ClaimJson, KindJson, ProofJson, ViolatedJson};
use anstyle::AnsiColor;
use clap::Args;
use holdfast_check::explore::Progress;
use holdfast_check::trace::{NamedPolicy, Trace};
use holdfast_protocol::{PolicyName, Rule};
use holdfast_prove::certificate::certificate;
use holdfast_prove::chart::ProofChart;
use holdfast_prove::claim::ProofClaim;
use holdfast_prove::concrete::concrete;
use holdfast_prove::focus::Focus;
use holdfast_prove::proof::{Conclusion, Proof, prove};
use std::fmt::Write as _;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// Proves the properties for trees of every size, any number of requests and faults.
///
/// One actor at a time runs between neighbours that may do whatever the contract of a link
/// permits. model/docs/PROOF.md is the argument, and says what of it is on paper.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 proved, 10 a claim is violated or was never put to the \
                        test, 14 the states of a kind of actor do not close, 130 interrupted.")]
pub struct ProveArgs {
    /// The policy of every actor.
    #[arg(long, value_name = "POLICY", default_value = "relay",
          value_parser = named::parser::<PolicyName>(), ignore_case = true)]
    policy: PolicyName,
    /// Takes a rule out of the policy; may be given more than once.
    #[arg(long, value_name = "RULE", value_delimiter = ',',
          value_parser = named::parser::<Rule>(), ignore_case = true)]
    without: Vec<Rule>,
    /// Writes all states to a file, for `holdfast verify`, if it is proved.
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// Writes a run of a small tree that violates the same claim to a file, for `holdfast replay`.
    #[arg(long, value_name = "FILE")]
    trace_out: Option<PathBuf>,
    /// Prints one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// A certificate that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write the certificate to {path}; choose another --certificate")]
struct CertificateError {
    path: PathBuf,
    source: std::io::Error,
}

impl ProveArgs {
    /// Does it.
    #[must_use]
    pub fn run(self) -> ExitClass {
        let named = NamedPolicy { policy: self.policy, without: self.without.clone() };
        let clock = Instant::now();
        let proof = watched(ProgressView::Proof, |progress| {
            prove(named.policy(), |_, states| {
                progress.states.store(states as u64, Relaxed);
                match progress.interrupt.load(Relaxed) {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            })
        });
        let proof = match proof {
            Ok((proof, _)) => proof,
            Err(error) => return complain(&error),
        };
        match Format::of_switch(self.json) {
            Format::Text => print(&text(&named, &proof, clock.elapsed())),
            Format::Json => print_json(&ProofJson::new(&named, &proof)),
        }
        let claims = proof.claims_violated();
        if let Some(path) = self.trace_out.as_ref().filter(|_| !claims.is_empty())
            && let Err(error) = write_concrete(path, &named, &claims)
        {
            return complain(&error);
        }
        let proved = proof.conclusion() == Conclusion::Proved;
        if let Some(path) = self.certificate.filter(|_| proved) {
            let text = certificate(named.policy(), |_, _| ControlFlow::Continue(()));
            let text = text.expect("it closed a moment ago");
            if let Err(source) = std::fs::write(&path, text) {
                return complain(&CertificateError { path, source });
            }
        }
        exit(proof.conclusion())
    }
}

/// Writes a run of a small tree that violates one of these claims, and says which tree that is.
fn write_concrete(
    path: &Path,
    named: &NamedPolicy,
    claims: &[ProofClaim],
) -> Result<(), TraceNotWritten> {
    let Some((config, found)) = concrete(named.policy(), claims, &Progress::default()) else {
        let _ = writeln!(anstream::stderr(), "no small tree violates that; no trace is written");
        return Ok(());
    };
    let _ = writeln!(
        anstream::stderr(),
        "in {}: `{}` is violated in {} steps; {} has them",
        config.tree,
        found.property,
        found.steps.len(),
        path.display()
    );
    write_trace(path, &Trace::new(&config, named, &found).to_text())
}

fn exit(conclusion: Conclusion) -> ExitClass {
    match conclusion {
        Conclusion::Proved => ExitClass::Holds,
        Conclusion::Violated | Conclusion::Vacuous => ExitClass::Safety,
        Conclusion::NotClosed => ExitClass::NotExhausted,
        Conclusion::Interrupted => ExitClass::Interrupted,
    }
}

fn text(named: &NamedPolicy, proof: &Proof, took: Duration) -> String {
    let (red, green) = (AnsiColor::Red.on_default().bold(), AnsiColor::Green.on_default());
    let mut text = String::new();
    let _ = writeln!(text, "{}, for trees of every size\n", named);
    kinds(proof, &mut text);
    let _ = match proof.conclusion() {
        Conclusion::Proved => {
            claims(proof, &mut text);
            let states: usize = proof.kinds.iter().map(|kind| kind.explored.states).sum();
            writeln!(
                text,
                "{green}proved{green:#} in {:.1} s: every claim holds in all {states} states. \
                 Each number counts how often the\nantecedent was reached. What is argued on \
                 paper: model/docs/PROOF.md",
                took.as_secs_f64()
            )
        }
        Conclusion::Violated => {
            if let Some((focus, violated)) = proof.shortest() {
                let _ = writeln!(text, "{focus}:\n{}\n", ProofChart { focus, violated });
            }
            if let Some(reason) = reason(named.policy) {
                let _ = writeln!(text, "{reason}\n");
            }
            writeln!(text, "{red}violated{red:#}")
        }
        Conclusion::Vacuous => {
            for claim in proof.vacuous() {
                let _ = writeln!(text, "`{claim}` was never put to the test");
            }
            writeln!(text, "{red}vacuous{red:#}: nothing is known of these")
        }
        Conclusion::NotClosed => {
            writeln!(text, "{red}not closed{red:#}: too many states; nothing is proved")
        }
        Conclusion::Interrupted => writeln!(text, "interrupted: nothing is proved"),
    };
    text
}

/// Why a policy that is not ours is violated.
fn reason(policy: PolicyName) -> Option<&'static str> {
    match policy {
        PolicyName::Relay => None,
        PolicyName::SingleDepth => Some(
            "Upstream's request goes straight to the root (`wait_for_parent_stdin_hijack`): the \
             actors between\nnever learn of it, so none of them can protect the prompt below it \
             (issue #320).",
        ),
        PolicyName::Unprotected => Some("Without a lock nobody waits, and nobody knows."),
    }
}

fn kinds(proof: &Proof, text: &mut String) {
    let _ = writeln!(
        text,
        "{:<15} {:>9} {:>10} {:>7} {:>7} {:>10} {:>8}  ends",
        "kind of actor", "states", "steps", "nodes", "links", "node runs", "time"
    );
    for kind in &proof.kinds {
        let explored = &kind.explored;
        let _ = writeln!(
            text,
            "{:<15} {:>9} {:>10} {:>7} {:>7} {:>10} {:>6.1} s  {}",
            explored.focus.to_string(),
            explored.states,
            explored.steps,
            explored.nodes,
            explored.links,
            explored.runs,
            kind.took.as_secs_f64(),
            explored.violated.first().map_or_else(
                || format!("{:?}", explored.closure).to_lowercase(),
                |violated| format!(
                    "violated: {} in {} steps",
                    violated.violation.claim,
                    violated.steps.len()
                ),
            )
        );
    }
    text.push('\n');
}

fn claims(proof: &Proof, text: &mut String) {
    let _ = write!(text, "{:<34}", "claim");
    for focus in Focus::ALL {
        let _ = write!(text, " {:>14}", focus.to_string());
    }
    text.push('\n');
    for claim in ProofClaim::all() {
        let _ = write!(text, "{:<34}", claim.to_string());
        for focus in Focus::ALL {
            let count = proof.reached(claim, focus);
            let cell = if count == 0 { "-".to_owned() } else { count.to_string() };
            let _ = write!(text, " {cell:>14}");
        }
        text.push('\n');
    }
    text.push('\n');
}

impl ProofJson {
    fn new(named: &NamedPolicy, proof: &Proof) -> Self {
        let conclusion = match proof.conclusion() {
            Conclusion::Proved => "proved",
            Conclusion::Violated => "violated",
            Conclusion::Vacuous => "vacuous",
            Conclusion::NotClosed => "not-closed",
            Conclusion::Interrupted => "interrupted",
        };
        let kinds = proof.kinds.iter().map(|kind| {
            let explored = &kind.explored;
            let focus = explored.focus;
            let violated = explored.violated.iter().map(|violated| ViolatedJson {
                claim: violated.violation.claim.to_string(),
                what: violated.violation.what,
                steps: violated.steps.len(),
                chart: ProofChart { focus, violated }.to_string(),
            });
            KindJson {
                kind: focus,
                states: explored.states,
                steps: explored.steps,
                nodes: explored.nodes,
                links: explored.links,
                node_runs: explored.runs,
                milliseconds: kind.took.as_millis(),
                violated: violated.collect(),
            }
        });
        let claims = ProofClaim::all().map(|claim| ClaimJson {
            claim: claim.to_string(),
            reached: Focus::ALL.map(|focus| proof.reached(claim, focus)).to_vec(),
        });
        Self {
            policy: named.policy,
            without: named.without.clone(),
            conclusion,
            kinds: kinds.collect(),
            claims: claims.collect(),
        }
    }
}
