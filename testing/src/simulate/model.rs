//! What the simulator must know of a server: the trait that stands for one's own.

use resourcecache::{Kind, ProgressPlan, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::dice::Dice;

/// A resource whose state can be saved and loaded as JSON. Every type that can, is one.
pub trait Subject:
    Resource<Patch: Serialize + DeserializeOwned> + Serialize + DeserializeOwned
{
}

impl<R> Subject for R where
    R: Resource<Patch: Serialize + DeserializeOwned> + Serialize + DeserializeOwned
{
}

/// The patch of a server's resource.
pub type PatchOf<S> = <<S as ServerModel>::Resource as Resource>::Patch;

/// A server's primary, as the simulator calls it. Replicas, their lag, the network, watch streams
/// and time are the simulator's: a model says what a call does, at once, and no more.
///
/// [`Server`](crate::Server) is the one that the simulator brings along. One's own takes its place
/// in [`Simulation::new`](super::Simulation::new):
///
/// ```
/// use std::collections::BTreeMap;
/// use resourcecache::Resource as _;
/// use resourcecache_testing::{Toy, simulate::{Dice, PatchOf, ServerModel, Simulation}};
///
/// /// Names are the client's, and a list is in the order of the names.
/// struct Shelf(BTreeMap<String, Toy>);
///
/// impl ServerModel for Shelf {
///     type Resource = Toy;
///     fn list(&self) -> Vec<Toy> {
///         self.0.values().cloned().collect()
///     }
///     fn create(&mut self, wanted: &Toy) -> Result<Toy, String> {
///         if self.0.contains_key(&wanted.id) {
///             return Err("409: exists already".into());
///         }
///         self.0.insert(wanted.id.clone(), wanted.clone());
///         Ok(wanted.clone())
///     }
///     fn update(&mut self, id: &str, patch: &PatchOf<Self>) -> Result<Toy, String> {
///         let held = self.0.get_mut(id).ok_or("404: not found")?;
///         *held = held.apply(patch);
///         Ok(held.clone())
///     }
///     fn delete(&mut self, id: &str) -> Result<Toy, String> {
///         self.0.remove(id).ok_or("404: not found".into())
///     }
///     fn invent(&self, id: &str, dice: &mut Dice) -> Toy {
///         Toy::new(id, [dice.below(9) as i64, 0, 0])
///     }
///     fn edit(&self, _: &Toy, dice: &mut Dice) -> PatchOf<Self> {
///         [Some(dice.below(9) as i64), None, None]
///     }
///     fn names_are_the_clients(&self) -> bool {
///         true
///     }
/// }
///
/// let simulation = Simulation::new(|world| {
///     // This server tells no versions.
///     world.config.version_order = resourcecache::VersionOrder::Opaque;
///     Shelf(BTreeMap::new())
/// });
/// for seed in 0..50 {
///     assert_eq!(simulation.run(seed).violation, None);
/// }
/// ```
pub trait ServerModel {
    /// What it holds.
    type Resource: Subject;

    /// All that it holds, in list order.
    fn list(&self) -> Vec<Self::Resource>;

    /// The list's own version, where it has one.
    fn list_version(&self) -> Option<String> {
        None
    }

    /// Makes a resource, and answers it; it may have another id than the wanted one.
    ///
    /// # Errors
    ///
    /// Why it refuses, as a client would be told.
    fn create(&mut self, wanted: &Self::Resource) -> Result<Self::Resource, String>;

    /// Changes a resource, and answers it.
    ///
    /// # Errors
    ///
    /// Why it refuses, as a client would be told.
    fn update(&mut self, id: &str, patch: &PatchOf<Self>) -> Result<Self::Resource, String>;

    /// Deletes a resource, and answers its last body, as a watch stream tells it.
    ///
    /// # Errors
    ///
    /// Why it refuses, as a client would be told.
    fn delete(&mut self, id: &str) -> Result<Self::Resource, String>;

    /// Begins work on a resource that changes no field at once, and answers the resource. The
    /// default does nothing.
    ///
    /// # Errors
    ///
    /// Why it refuses, as a client would be told.
    fn process(&mut self, id: &str) -> Result<Self::Resource, String> {
        let found = self.list().into_iter().find(|body| body.id() == id);
        found.ok_or("404: not found".into())
    }

    /// What clients declare of operations of this kind, where the server works in stages
    /// ([`World::plans`](super::World::plans)). The default has no plans.
    fn plan(&self, kind: Kind, dice: &mut Dice) -> Option<ProgressPlan> {
        let _ = (kind, dice);
        None
    }

    /// What the server's own work changes next in a resource, so that it moves to another stage; the
    /// last time, `to_its_end`, so that none goes on. The default does nothing.
    fn work(
        &self,
        body: &Self::Resource,
        to_its_end: bool,
        dice: &mut Dice,
    ) -> Option<PatchOf<Self>> {
        let _ = (body, to_its_end, dice);
        None
    }

    /// A new resource as a user may want it, under this id.
    fn invent(&self, id: &str, dice: &mut Dice) -> Self::Resource;

    /// A change of a resource as a user may want it; it leaves the id.
    fn edit(&self, body: &Self::Resource, dice: &mut Dice) -> PatchOf<Self>;

    /// Whether new resources keep the ids that clients give them. Otherwise those are temporary.
    fn names_are_the_clients(&self) -> bool {
        false
    }

    /// Where a resource's JSON has its `id`, and its `uid`, `version` and `token` if it has them:
    /// names and JSON pointers, for the scenario file of a violation.
    fn pointers(&self) -> Vec<(&'static str, &'static str)> {
        vec![("id", "/id")]
    }

    /// A resource as the JSON object that the server would send.
    fn body_json(&self, body: &Self::Resource) -> Value {
        serde_json::to_value(body).unwrap_or_default()
    }

    /// A patch as a JSON merge patch (RFC 7396).
    fn patch_json(&self, patch: &PatchOf<Self>) -> Value {
        serde_json::to_value(patch).unwrap_or_default()
    }
}
