//! What a user sees: rows in list order, and questions about one resource.

use crate::cache::ResourceCache;
use crate::changes::Outcome;
use crate::config::Config;
use crate::deadline::Deadline;
use crate::ids::{OperationId, Revision, RowKey, Timestamp};
use crate::metadata::{Metadata, Status};
use crate::operation::Operation;
use crate::resource::Resource;
use crate::rows::RowRef;
use crate::state::{Kind, State};

/// One row as the user sees it.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a, R: Resource> {
    row: RowRef<'a, R>,
    body: &'a R,
}

impl<'a, R: Resource> Item<'a, R> {
    fn of(row: RowRef<'a, R>) -> Option<Self> {
        row.body().map(|body| Self { row, body })
    }

    /// The row's key, which never changes (V6).
    pub fn key(&self) -> RowKey {
        self.row.key()
    }

    /// The resource's id; after its creation was answered, the real one.
    pub fn id(&self) -> &'a str {
        self.row.id()
    }

    /// The body as shown: the server's copy with the operations laid over it.
    pub fn body(&self) -> &'a R {
        self.body
    }

    /// Where the resource is in the lifecycle.
    pub fn state(&self) -> State {
        self.row.state()
    }

    /// The status of its newest operation that has one (M7).
    pub fn status(&self) -> Option<Status> {
        self.meta().and_then(|m| m.status)
    }

    /// What to tell the user about its operation; `None` when there is none.
    pub fn meta(&self) -> Option<Metadata> {
        self.row.metadata()
    }

    /// Whether its operation is complete and lingers to be seen (T4).
    pub fn lingers(&self) -> bool {
        self.row.leading().is_some_and(Operation::lingers)
    }

    /// Whether it is in the visible list.
    pub fn is_visible(&self) -> bool {
        self.row.is_visible()
    }
}

/// One unsettled operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperationInfo {
    /// Its number.
    pub id: OperationId,
    /// What it does.
    pub kind: Kind,
    /// How far it is.
    pub state: State,
}

/// Reading. Nothing here changes anything.
impl<R: Resource> ResourceCache<R> {
    /// The collection's settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The collection's change counter.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    pub(crate) fn find(&self, id: &str) -> Option<RowRef<'_, R>> {
        self.rows.get(self.key_of(id)?)
    }

    /// The resource of this id, hidden or not.
    pub fn get_one(&self, id: &str) -> Option<Item<'_, R>> {
        self.find(id).and_then(Item::of)
    }

    /// The row of this key, hidden or not.
    pub fn row(&self, key: RowKey) -> Option<Item<'_, R>> {
        self.rows.get(key).and_then(Item::of)
    }

    /// The rows that stand somewhere in the list, in order.
    fn placed(&self) -> impl Iterator<Item = RowRef<'_, R>> {
        self.order.iter().filter_map(|slot| self.rows.at(slot))
    }

    /// The visible list, in order.
    pub fn visible(&self) -> impl Iterator<Item = Item<'_, R>> {
        self.placed()
            .filter(|r| r.is_visible())
            .filter_map(Item::of)
    }

    /// The full list, hidden resources included; those without a place come last.
    pub fn all(&self) -> impl Iterator<Item = Item<'_, R>> {
        let others = self.rows.busy().filter(|(_, row)| row.place.is_none());
        let others = others.map(|(_, row)| RowRef::Busy(row));
        self.placed().chain(others).filter_map(Item::of)
    }

    /// The resources with this status, hidden ones included, in list order; those without a place
    /// come last.
    pub fn get_by_status(&self, status: Status) -> impl Iterator<Item = Item<'_, R>> {
        let rows = self.rows.busy().map(|(_, row)| RowRef::Busy(row));
        let items = rows.filter_map(Item::of);
        let mut found: Vec<_> = items.filter(|i| i.status() == Some(status)).collect();
        let place = |i: &Item<'_, R>| i.row.place().map_or((u8::MAX, 0), |place| place);
        found.sort_by_key(|i| (place(i), i.key()));
        found.into_iter()
    }

    /// How many rows are in memory: resources, hidden ones included, and those of which only
    /// operations are known.
    pub fn row_count(&self) -> usize {
        self.rows.len()
    }

    /// Whether an operation on this resource is unsettled.
    pub fn is_processing(&self, id: &str) -> bool {
        self.find(id)
            .is_some_and(|r| r.unsettled().next().is_some())
    }

    /// Where a resource is in the lifecycle; `None` when nothing is known of it.
    pub fn state(&self, id: &str) -> Option<State> {
        let row = self.find(id)?;
        (row.body().is_some() || row.leading().is_some()).then(|| row.state())
    }

    /// The unsettled operations on a resource, oldest first.
    pub fn operations(&self, id: &str) -> Vec<OperationInfo> {
        let operations = self.find(id).into_iter().flat_map(RowRef::unsettled);
        operations
            .map(|o| OperationInfo {
                id: o.id,
                kind: o.kind,
                state: o.state,
            })
            .collect()
    }

    /// Every deadline that is ahead, the earliest first, in the caller's clock.
    pub fn deadlines(&self) -> impl Iterator<Item = Deadline> {
        let ahead = self.deadlines.ahead(self.clock);
        ahead.filter_map(|(at, key, operation, reason)| {
            Some(Deadline {
                at: self.callers(*at),
                id: self.rows.get(*key)?.id().into(),
                operation: *operation,
                reason: *reason,
            })
        })
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next, in the caller's clock.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let first = self.deadlines.ahead(self.clock).next()?;
        Some(self.callers(first.0))
    }

    /// Whether asking the server again is of use: an operation is unsettled, or a watch has expired.
    pub fn should_poll(&self) -> bool {
        self.relist
            || self
                .rows
                .busy()
                .any(|(_, r)| r.unsettled().next().is_some())
    }

    /// The soonest time at which asking the server can decide something: `now`, or the end of the
    /// first TTL.
    pub fn next_poll(&self, now: Timestamp) -> Option<Timestamp> {
        if self.relist {
            return Some(now);
        }
        let useful = self.rows.busy().filter_map(|(_, r)| r.useful_at()).min();
        useful.map(|at| self.callers(at).max(now))
    }

    /// How operations settled, the oldest first; as many as the config says.
    pub fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().map(|(_, o)| o)
    }
}
