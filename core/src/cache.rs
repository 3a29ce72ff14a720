//! The collection: its rows and indexes, and the one door through which everything changes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::changes::{Applied, Outcome, Removed, Warning};
use crate::config::{Config, NewItems};
use crate::conflict::{Conflict, ConflictReason};
use crate::deadline::Deadlines;
use crate::dropped::Dropped;
use crate::error::Error;
use crate::event::Event;
use crate::history::{History, Part};
use crate::ids::{FetchToken, OperationId, ResourceId, Revision, RowKey, Timestamp};
use crate::log::Log;
use crate::order::Order;
use crate::outbox::Outbox;
use crate::resource::Resource;
use crate::row::{Context, END, LISTED, Place, Row, START};
use crate::rows::{Rows, Slot};
use crate::tell::Face;
use crate::tracking::Tracking;

/// One list of resources: what the server last said, and what this client has asked for.
///
/// ```
/// use resourcecache::{Config, ResourceCache, Snapshot, Timestamp};
/// # use resourcecache::Resource;
/// # #[derive(Clone, Debug, PartialEq)] struct Zone(String);
/// # impl Resource for Zone {
/// #     type Patch = ();
/// #     fn id(&self) -> &str { &self.0 }
/// #     fn apply(&self, _: &()) -> Self { self.clone() }
/// #     fn fields(_: &()) -> Vec<()> { vec![] }
/// #     fn pick(&self, _: &()) {}
/// #     fn diff(&self, _: &Self) {}
/// #     fn overlaps(_: &(), _: &()) -> bool { false }
/// # }
/// let list = || Snapshot::complete(vec![Zone("a".into()), Zone("b".into())]);
/// let mut cache = ResourceCache::new(Config::default());
/// cache.merge(list(), Timestamp(0))?;
/// cache.mark_as_deleting("a", None, Timestamp(0))?;
/// cache.merge(list(), Timestamp(10_000))?; // the server still lists it
/// assert_eq!(cache.visible().map(|z| z.id().to_string()).collect::<Vec<_>>(), ["b"]);
/// # Ok::<(), resourcecache::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ResourceCache<R: Resource> {
    pub(crate) config: Arc<Config>,
    pub(crate) rows: Rows<R>,
    pub(crate) order: Order,
    pub(crate) by_operation: BTreeMap<OperationId, RowKey>,
    /// The unsettled creations that have a client token (C2).
    pub(crate) by_token: BTreeSet<(Box<str>, RowKey)>,
    pub(crate) deadlines: Deadlines,
    pub(crate) outbox: Outbox,
    pub(crate) history: History<R>,
    /// What the running step does, while it is recorded.
    pub(crate) recording: Option<Vec<Part<R>>>,
    pub(crate) next_key: u64,
    pub(crate) next_operation: u64,
    pub(crate) next_place: i64,
    pub(crate) revision: Revision,
    /// Events seen.
    pub(crate) seq: u64,
    /// The collection's own clock, which never steps back (T1).
    pub(crate) clock: Timestamp,
    /// The own clock less the caller's.
    pub(crate) skew: i64,
    pub(crate) started: bool,
    /// When the newest complete snapshot was taken, in events.
    pub(crate) last_complete: u64,
    pub(crate) relist: bool,
    pub(crate) dropped: Dropped,
    pub(crate) outcomes: VecDeque<(Revision, Outcome)>,
    pub(crate) log: Log,
    /// How many server's copies came, went, were replaced or moved since it was last asked whether
    /// they are scattered.
    pub(crate) strewn: usize,
    /// The rows that the running event touches, as they were before.
    pub(crate) before: BTreeMap<RowKey, Face<R>>,
    pub(crate) moved: Vec<RowKey>,
    /// The same rows whole, for an event that is refused; `None` for new ones.
    pub(crate) undo: BTreeMap<RowKey, Option<Row<R>>>,
    /// Quiet rows that are new, or have another body, and those that have gone.
    pub(crate) told: Vec<(RowKey, Slot)>,
    pub(crate) gone: Vec<Removed>,
    /// What is not saved yet, for a collection that is kept in a store.
    pub(crate) tracking: Option<Box<Tracking<R>>>,
}

