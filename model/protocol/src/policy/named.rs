//! A policy by its name, with the rules that are taken out of it: how a tree says what it runs under.

#[cfg(feature = "alternatives")]
use super::Rule;
use super::{Policy, PolicyName};
#[cfg(feature = "alternatives")]
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A policy by its name, and what is taken out of it.
///
/// Written as `relay`, or as `relay without R7, R8` where the checker or a test has taken rules out.
/// Without the feature `alternatives` there is relay, whole, and nothing else can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPolicy {
    /// The policy.
    pub policy: PolicyName,
    /// Rules taken out of it.
    #[cfg(feature = "alternatives")]
    pub without: Vec<Rule>,
}

/// What stands between the name and the rules that are taken out.
#[cfg(feature = "alternatives")]
const WITHOUT: &str = " without ";

impl NamedPolicy {
    /// The policy itself.
    #[must_use]
    pub fn policy(&self) -> Policy {
        #[cfg(feature = "alternatives")]
        {
            self.without.iter().fold(self.policy.policy(), |policy, rule| policy.without(*rule))
        }
        #[cfg(not(feature = "alternatives"))]
        {
            self.policy.policy()
        }
    }

    /// Whether this is the protocol of this project, whole: the one that promises the properties.
    #[must_use]
    pub fn is_relay(&self) -> bool {
        *self == Self::from(PolicyName::Relay)
    }
}

impl From<PolicyName> for NamedPolicy {
    fn from(policy: PolicyName) -> Self {
        Self {
            policy,
            #[cfg(feature = "alternatives")]
            without: Vec::new(),
        }
    }
}

impl fmt::Display for NamedPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.policy, f)?;
        #[cfg(feature = "alternatives")]
        for (at, rule) in self.without.iter().enumerate() {
            let between = if at == 0 { WITHOUT } else { ", " };
            write!(f, "{between}{rule}")?;
        }
        Ok(())
    }
}

impl FromStr for NamedPolicy {
    type Err = crate::UnknownName;

    #[cfg(feature = "alternatives")]
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, rules) = text.split_once(WITHOUT).unwrap_or((text, ""));
        let rules = rules.split(", ").filter(|rule| !rule.is_empty());
        Ok(Self {
            policy: name.parse()?,
            without: rules.map(str::parse).collect::<Result<_, _>>()?,
        })
    }

    #[cfg(not(feature = "alternatives"))]
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self { policy: text.parse()? })
    }
}

impl Serialize for NamedPolicy {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for NamedPolicy {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = alloc::string::String::deserialize(from)?;
        text.parse().map_err(de::Error::custom)
    }
}
