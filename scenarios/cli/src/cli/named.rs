//! Closed sets of values on the command line: what may be written, what help and completions show,
//! and the nearest name of a mistyped one all come from [`Named::NAMES`].

use clap::builder::{PossibleValuesParser, TypedValueParser};
use holdfast_protocol::Named;

/// A parser for the values of a set.
#[must_use]
pub fn parser<T: Named + Send + Sync>() -> impl TypedValueParser<Value = T> {
    let names = PossibleValuesParser::new(T::NAMES);
    names.map(|name| T::from_name(&name).expect("the parser knows the names of the set alone"))
}

/// The names of a set as a sentence lists them.
#[must_use]
pub fn list<T: Named>() -> String {
    match T::NAMES {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
    }
}