impl<R: Resource> ResourceCache<R> {
    /// An empty collection: nothing is known of the server yet.
    pub fn new(config: Config) -> Self {
        Self {
            rows: Rows::new(config.seed),
            config: Arc::new(config),
            order: Order::default(),
            by_operation: BTreeMap::new(),
            by_token: BTreeSet::new(),
            deadlines: Deadlines::default(),
            outbox: Outbox::default(),
            history: History::default(),
            recording: None,
            next_key: 1,
            next_operation: 1,
            next_place: 0,
            revision: Revision(0),
            seq: 0,
            clock: Timestamp(0),
            skew: 0,
            started: false,
            last_complete: 0,
            relist: false,
            dropped: Dropped::default(),
            outcomes: VecDeque::new(),
            log: Log::default(),
            strewn: 0,
            before: BTreeMap::new(),
            moved: Vec::new(),
            undo: BTreeMap::new(),
            told: Vec::new(),
            gone: Vec::new(),
            tracking: None,
        }
    }

    /// Applies one event at `now`. The one door: every verb goes through it.
    ///
    /// # Errors
    ///
    /// A refused event changes nothing at all, not even the time.
    pub fn apply(&mut self, event: Event<R>, now: Timestamp) -> Result<Applied, Error> {
        self.check(&event)?;
        self.enter(now, |cache, cx, done| cache.dispatch(event, cx, done))
    }

