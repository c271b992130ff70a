//! `holdfast list`: what there is.

use super::cases::CasesArgs;
use super::print;
use super::render::{self, Rows};
use crate::case::schema::policy_meaning;
use crate::exit::ExitClass;
use clap::Args;
use holdfast_check::property::{PropertyId, guardian};
use holdfast_protocol::policy::{PolicyName, Rule};

/// Lists what there is: the scenario files, or what a switch asks for.
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    cases: CasesArgs,
    /// The properties: id, kind, statement and antecedent.
    #[arg(long)]
    properties: bool,
    /// The rules of the protocol, and the property that is violated without each.
    #[arg(long)]
    rules: bool,
    /// The policies.
    #[arg(long)]
    policies: bool,
}

impl ListArgs {
    /// Does it.
    #[must_use]
    pub fn run(self) -> ExitClass {
        let lists: [(bool, fn() -> String); 3] =
            [(self.properties, properties), (self.rules, rules), (self.policies, policies)];
        let texts: Vec<_> =
            lists.iter().filter(|(asked, _)| *asked).map(|(_, list)| list()).collect();
        if texts.is_empty() {
            return self.cases.run();
        }
        print(&texts.join("\n"));
        ExitClass::Holds
    }
}

fn properties() -> String {
    let mut table =
        render::table(Rows::Long, ["property", "kind", "statement", "antecedent, or what is fair"]);
    for property in PropertyId::ALL {
        let (id, kind) = (property.to_string(), property.kind().to_string());
        table.add_row([id, kind, property.statement().into(), property.antecedent().into()]);
    }
    finish(&table)
}

fn rules() -> String {
    let mut table = render::table(Rows::Short, ["rule", "statement", "guarded by"]);
    for rule in Rule::ALL {
        let guarded = guardian(rule).to_string();
        table.add_row([rule.to_string(), rule.statement().to_owned(), guarded]);
    }
    finish(&table)
}

fn policies() -> String {
    let mut table = render::table(Rows::Short, ["policy", "what it is"]);
    for policy in PolicyName::ALL {
        table.add_row([policy.to_string(), policy_meaning(policy).to_owned()]);
    }
    finish(&table)
}

fn finish(table: &comfy_table::Table) -> String {
    format!("{}\n", table.trim_fmt())
}
