//! What a case claims of a policy, and what came of the claim.
//!
//! An expected failure is strict: exactly the properties that it names must be violated.

use crate::case::schema::{name_of, names_of};
use holdfast_check::property::{PropertyId, PropertySet};
use holdfast_protocol::named;
use holdfast_protocol::policy::PolicyName;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// What each policy makes of a case. A policy that is not named is not run.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Expectations(BTreeMap<PolicyName, Expectation>);

impl Expectations {
    /// What is expected of a policy.
    #[must_use]
    pub fn of(&self, policy: PolicyName) -> Option<&Expectation> {
        self.0.get(&policy)
    }

    /// Every expectation, the weakest policy first.
    pub fn iter(&self) -> impl Iterator<Item = (PolicyName, &Expectation)> {
        self.0.iter().map(|(policy, expectation)| (*policy, expectation))
    }
}

/// What a case claims of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// Every property holds on every interleaving.
    Holds,
    /// Exactly these are violated.
    Violates(ExpectedViolation),
}

/// The properties that are violated.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ExpectedViolation {
    /// The one to show: its shortest trace is the golden one.
    #[schemars(schema_with = "name_of::<PropertyId>")]
    pub violates: PropertyId,
    /// All others that are violated with it.
    #[serde(default)]
    #[schemars(schema_with = "names_of::<PropertyId>")]
    pub also: Vec<PropertyId>,
}

impl Expectation {
    /// The properties that must be violated.
    #[must_use]
    pub fn violations(&self) -> PropertySet {
        match self {
            Self::Holds => PropertySet::default(),
            Self::Violates(violation) => {
                violation.also.iter().copied().chain([violation.violates]).collect()
            }
        }
    }
}

/// What came of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimOutcome {
    /// The claim holds, as expected.
    Pass,
    /// Exactly the expected properties are violated.
    ExpectedFail,
    /// The claim should hold and does not, or other properties are violated than expected.
    Fail,
    /// The claim should be violated and holds.
    UnexpectedPass,
    /// The steps cannot be performed: none of the interleavings gets past this one.
    Stuck(u8),
    /// A limit was reached before everything was explored.
    NotExhausted,
    /// Real processes could not be brought to perform the steps.
    NotStaged,
    /// Real processes cannot perform the run at all.
    NoStage,
    /// Nobody asked for it.
    NotRun,
    /// The person stopped it.
    Interrupted,
}

/// Whether an outcome is what was claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// The claim is met.
    Yes,
    /// The claim is not met.
    No,
    /// The run was not explored to the end.
    Unknown,
}

named! {
    Met, "a judgement on a claim":
    Yes => "met",
    No => "unmet",
    Unknown => "unknown",
}

impl ClaimOutcome {
    /// What came of a claim that `expected` is violated, when `violated` is.
    #[must_use]
    pub fn of(expected: PropertySet, violated: PropertySet) -> Self {
        match (expected.is_empty(), violated.is_empty()) {
            (true, true) => Self::Pass,
            (false, true) => Self::UnexpectedPass,
            (_, false) if expected == violated => Self::ExpectedFail,
            (_, false) => Self::Fail,
        }
    }

    /// What came of a claim that `expected` is violated, when real processes have shown `seen`: a run is
    /// one interleaving of all that the claim is about, so a part of it is enough.
    #[must_use]
    pub fn seen(expected: PropertySet, seen: PropertySet) -> Self {
        let more = !seen.difference(expected).is_empty();
        match (expected.is_empty(), seen.is_empty()) {
            (true, true) => Self::Pass,
            (false, true) => Self::UnexpectedPass,
            (_, false) if more => Self::Fail,
            (_, false) => Self::ExpectedFail,
        }
    }

    /// Whether it is what the case claims.
    #[must_use]
    pub fn met(&self) -> Met {
        match self {
            Self::Pass | Self::ExpectedFail | Self::NoStage | Self::NotRun => Met::Yes,
            Self::Fail | Self::UnexpectedPass | Self::Stuck(_) | Self::NotStaged => Met::No,
            Self::NotExhausted | Self::Interrupted => Met::Unknown,
        }
    }
}

impl fmt::Display for ClaimOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::ExpectedFail => "expected-fail",
            Self::Fail => "FAIL",
            Self::UnexpectedPass => "UNEXPECTED-PASS",
            Self::Stuck(_) => "STUCK",
            Self::NotExhausted => "not-exhausted",
            Self::NoStage => "no-stage",
            Self::NotRun => "-",
            Self::NotStaged => "NOT-STAGED",
            Self::Interrupted => "interrupted",
        })
    }
}

impl<'de> Deserialize<'de> for Expectation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ExpectationVisitor)
    }
}

struct ExpectationVisitor;

impl<'de> Visitor<'de> for ExpectationVisitor {
    type Value = Expectation;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"holds\" or { violates = \"…\", also = [\"…\"] }")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Expectation, E> {
        if word == "holds" {
            return Ok(Expectation::Holds);
        }
        Err(E::unknown_variant(word, &["holds"]))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Expectation, A::Error> {
        ExpectedViolation::deserialize(MapAccessDeserializer::new(map)).map(Expectation::Violates)
    }
}

impl JsonSchema for Expectation {
    fn schema_name() -> Cow<'static, str> {
        "Expectation".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let violation = generator.subschema_for::<ExpectedViolation>();
        json_schema!({ "oneOf": [{ "type": "string", "const": "holds" }, violation] })
    }
}
