//! JUnit XML, as build servers read it: a suite a policy, a test a run.

use super::{RunReport, text};
use crate::expect::Met;
use anstream::adapter::strip_str;
use holdfast_protocol::policy::PolicyName;
use std::fmt::Write as _;

/// The whole file.
#[must_use]
pub fn xml(rows: &[RunReport<'_>]) -> String {
    let mut xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
    for policy in PolicyName::ALL {
        let rows: Vec<_> = rows.iter().filter(|row| row.job.run.policy == policy).collect();
        if rows.is_empty() {
            continue;
        }
        let count = |met| rows.iter().filter(|row| row.met() == met).count();
        let seconds: f64 = rows.iter().map(|row| seconds(row)).sum();
        let _ = writeln!(
            xml,
            "  <testsuite name=\"{policy}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" \
             skipped=\"0\" time=\"{seconds:.3}\">",
            rows.len(),
            count(Met::No),
            count(Met::Unknown)
        );
        rows.iter().for_each(|row| write_test(row, &mut xml));
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn write_test(row: &RunReport<'_>, xml: &mut String) {
    let name = escaped(&format!("{} ({})", row.job.id(), row.job.setting()));
    let class = escaped(&format!("{}.{}", row.job.run.policy, row.job.id()));
    let seconds = seconds(row);
    let _ =
        write!(xml, "    <testcase name=\"{name}\" classname=\"{class}\" time=\"{seconds:.3}\"");
    let tag = match row.met() {
        Met::Yes => return xml.push_str("/>\n"),
        Met::No => "failure",
        Met::Unknown => "error",
    };
    let message = match &row.live {
        None => row.ran.outcome.to_string(),
        Some(live) => format!(
            "model {}, live {}, conformance {}",
            row.ran.outcome, live.outcome, live.conformance
        ),
    };
    let message = escaped(&message);
    let body = escaped(&strip_str(&text::details(row, None)).to_string());
    let _ = writeln!(xml, ">\n      <{tag} message=\"{message}\">{body}</{tag}>\n    </testcase>");
}

fn seconds(row: &RunReport<'_>) -> f64 {
    let live = row.live.as_ref().map_or(0.0, |live| live.time.as_secs_f64());
    row.ran.time.as_secs_f64() + live
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(c),
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
