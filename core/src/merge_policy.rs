//! A team's own rule of how a patch is laid over a base that has changed, plugged into a type that
//! exists.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::resource::Resource;

/// How a patch is laid over a base that may have changed since the user made the patch.
///
/// [`Resource::apply`] is a type's own rule. A policy is another one, for a type that stays as it
/// is: [`Governed`] makes the two into a resource again.
///
/// # Laws
///
/// They are the laws of [`Resource`], and each rule of the model that rests on one breaks with it.
/// `resourcecache-testing` checks them all (`merge_policy_laws!`):
///
/// | law | what rests on it |
/// | --- | --- |
/// | a patch never changes the id | a row stays one row (V6, V7) |
/// | what a patch sets can be picked again | an observation can confirm the update (U2, L8) |
/// | untouched fields follow the base | what others changed shows under a pending edit (V4) |
/// | laying twice is laying once | an answer that holds the edit already changes nothing (L8) |
/// | what was picked lays back to nothing | a field can be given back to the server (L15, U4) |
/// | fields one by one are the whole | a server may catch up field by field (U2, U3) |
/// | apart, patches lay in any order | answers may come in any order (L3, U5) |
///
/// So a policy looks at the base and the patch, and at nothing else: no clock, no counter, no
/// random number (R1). A patch says what a field *becomes*, never by how much it changes.
///
/// ```
/// use resourcecache::{Governed, MergePolicy, Resource};
/// # #[derive(Clone, Debug, PartialEq)] struct Quota { id: String, limit: u32, used: u32 }
/// # type Patch = (Option<u32>, Option<u32>);
/// # impl Resource for Quota {
/// #     type Patch = Patch;
/// #     fn id(&self) -> &str { &self.id }
/// #     fn apply(&self, (limit, used): &Patch) -> Self {
/// #         Quota { limit: limit.unwrap_or(self.limit), used: used.unwrap_or(self.used), ..self.clone() }
/// #     }
/// #     fn fields((limit, used): &Patch) -> Vec<Patch> {
/// #         let limit = limit.map(|l| (Some(l), None));
/// #         limit.into_iter().chain(used.map(|u| (None, Some(u)))).collect()
/// #     }
/// #     fn pick(&self, (limit, used): &Patch) -> Patch { (limit.map(|_| self.limit), used.map(|_| self.used)) }
/// #     fn diff(&self, newer: &Self) -> Patch {
/// #         ((self.limit != newer.limit).then_some(newer.limit), (self.used != newer.used).then_some(newer.used))
/// #     }
/// #     fn overlaps(a: &Patch, b: &Patch) -> bool { a.0.is_some() && b.0.is_some() || a.1.is_some() && b.1.is_some() }
/// # }
/// /// What is used is for the server to say: a patch that names it, of an old form, changes it not.
/// struct UsedIsTheServers;
///
/// impl MergePolicy<Quota> for UsedIsTheServers {
///     fn lay(base: &Quota, (limit, _used): &(Option<u32>, Option<u32>)) -> Quota {
///         base.apply(&(*limit, None))
///     }
///     // What is never laid is no field: else the cache would wait for the server to show it.
///     fn fields((limit, _used): &(Option<u32>, Option<u32>)) -> Vec<(Option<u32>, Option<u32>)> {
///         Quota::fields(&(*limit, None))
///     }
/// }
///
/// let quota: Governed<Quota, UsedIsTheServers> = Quota { id: "q".into(), limit: 5, used: 3 }.into();
/// let laid = quota.apply(&(Some(9), Some(0)));
/// assert_eq!((laid.limit, laid.used), (9, 3));
/// ```
pub trait MergePolicy<R: Resource> {
    /// The base with the patch laid over it.
    #[must_use]
    fn lay(base: &R, patch: &R::Patch) -> R;

    /// The fields of which the patch is made. The default is the type's; a policy that lays other
    /// values than the patch names, or decides by smaller parts, says so here.
    fn fields(patch: &R::Patch) -> Vec<R::Patch> {
        R::fields(patch)
    }

