//! The events with which a stream tells all that is there.

use std::collections::BTreeMap;

use crate::event::WatchEvent;
use crate::ids::{FetchToken, ResourceId};
use crate::resource::Resource;

/// What a stream has told of all that is there: the last body of each resource, in the order in
/// which they came. As large as the collection, and no larger.
#[derive(Clone, Debug)]
pub(crate) struct Told<R> {
    /// Taken before the stream was asked for.
    pub(crate) token: Option<FetchToken>,
    items: BTreeMap<u64, R>,
    places: BTreeMap<ResourceId, u64>,
    next: u64,
}

impl<R: Resource> Told<R> {
    pub(crate) fn new(token: Option<FetchToken>) -> Self {
        Self {
            token,
            items: BTreeMap::new(),
            places: BTreeMap::new(),
            next: 0,
        }
    }

    /// Takes an event; gives back what is none of one resource's body.
    pub(crate) fn take(&mut self, event: WatchEvent<R>) -> Option<WatchEvent<R>> {
        match event {
            WatchEvent::Added(item) | WatchEvent::Modified(item) => {
                self.put(item);
                None
            }
            WatchEvent::Deleted(item) => {
                self.drop(item.id());
                None
            }
            WatchEvent::DeletedId { id, .. } => {
                self.drop(id.as_str());
                None
            }
            // It ends with a snapshot, which decides as well.
            WatchEvent::Bookmark { .. } => None,
            other => Some(other),
        }
    }

    fn put(&mut self, item: R) {
        let id = ResourceId::from(item.id());
        let place = *self.places.entry(id).or_insert(self.next);
        self.next += 1;
        self.items.insert(place, item);
    }

    fn drop(&mut self, id: &str) {
        if let Some(place) = self.places.remove(id) {
            self.items.remove(&place);
        }
    }

    pub(crate) fn into_items(self) -> Vec<R> {
        self.items.into_values().collect()
    }
}
