//! The JSON schema of a scenario file: the names in it are those that the parser knows.

use super::{Case, FaultCounts};
use crate::expect::{Expectation, Expectations};
use holdfast_check::world::Fault;
use holdfast_protocol::{Named, PolicyName};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// The JSON schema of a scenario file, as text.
#[must_use]
pub fn schema() -> String {
    let schema = schemars::schema_for!(Case);
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is plain data");
    text.push('\n');
    text
}

/// One value out of a closed set.
pub(crate) fn name_of<T: Named>(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": T::NAMES })
}

/// A list of values out of a closed set.
pub(crate) fn names_of<T: Named>(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": name_of::<T>(generator) })
}

/// A table with a key for each value of a closed set.
fn table_of<T: Named>(value: impl Fn(T) -> Value) -> Schema {
    let rows = T::VALUES.iter().map(|key| (key.name().to_owned(), value(*key)));
    let properties: Map<String, Value> = rows.collect();
    json_schema!({ "type": "object", "properties": properties, "additionalProperties": false })
}

impl JsonSchema for FaultCounts {
    fn schema_name() -> Cow<'static, str> {
        "FaultCounts".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        table_of(|fault: Fault| {
            let count =
                json!({ "type": "integer", "minimum": 0, "maximum": u8::MAX, "default": 0 });
            described(count, meaning(fault))
        })
    }
}

impl JsonSchema for Expectations {
    fn schema_name() -> Cow<'static, str> {
        "Expectations".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let claim = generator.subschema_for::<Expectation>().to_value();
        table_of(|policy| described(claim.clone(), policy_meaning(policy)))
    }
}

fn described(mut schema: Value, description: &str) -> Value {
    schema["description"] = description.into();
    schema
}

/// What the environment does.
fn meaning(fault: Fault) -> &'static str {
    match fault {
        Fault::Request => "Breakpoints, in any actor.",
        Fault::Shielded => "Breakpoints that a cancel does not withdraw.",
        Fault::Interrupt => "Ctrl-C at the terminal.",
        Fault::InterruptOne => "SIGINT to one actor.",
        Fault::Error => "Failures.",
        Fault::ErrorUnexamined => "Failures that the program does not want examined.",
        Fault::Quit => "Quitting at a prompt instead of continuing.",
        Fault::Cancel => "Actors whose own program asks for their end.",
        Fault::CancelChild => "Actors whose supervisor's program asks for their end.",
        Fault::Kill => "SIGKILL to an actor below the root.",
        Fault::KillRoot => "SIGKILL to the root.",
        Fault::Stop => "SIGTERM to the root.",
        Fault::Cut => "Links between live actors that end.",
        Fault::Read => "Programs that begin to read their terminal.",
        Fault::TakeBack => "Terminals that are taken back from a program that reads.",
    }
}

/// What a policy is, in a sentence without a full stop.
#[must_use]
pub fn policy_meaning(policy: PolicyName) -> &'static str {
    match policy {
        PolicyName::Unprotected => "no lock, no shield, nobody waits: a plain process tree",
        PolicyName::SingleDepth => {
            "tractor as of PR #165: right for direct children, wrong below them (issue #320)"
        }
        PolicyName::Relay => {
            "this project: the knowledge of a prompt travels up the tree, and every actor on the \
             way protects it"
        }
    }
}