    /// Does what is due, then `change`, then what has become due by it; nothing when it is refused.
    pub(crate) fn enter(
        &mut self,
        now: Timestamp,
        change: impl FnOnce(&mut Self, &mut Context<'_>, &mut Done) -> Result<(), Error>,
    ) -> Result<Applied, Error> {
        if !now.is_writable() {
            let problem = "is outside the years 0 to 9999, which RFC 3339 can write";
            return Err(Error::bad_input("now", format!("{} ms {problem}", now.0)));
        }
        let (clock, skew) = self.time_at(now);
        let config = Arc::clone(&self.config);
        let mut cx = Context {
            config: &config,
            clock,
            now,
            seq: self.seq + 1,
            online_since: self.outbox.online_since,
            outcomes: Vec::new(),
        };
        let mut done = Done::default();
        let counters = (self.next_key, self.next_operation, self.next_place);
        self.run_due(&mut cx);
        if let Err(error) = change(self, &mut cx, &mut done) {
            self.roll_back();
            (self.next_key, self.next_operation, self.next_place) = counters;
            return Err(error);
        }
        self.run_due(&mut cx);
        if !self.history.is_empty() {
            self.heed_outcomes(&mut cx);
        }
        (self.clock, self.skew, self.seq, self.started) = (clock, skew, cx.seq, true);
        self.purge_dropped(clock);
        let moved = self.moved.len();
        let changes = self.finish(cx.outcomes, done.warnings);
        self.tidy(moved);
        Ok(Applied {
            changes,
            operations: done.operations,
            token: done.token,
            conflicts: done.conflicts,
        })
    }

    /// Keeps memory and the list as small as what they hold, after an event that moved so many rows.
    pub(crate) fn tidy(&mut self, moved: usize) {
        self.rows.release();
        if self.order.is_sparse() {
            let packed = self.order.packed();
            self.relist(packed);
        }
        let some = (self.order.listed().len() / 6).max(64);
        // Not while the whole order changes: it may change back.
        if self.strewn > some && moved <= some {
            self.strewn = 0;
            let bases = self.order.iter().filter_map(|slot| self.rows.base(slot));
            if R::are_scattered(bases) {
                self.gather();
            }
        }
    }

    /// Moves the server's copies together, in list order: some at a time, so that what one part
    /// leaves is there for the next.
    pub(crate) fn gather(&mut self) {
        const SOME: usize = 1_024;
        let slots: Vec<Slot> = self.order.iter().collect();
        for slots in slots.chunks(SOME) {
            let bases = slots.iter().filter_map(|slot| self.rows.base(*slot));
            let mut bases: Vec<R> = bases.cloned().collect();
            R::gather(&mut bases);
            let mut bases = bases.into_iter();
            for slot in slots {
                if let Some(base) = self.rows.base_mut(*slot) {
                    *base = bases.next().unwrap_or_else(|| base.clone());
                }
            }
        }
    }

    /// The collection's own clock at the caller's `now`, and the skew between them (T1).
    fn time_at(&self, now: Timestamp) -> (Timestamp, i64) {
        if !self.started {
            return (now, 0);
        }
        let own = now.0.saturating_add(self.skew);
        if own >= self.clock.0 {
            (Timestamp(own), self.skew)
        } else {
            (self.clock, self.clock.0.saturating_sub(now.0))
        }
    }

    /// The caller's time of a time of the collection's own clock.
    pub(crate) fn callers(&self, own: Timestamp) -> Timestamp {
        Timestamp(own.0.saturating_sub(self.skew))
    }

    /// Does what is due in every row, each at its own time, so that calling late is calling on time
    /// (T3).
    fn run_due(&mut self, cx: &mut Context<'_>) {
        let (clock, now) = (cx.clock, cx.now);
        while let Some((at, key)) = self.deadlines.due(clock) {
            cx.clock = at.max(self.clock);
            cx.now = Timestamp(now.0.saturating_sub(clock.0.saturating_sub(cx.clock.0)));
            if let Some(mut row) = self.draft_of(key) {
                row.run_due(cx);
                self.put(row);
            }
        }
        (cx.clock, cx.now) = (clock, now);
    }

    /// Puts every touched row back as it was before the event.
    fn roll_back(&mut self) {
        let undo = std::mem::take(&mut self.undo);
        for key in undo.keys() {
            self.take(*key);
        }
        for row in undo.into_values().flatten() {
            self.insert(row);
        }
        self.rows.release();
        self.undo.clear();
        self.before.clear();
        self.moved.clear();
    }

    /// The row of an id, or of an id that it had.
    pub(crate) fn key_of(&self, id: &str) -> Option<RowKey> {
        self.rows.key_of(id)
    }

    /// The rows that have operations, settled ones that are remembered included.
    pub(crate) fn keys_with_operations(&self) -> BTreeSet<RowKey> {
        self.by_operation.values().copied().collect()
    }

    /// A copy of a row to change.
    pub(crate) fn draft_of(&self, key: RowKey) -> Option<Row<R>> {
        let slot = self.rows.slot(key)?;
        self.rows.draft(slot, self.last_complete)
    }

    /// The same, by its id; a new row for an unknown one.
    pub(crate) fn draft(&self, id: &ResourceId) -> Row<R> {
        let known = self.key_of(id.as_str()).and_then(|key| self.draft_of(key));
        known.unwrap_or_else(|| {
            let mut row = Row::new(RowKey(self.next_key), id.clone());
            // What dropped it is newer than answers that may still bring it (S6).
            let dropped = self.dropped.by_id.get(id.as_str());
            row.taken = dropped.map_or(0, |(seq, _)| *seq);
            row
        })
    }

    /// Takes a row out of every index, remembering it for an event that is refused.
    pub(crate) fn take(&mut self, key: RowKey) -> Option<Row<R>> {
        let row = self.unlist(key)?;
        self.undo.entry(key).or_insert_with(|| Some(row.clone()));
        Some(row)
    }

    /// Takes a row out of every index, remembering what a reader saw of it.
    pub(crate) fn unlist(&mut self, key: RowKey) -> Option<Row<R>> {
        let slot = self.rows.slot(key)?;
        self.track(slot);
        let row = self.rows.remove(slot, self.last_complete)?;
        self.outbox.remove(&row);
        self.before.entry(key).or_insert_with(|| Face::of(&row));
        for operation in &row.operations {
            self.by_operation.remove(&operation.id);
            if let Some(token) = operation.awaited_token() {
                self.by_token.remove(&(token.into(), key));
            }
            for (at, reason) in operation.deadlines(row.base.is_some(), &self.config) {
                self.deadlines.remove(&(at, key, operation.id, reason));
            }
        }
        if let Some(place) = row.place {
            self.order.clear(place);
        }
        Some(row)
    }

    /// Puts a changed row in the place of what was there, or drops it when nothing is left of it.
    pub(crate) fn put(&mut self, mut row: Row<R>) {
        let old = self.unlist(row.key);
        if let Some(tracking) = self.tracking.as_mut().filter(|_| old.is_none()) {
            tracking.new_row(row.key);
        }
        let old_place = old.as_ref().and_then(|old| old.place);
        self.undo.entry(row.key).or_insert(old);
        self.next_key = self.next_key.max(row.key.0 + 1);
        self.before
            .entry(row.key)
            .or_insert_with(|| Face::empty(&row));
        row.refresh(&self.config);
        if row.is_empty() {
            self.strewn += 1;
            return;
        }
        self.place(&mut row);
        if old_place.is_some() && row.place.is_some() && row.place != old_place {
            self.moved.push(row.key);
        }
        self.insert(row);
    }

    /// Puts a row into every index, as it is.
    pub(crate) fn insert(&mut self, row: Row<R>) {
        let (key, place) = (row.key, row.place);
        self.outbox.insert(&row);
        for operation in &row.operations {
            self.by_operation.insert(operation.id, key);
            if let Some(token) = operation.awaited_token() {
                self.by_token.insert((token.into(), key));
            }
            for (at, reason) in operation.deadlines(row.base.is_some(), &self.config) {
                self.deadlines.insert((at, key, operation.id, reason));
            }
        }
        let slot = self.rows.insert(row);
        if let Some(place) = place {
            self.order.set(place, slot);
        }
    }

    /// Gives a row a place that has a body and none, and takes it from one that has no body.
    fn place(&mut self, row: &mut Row<R>) {
        let has_copy = row.base.is_some();
        let created = row.body().is_some() && !has_copy && !row.is_hidden();
        row.place = match row.place {
            Some(place) if has_copy => Some(place),
            // Hidden, it keeps its place, in case that what hides it is taken back.
            Some(place) if (created || row.is_hidden()) && place.0 != LISTED => Some(place),
            _ if created => Some(self.new_zone_place()),
            _ if has_copy => Some(self.order.next_listed()),
            _ => None,
        };
    }

    /// The next place among the new items (V3).
    pub(crate) fn new_zone_place(&mut self) -> Place {
        self.next_place += 1;
        match self.config.new_items {
            NewItems::Start => (START, -self.next_place),
            NewItems::End => (END, self.next_place),
        }
    }

    /// Brings the listed rows into this order.
    pub(crate) fn relist(&mut self, listed: Vec<Slot>) {
        if let Some(tracking) = &mut self.tracking {
            tracking.relisted = true;
        }
        self.rows.relist(self.order.listed(), &listed);
        self.order.relist(listed);
    }
}

/// What an event leaves besides changed rows.
#[derive(Default)]
pub(crate) struct Done {
    pub(crate) operations: Vec<OperationId>,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) token: Option<FetchToken>,
    pub(crate) conflicts: Vec<Conflict>,
}

impl Done {
    /// Something was left alone, and the user is to be `told` of it.
    pub(crate) fn conflict(&mut self, told: bool, id: &ResourceId, reason: ConflictReason) {
        if told {
            let id = id.clone();
            self.conflicts.push(Conflict { id, reason });
        }
    }
}