    /// The fields that the patch names, with the body's own values. The default is the type's.
    fn pick(body: &R, patch: &R::Patch) -> R::Patch {
        body.pick(patch)
    }

    /// The fields that `newer` names with other values. The default is the type's.
    fn diff(older: &R, newer: &R) -> R::Patch {
        older.diff(newer)
    }

    /// Whether the two name a field in common. The default is the type's; a policy by which one
    /// field decides about another says here that they overlap.
    fn overlaps(a: &R::Patch, b: &R::Patch) -> bool {
        R::overlaps(a, b)
    }
}

/// A resource whose patches are laid by a [`MergePolicy`] instead of its own rule.
///
/// It reads and is saved as the resource itself: a saved state can be loaded under another policy.
pub struct Governed<R, P> {
    body: R,
    policy: PhantomData<fn() -> P>,
}

impl<R, P> Governed<R, P> {
    /// The resource under the policy.
    pub fn new(body: R) -> Self {
        Self {
            body,
            policy: PhantomData,
        }
    }

    /// The resource by itself.
    pub fn into_inner(self) -> R {
        self.body
    }
}

impl<R, P> From<R> for Governed<R, P> {
    fn from(body: R) -> Self {
        Self::new(body)
    }
}

impl<R, P> Deref for Governed<R, P> {
    type Target = R;

    fn deref(&self) -> &R {
        &self.body
    }
}

impl<R: Clone, P> Clone for Governed<R, P> {
    fn clone(&self) -> Self {
        Self::new(self.body.clone())
    }
}

impl<R: PartialEq, P> PartialEq for Governed<R, P> {
    fn eq(&self, other: &Self) -> bool {
        self.body == other.body
    }
}

impl<R: fmt::Debug, P> fmt::Debug for Governed<R, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.body.fmt(f)
    }
}

impl<R: Serialize, P> Serialize for Governed<R, P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.body.serialize(serializer)
    }
}

impl<'de, R: Deserialize<'de>, P> Deserialize<'de> for Governed<R, P> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        R::deserialize(deserializer).map(Self::new)
    }
}

impl<R: Resource, P: MergePolicy<R>> Resource for Governed<R, P> {
    type Patch = R::Patch;

    fn id(&self) -> &str {
        self.body.id()
    }

    fn uid(&self) -> Option<&str> {
        self.body.uid()
    }

    fn version(&self) -> Option<&str> {
        self.body.version()
    }

    fn token(&self) -> Option<&str> {
        self.body.token()
    }

    fn text_at(&self, pointer: &str) -> Option<Cow<'_, str>> {
        self.body.text_at(pointer)
    }

    fn apply(&self, patch: &R::Patch) -> Self {
        Self::new(P::lay(&self.body, patch))
    }

    fn fields(patch: &R::Patch) -> Vec<R::Patch> {
        P::fields(patch)
    }

    fn pick(&self, patch: &R::Patch) -> R::Patch {
        P::pick(&self.body, patch)
    }

    fn diff(&self, newer: &Self) -> R::Patch {
        P::diff(&self.body, &newer.body)
    }

    fn overlaps(a: &R::Patch, b: &R::Patch) -> bool {
        P::overlaps(a, b)
    }

    fn changes_identity(&self, patch: &R::Patch) -> bool {
        self.body.changes_identity(patch) || P::lay(&self.body, patch).id() != self.body.id()
    }

    fn anew(&self) -> Self {
        Self::new(self.body.anew())
    }

    fn field_name(patch: &R::Patch) -> String {
        R::field_name(patch)
    }

    fn size(&self) -> usize {
        self.body.size()
    }

    fn patch_size(patch: &R::Patch) -> usize {
        R::patch_size(patch)
    }

    fn are_scattered<'a>(resources: impl Iterator<Item = &'a Self>) -> bool
    where
        Self: 'a,
    {
        R::are_scattered(resources.map(|r| &r.body))
    }

    fn gather(resources: &mut [Self]) {
        let mut bodies: Vec<R> = resources.iter().map(|r| r.body.clone()).collect();
        R::gather(&mut bodies);
        for (resource, body) in resources.iter_mut().zip(bodies) {
            resource.body = body;
        }
    }
}
