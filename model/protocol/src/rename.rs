//! One way to give actors other names: for symmetry reduction, and for recorded process ids.

use super::id::{ActorId, RequestId};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::{vec, vec::Vec};
use core::convert::Infallible;

/// A permutation of the actors that maps the tree onto itself.
///
/// Two states that differ by such a renaming behave alike, so the checker explores one of them
/// (symmetry reduction: Ip and Dill, "Better verification through symmetry", 1996).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renaming {
    to: Vec<ActorId>,
}

impl Renaming {
    /// The renaming that sends actor `i` to `to[i]`.
    ///
    /// # Panics
    /// If `to` is not a permutation of `0..to.len()`.
    #[must_use]
    pub fn new(to: Vec<ActorId>) -> Self {
        let mut seen = vec![false; to.len()];
        for id in &to {
            assert!(!seen[id.index()], "actor {} is named twice", id.0);
            seen[id.index()] = true;
        }
        Self { to }
    }

    /// The new name of `id`.
    #[must_use]
    pub fn actor(&self, id: ActorId) -> ActorId {
        self.to[id.index()]
    }
}

/// A value that names actors. The macro [`rename!`](macro@crate::rename) implements it field by field.
pub trait Rename: Sized {
    /// The same value with every actor under the name that `name` gives it.
    ///
    /// # Errors
    /// The first that `name` gives.
    fn try_renamed<E>(
        &self,
        name: &mut impl FnMut(ActorId) -> Result<ActorId, E>,
    ) -> Result<Self, E>;

    /// The same value with every actor renamed.
    #[must_use]
    fn renamed(&self, by: &Renaming) -> Self {
        let Ok(renamed) = self.try_renamed(&mut |id| Ok::<_, Infallible>(by.actor(id)));
        renamed
    }
}

/// Implements [`Rename`]: for a struct or an enum by all its fields, or for values without names.
///
/// A field that is left out does not compile, so a new one cannot be forgotten.
#[macro_export]
macro_rules! rename {
    (struct $type:ident { $($field:ident),+ $(,)? }) => {
        impl $crate::Rename for $type {
            fn try_renamed<E>(
                &self,
                name: &mut impl FnMut($crate::ActorId) -> Result<$crate::ActorId, E>,
            ) -> Result<Self, E> {
                Ok(Self { $($field: $crate::Rename::try_renamed(&self.$field, name)?),+ })
            }
        }
    };
    (enum $type:ident {
        $($variant:ident $({ $($field:ident),+ })? $(( $($item:ident),+ ))?),+ $(,)?
    }) => {
        impl $crate::Rename for $type {
            fn try_renamed<E>(
                &self,
                name: &mut impl FnMut($crate::ActorId) -> Result<$crate::ActorId, E>,
            ) -> Result<Self, E> {
                Ok(match self {
                    $(Self::$variant $({ $($field),+ })? $(( $($item),+ ))? => {
                        Self::$variant
                            $({ $($field: $crate::Rename::try_renamed($field, name)?),+ })?
                            $(( $($crate::Rename::try_renamed($item, name)?),+ ))?
                    })+
                })
            }
        }
    };
    (nothing in $($type:ty),+ $(,)?) => {
        $(impl $crate::Rename for $type {
            fn try_renamed<E>(
                &self,
                _: &mut impl FnMut($crate::ActorId) -> Result<$crate::ActorId, E>,
            ) -> Result<Self, E> {
                Ok(self.clone())
            }
        })+
    };
}

impl Rename for ActorId {
    fn try_renamed<E>(
        &self,
        name: &mut impl FnMut(ActorId) -> Result<ActorId, E>,
    ) -> Result<Self, E> {
        name(*self)
    }
}

rename!(struct RequestId { actor, serial });
rename!(nothing in u8, u32);

impl<T: Rename> Rename for Option<T> {
    fn try_renamed<E>(
        &self,
        name: &mut impl FnMut(ActorId) -> Result<ActorId, E>,
    ) -> Result<Self, E> {
        self.as_ref().map(|value| value.try_renamed(name)).transpose()
    }
}

impl<T: Rename> Rename for Box<T> {
    fn try_renamed<E>(
        &self,
        name: &mut impl FnMut(ActorId) -> Result<ActorId, E>,
    ) -> Result<Self, E> {
        self.as_ref().try_renamed(name).map(Self::new)
    }
}

impl<K: Rename + Ord, V: Rename> Rename for BTreeMap<K, V> {
    fn try_renamed<E>(
        &self,
        name: &mut impl FnMut(ActorId) -> Result<ActorId, E>,
    ) -> Result<Self, E> {
        self.iter()
            .map(|(key, value)| Ok((key.try_renamed(name)?, value.try_renamed(name)?)))
            .collect()
    }
}

/// Implements it for collections, value by value.
macro_rules! collections {
    ($($type:ident: $($bound:ident)?),+) => {
        $(impl<T: Rename $(+ $bound)?> Rename for $type<T> {
            fn try_renamed<E>(
                &self,
                name: &mut impl FnMut(ActorId) -> Result<ActorId, E>,
            ) -> Result<Self, E> {
                self.iter().map(|value| value.try_renamed(name)).collect()
            }
        })+
    };
}

collections!(Vec:, VecDeque:, BTreeSet: Ord);
