//! Closed sets of values with one name each: parsers, errors, help and schemas derive from it.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use core::fmt;
use core::marker::PhantomData;
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, VariantAccess as _, Visitor};

/// A value out of a closed set, known to people by one name. [`named!`](crate::named) implements it.
pub trait Named: Copy + Sized + 'static {
    /// What a value is called in a sentence, with its article: "a policy".
    const KIND: &'static str;

    /// Every value, in the order in which people are shown them.
    const VALUES: &'static [Self];

    /// Their names, in the same order.
    const NAMES: &'static [&'static str];

    /// The name, as it is written and read.
    fn name(self) -> &'static str;

    /// The value of a name, in whichever case it is written.
    ///
    /// # Errors
    /// No value has that name; the error lists those that exist.
    fn from_name(name: &str) -> Result<Self, UnknownName> {
        let at = Self::NAMES.iter().position(|known| known.eq_ignore_ascii_case(name));
        at.and_then(|at| Self::VALUES.get(at)).copied().ok_or_else(|| UnknownName {
            kind: Self::KIND,
            found: name.to_owned(),
            known: Self::NAMES,
        })
    }
}

/// A name that no value of a set has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    kind: &'static str,
    found: String,
    known: &'static [&'static str],
}

impl UnknownName {
    /// The names that exist.
    #[must_use]
    pub fn known(&self) -> &'static [&'static str] {
        self.known
    }
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, found, known } = self;
        write!(f, "`{found}` is not {kind}; expected {}", OneOf(known))
    }
}

impl core::error::Error for UnknownName {}

/// Names as a sentence lists them: "a, b or c".
struct OneOf(&'static [&'static str]);

impl fmt::Display for OneOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, name) in self.0.iter().enumerate() {
            match at {
                0 => {}
                _ if at + 1 == self.0.len() => f.write_str(" or ")?,
                _ => f.write_str(", ")?,
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

/// Reads a value as serde reads a variant without fields, so that formats know its place.
///
/// # Errors
/// There is not text, or no value has that name.
pub fn deserialize<'de, T: Named, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    from.deserialize_enum(T::KIND, T::NAMES, NameVisitor(PhantomData))
}

/// Reads the variant, and within it the name.
struct NameVisitor<T>(PhantomData<T>);

impl<'de, T: Named> Visitor<'de> for NameVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::KIND)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<T, A::Error> {
        let (value, variant) = data.variant_seed(self)?;
        variant.unit_variant()?;
        Ok(value)
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<T, E> {
        T::from_name(name).map_err(|_| E::unknown_variant(name, T::NAMES))
    }
}

impl<'de, T: Named> DeserializeSeed<'de> for NameVisitor<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<T, D::Error> {
        from.deserialize_identifier(self)
    }
}

/// Names the variants of an enum once: [`Named`], `ALL`, `Display`, `FromStr` and serde follow.
///
/// ```
/// #[derive(Clone, Copy, Debug, PartialEq)]
/// enum Side { Left, Right }
///
/// holdfast_protocol::named! {
///     Side, "a side":
///     Left => "left",
///     Right => "right",
/// }
///
/// assert_eq!("right".parse(), Ok(Side::Right));
/// assert_eq!(Side::ALL.map(|side| side.to_string()), ["left", "right"]);
/// let error = "up".parse::<Side>().unwrap_err();
/// assert_eq!(error.to_string(), "`up` is not a side; expected left or right");
/// ```
#[macro_export]
macro_rules! named {
    ($type:ident, $kind:literal: $($variant:ident => $name:literal,)+) => {
        impl $type {
            /// Every value, in order.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];
        }

        impl $crate::Named for $type {
            const KIND: &'static str = $kind;
            const VALUES: &'static [Self] = &Self::ALL;
            const NAMES: &'static [&'static str] = &[$($name),+];

            fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }

        impl ::core::fmt::Display for $type {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.pad($crate::Named::name(*self))
            }
        }

        impl ::core::str::FromStr for $type {
            type Err = $crate::UnknownName;

            fn from_str(name: &str) -> Result<Self, Self::Err> {
                $crate::Named::from_name(name)
            }
        }

        impl $crate::serde::Serialize for $type {
            fn serialize<S: $crate::serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_unit_variant($kind, *self as u32, $crate::Named::name(*self))
            }
        }

        impl<'de> $crate::serde::Deserialize<'de> for $type {
            fn deserialize<D: $crate::serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                $crate::name::deserialize(from)
            }
        }
    };
}
