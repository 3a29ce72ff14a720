//! What the cache must know of a resource; all else about its body is its owner's.

use std::borrow::Cow;

/// One resource of the server, as the cache holds it.
///
/// The cache keeps a body as it came and never looks inside but through this trait. Equality
/// (`PartialEq`) means "the same answer of the server"; it decides whether a row changed.
///
/// # Patches and fields
///
/// A [`Patch`](Self::Patch) says what an update sets. It splits into [`fields`](Self::fields), the
/// smallest parts that a server can have caught up with one by one. A patch that is made of one
/// field is called a field here. These laws hold (`resourcecache-testing` checks them for any type):
///
/// - laying all of a patch's fields, in order, is laying the patch;
/// - after laying a field, [`pick`](Self::pick)ing it gives it back;
/// - laying what was picked from a resource leaves that resource as it is;
/// - laying [`diff`](Self::diff) gives each field the value that the newer resource names;
/// - laying two patches that do not [`overlap`](Self::overlaps) gives the same in either order;
/// - a patch never changes the id.
///
/// ```
/// use resourcecache::Resource;
///
/// #[derive(Clone, Debug, PartialEq)]
/// struct Zone { id: String, name: String, records: u32 }
///
/// #[derive(Clone, Debug, PartialEq)]
/// enum Set { Name(String), Records(u32) }
///
/// impl Resource for Zone {
///     type Patch = Vec<Set>;
///     fn id(&self) -> &str { &self.id }
///     fn apply(&self, patch: &Vec<Set>) -> Self {
///         let mut new = self.clone();
///         for set in patch {
///             match set {
///                 Set::Name(name) => new.name = name.clone(),
///                 Set::Records(n) => new.records = *n,
///             }
///         }
///         new
///     }
///     fn fields(patch: &Vec<Set>) -> Vec<Vec<Set>> {
///         patch.iter().map(|set| vec![set.clone()]).collect()
///     }
///     fn pick(&self, patch: &Vec<Set>) -> Vec<Set> {
///         patch.iter().map(|set| match set {
///             Set::Name(_) => Set::Name(self.name.clone()),
///             Set::Records(_) => Set::Records(self.records),
///         }).collect()
///     }
///     fn diff(&self, newer: &Self) -> Vec<Set> {
///         let mut patch = Vec::new();
///         if self.name != newer.name { patch.push(Set::Name(newer.name.clone())); }
///         if self.records != newer.records { patch.push(Set::Records(newer.records)); }
///         patch
///     }
///     fn overlaps(a: &Vec<Set>, b: &Vec<Set>) -> bool {
///         a.iter().any(|x| b.iter().any(|y| std::mem::discriminant(x) == std::mem::discriminant(y)))
///     }
/// }
///
/// let zone = Zone { id: "z1".into(), name: "a.example".into(), records: 3 };
/// let renamed = zone.apply(&vec![Set::Name("b.example".into())]);
/// assert_eq!(zone.diff(&renamed), [Set::Name("b.example".into())]);
/// ```
pub trait Resource: Clone + PartialEq + std::fmt::Debug {
    /// What an update sets: some of the resource's fields, each with a value.
    ///
    /// Equality is that of the values, not of their spelling: two texts of the same JSON value are
    /// equal.
    type Patch: Clone + PartialEq + std::fmt::Debug;

    /// The id by which the server names it. Never empty in good input.
    fn id(&self) -> &str;

    /// An identity that the server never gives out twice, such as Kubernetes' `metadata.uid`. Where
    /// it is known, it alone says whether two bodies are the same resource (G4).
    fn uid(&self) -> Option<&str> {
        None
    }

    /// The server's version of this body, compared by [`VersionOrder`](crate::VersionOrder).
    fn version(&self) -> Option<&str> {
        None
    }

    /// A token that the client chose and the server echoes, to match a creation with its listing.
    fn token(&self) -> Option<&str> {
        None
    }

    /// The scalar at `pointer` as text (`registered`, `3`, `true`), by which the rules of a
    /// [`ProgressPlan`](crate::ProgressPlan) move an operation; `None` where there is none. What a
    /// pointer is, is the type's: JSON resources take JSON pointers. The default has none.
    fn text_at(&self, pointer: &str) -> Option<Cow<'_, str>> {
        let _ = pointer;
        None
    }

    /// This resource with `patch` laid over it.
    #[must_use]
    fn apply(&self, patch: &Self::Patch) -> Self;

    /// The fields of which `patch` is made; none for one that sets nothing.
    fn fields(patch: &Self::Patch) -> Vec<Self::Patch>;

    /// The fields that `patch` names, with this resource's own values (or their absence).
    fn pick(&self, patch: &Self::Patch) -> Self::Patch;

    /// The fields that `newer` names with other values than this one. A field that `newer` does not
    /// name is left out: a server may answer with a part of the resource.
    fn diff(&self, newer: &Self) -> Self::Patch;

    /// Whether the two name a field in common.
    fn overlaps(a: &Self::Patch, b: &Self::Patch) -> bool;

    /// Whether laying `patch` would change the identity of this resource: its id, or whatever else
    /// the client may not edit. Such a patch is refused. The default looks at the id.
    fn changes_identity(&self, patch: &Self::Patch) -> bool {
        self.apply(patch).id() != self.id()
    }

    /// The same resource to be created once more: without its uid, version and token, which are those
    /// of the one that is gone. The default leaves it as it is.
    #[must_use]
    fn anew(&self) -> Self {
        self.clone()
    }

    /// What to call the fields of `patch` when a user is told of them. The default is its `Debug`
    /// text; JSON resources write JSON pointers.
    fn field_name(patch: &Self::Patch) -> String {
        format!("{patch:?}")
    }

    /// How many bytes it takes, about, for the bounds of the history
    /// ([`HistoryLimits`](crate::HistoryLimits)). The default does not count what it has on the heap.
    fn size(&self) -> usize {
        size_of_val(self)
    }

    /// The same of a patch.
    fn patch_size(patch: &Self::Patch) -> usize {
        size_of_val(patch)
    }

    /// Whether `resources`, all of them and in list order, keep so much in common storage that is no
    /// longer used, or lie about in it so scattered, that [`gather`](Self::gather) is worth its
    /// copying. Asked from time to time, as the list changes.
    fn are_scattered<'a>(resources: impl Iterator<Item = &'a Self>) -> bool
    where
        Self: 'a,
    {
        let _ = resources;
        false
    }

    /// Moves what `resources`, a part of the list and in its order, keep in common storage together.
    /// It changes no value. The default does nothing: a type that owns its storage alone needs
    /// nothing.
    fn gather(resources: &mut [Self]) {
        let _ = resources;
    }
}
