//! What a resource must know to be kept in a store.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::resource::Resource;

/// A resource that can be kept in a store: bodies as bytes of its own, all else as JSON.
///
/// The methods have defaults that write JSON; a type with a form of its own overrides them.
///
/// ```
/// use resourcecache::{Resource, Stored};
/// use serde::{Deserialize, Serialize};
/// # #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
/// # struct Zone(String);
/// # impl Resource for Zone {
/// #     type Patch = ();
/// #     fn id(&self) -> &str { &self.0 }
/// #     fn apply(&self, _: &()) -> Self { self.clone() }
/// #     fn fields(_: &()) -> Vec<()> { vec![] }
/// #     fn pick(&self, _: &()) {}
/// #     fn diff(&self, _: &Self) {}
/// #     fn overlaps(_: &(), _: &()) -> bool { false }
/// # }
/// impl Stored for Zone {}
/// let zone = Zone("a.example".into());
/// let bytes = zone.to_bytes()?;
/// assert_eq!(Zone::from_bytes(&[&bytes])?, [zone]);
/// # Ok::<(), resourcecache::Error>(())
/// ```
pub trait Stored:
    Resource<Patch: Serialize + DeserializeOwned> + Serialize + DeserializeOwned
{
    /// The body as bytes.
    ///
    /// # Errors
    ///
    /// [`Error::BadInput`] when it cannot be written.
    fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(self)
            .map_err(|error| Error::bad_input(self.id(), format!("cannot be written: {error}")))
    }

    /// The bodies that [`to_bytes`](Self::to_bytes) wrote, in the same order: many at a time, so that
    /// they may share memory.
    ///
    /// # Errors
    ///
    /// [`Error::BadInput`] for bytes that it did not write.
    fn from_bytes(bodies: &[&[u8]]) -> Result<Vec<Self>, Error> {
        let read = |bytes: &&[u8]| {
            serde_json::from_slice(bytes)
                .map_err(|error| Error::bad_input("saved body", format!("cannot be read: {error}")))
        };
        bodies.iter().map(read).collect()
    }
}
