//! The collection: its rows and indexes, and the one door through which everything changes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::changes::{Applied, Changes, Outcome, Removed, Upsert, Warning};
use crate::config::{Config, NewItems};
use crate::deadline::Reason;
use crate::error::Error;
use crate::event::Event;
use crate::ids::{FetchToken, OperationId, ResourceId, Revision, RowKey, Timestamp};
use crate::metadata::Metadata;
use crate::resource::Resource;
use crate::row::{Context, END, LISTED, Place, Row, START};
use crate::state::State;

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
    pub(crate) config: Config,
    pub(crate) rows: BTreeMap<RowKey, Row<R>>,
    pub(crate) by_id: BTreeMap<ResourceId, RowKey>,
    pub(crate) by_operation: BTreeMap<OperationId, RowKey>,
    pub(crate) order: BTreeMap<Place, RowKey>,
    pub(crate) deadlines: BTreeSet<(Timestamp, RowKey, OperationId, Reason)>,
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
    /// Ids that a newer answer dropped: when, in events, and when by the clock.
    pub(crate) dropped: BTreeMap<ResourceId, (u64, Timestamp)>,
    pub(crate) outcomes: VecDeque<(Revision, Outcome)>,
    pub(crate) log: VecDeque<(Revision, RowKey, ResourceId)>,
    /// Changes up to this revision are no longer known.
    pub(crate) log_floor: Revision,
    /// The rows that the running event touches, as they were before.
    pub(crate) before: BTreeMap<RowKey, Face<R>>,
    pub(crate) moved: BTreeSet<RowKey>,
    /// The same rows whole, for an event that is refused; `None` for new ones.
    pub(crate) undo: BTreeMap<RowKey, Option<Row<R>>>,
}

/// What a reader sees of a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Face<R> {
    id: ResourceId,
    body: Option<R>,
    meta: Option<Metadata>,
    state: State,
    place: Option<Place>,
}

impl<R: Resource> ResourceCache<R> {
    /// An empty collection: nothing is known of the server yet.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            rows: BTreeMap::new(),
            by_id: BTreeMap::new(),
            by_operation: BTreeMap::new(),
            order: BTreeMap::new(),
            deadlines: BTreeSet::new(),
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
            dropped: BTreeMap::new(),
            outcomes: VecDeque::new(),
            log: VecDeque::new(),
            log_floor: Revision(0),
            before: BTreeMap::new(),
            moved: BTreeSet::new(),
            undo: BTreeMap::new(),
        }
    }

    /// Applies one event at `now`. The one door: every verb goes through it.
    ///
    /// # Errors
    ///
    /// A refused event changes nothing at all, not even the time.
    pub fn apply(&mut self, event: Event<R>, now: Timestamp) -> Result<Applied, Error> {
        self.check(&event)?;
        if !now.is_writable() {
            let problem = "is outside the years 0 to 9999, which RFC 3339 can write";
            return Err(Error::bad_input("now", format!("{} ms {problem}", now.0)));
        }
        let (clock, skew) = self.time_at(now);
        let config = self.config.clone();
        let mut cx = Context {
            config: &config,
            clock,
            now,
            seq: self.seq + 1,
            outcomes: Vec::new(),
        };
        let mut done = Done::default();
        let counters = (self.next_key, self.next_operation, self.next_place);
        self.run_due(&mut cx);
        if let Err(error) = self.dispatch(event, &mut cx, &mut done) {
            self.roll_back();
            (self.next_key, self.next_operation, self.next_place) = counters;
            return Err(error);
        }
        self.run_due(&mut cx);
        (self.clock, self.skew, self.seq, self.started) = (clock, skew, cx.seq, true);
        self.purge_dropped();
        Ok(Applied {
            changes: self.finish(cx.outcomes, done.warnings),
            operations: done.operations,
            token: done.token,
        })
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
        while let Some((at, key)) = self.next_due(clock) {
            cx.clock = at.max(self.clock);
            cx.now = Timestamp(now.0.saturating_sub(clock.0.saturating_sub(cx.clock.0)));
            if let Some(mut row) = self.rows.get(&key).cloned() {
                row.run_due(cx);
                self.put(row);
            }
        }
        (cx.clock, cx.now) = (clock, now);
    }

    fn next_due(&self, clock: Timestamp) -> Option<(Timestamp, RowKey)> {
        let mut ahead = self.deadlines.iter().take_while(|d| d.0 <= clock);
        ahead.find(|d| d.3.acts()).map(|d| (d.0, d.1))
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
        self.undo.clear();
        self.before.clear();
        self.moved.clear();
    }

    /// The row of an id, or of an id that it had.
    pub(crate) fn key_of(&self, id: &str) -> Option<RowKey> {
        self.by_id.get(id).copied()
    }

    /// The rows that have operations, settled ones that are remembered included.
    pub(crate) fn keys_with_operations(&self) -> BTreeSet<RowKey> {
        self.by_operation.values().copied().collect()
    }

    /// A copy of the row to change; a new one for an unknown id.
    pub(crate) fn draft(&self, id: &ResourceId) -> Row<R> {
        let known = self.key_of(id.as_str()).and_then(|key| self.rows.get(&key));
        known.map_or_else(|| Row::new(RowKey(self.next_key), id.clone()), Row::clone)
    }

    fn face(row: &Row<R>) -> Face<R> {
        if !row.is_visible() {
            return Self::empty_face(row);
        }
        Face {
            id: row.id.clone(),
            body: row.body().cloned(),
            meta: row.metadata(),
            state: row.state(),
            place: row.place,
        }
    }

    fn empty_face(row: &Row<R>) -> Face<R> {
        Face {
            id: row.id.clone(),
            body: None,
            meta: None,
            state: State::Gone,
            place: None,
        }
    }

    /// Takes a row out of every index, remembering what a reader saw of it.
    pub(crate) fn take(&mut self, key: RowKey) -> Option<Row<R>> {
        let row = self.rows.remove(&key)?;
        self.before.entry(key).or_insert_with(|| Self::face(&row));
        self.undo.entry(key).or_insert_with(|| Some(row.clone()));
        self.by_id.remove(&row.id);
        for alias in &row.aliases {
            self.by_id.remove(alias);
        }
        for operation in &row.operations {
            self.by_operation.remove(&operation.id);
            for (at, reason) in operation.deadlines(row.base.is_some(), &self.config) {
                self.deadlines.remove(&(at, key, operation.id, reason));
            }
        }
        if let Some(place) = row.place {
            self.order.remove(&place);
        }
        Some(row)
    }

    /// Puts a changed row in the place of what was there, or drops it when nothing is left of it.
    pub(crate) fn put(&mut self, mut row: Row<R>) {
        let old_place = self.take(row.key).and_then(|old| old.place);
        self.undo.entry(row.key).or_insert(None);
        self.next_key = self.next_key.max(row.key.0 + 1);
        self.before
            .entry(row.key)
            .or_insert_with(|| Self::empty_face(&row));
        row.refresh(&self.config);
        if row.is_empty() {
            return;
        }
        self.place(&mut row);
        if old_place.is_some() && row.place.is_some() && row.place != old_place {
            self.moved.insert(row.key);
        }
        self.insert(row);
    }

    /// Puts a row into every index, as it is.
    fn insert(&mut self, row: Row<R>) {
        if let Some(place) = row.place {
            self.order.insert(place, row.key);
        }
        self.by_id.insert(row.id.clone(), row.key);
        for alias in &row.aliases {
            self.by_id.entry(alias.clone()).or_insert(row.key);
        }
        for operation in &row.operations {
            self.by_operation.insert(operation.id, row.key);
            for (at, reason) in operation.deadlines(row.base.is_some(), &self.config) {
                self.deadlines.insert((at, row.key, operation.id, reason));
            }
        }
        self.rows.insert(row.key, row);
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
            _ if has_copy => {
                self.next_place += 1;
                Some((LISTED, self.next_place))
            }
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

    fn purge_dropped(&mut self) {
        let (clock, keep) = (self.clock, self.config.stale_after_ms);
        self.dropped.retain(|_, (_, at)| at.plus_ms(keep) > clock);
    }

    /// Turns what was touched into changes, and remembers them.
    fn finish(&mut self, outcomes: Vec<Outcome>, warnings: Vec<Warning>) -> Changes {
        let before = std::mem::take(&mut self.before);
        let moved = std::mem::take(&mut self.moved);
        self.undo.clear();
        let (mut changed, mut removed) = (BTreeMap::new(), Vec::new());
        for (key, old) in &before {
            let new = self.rows.get(key).map(Self::face);
            match new {
                Some(new) if new.place.is_some() => {
                    let same = new.id == old.id
                        && new.body == old.body
                        && new.meta == old.meta
                        && new.state == old.state
                        && old.place.is_some()
                        && !moved.contains(key);
                    if let (false, Some(place)) = (same, new.place) {
                        changed.insert(place, *key);
                    }
                }
                _ if old.place.is_some() => removed.push(Removed {
                    key: *key,
                    id: self.rows.get(key).map_or(&old.id, |r| &r.id).clone(),
                }),
                _ => {}
            }
        }
        for key in moved {
            if let Some(row) = self.rows.get(&key).filter(|r| r.is_visible()) {
                changed.extend(row.place.map(|place| (place, key)));
            }
        }
        let upserted = self.upserts(changed);
        self.remember(&upserted, &removed, &outcomes);
        Changes {
            revision: self.revision,
            upserted,
            removed,
            outcomes,
            warnings,
        }
    }

    fn upserts(&self, changed: BTreeMap<Place, RowKey>) -> Vec<Upsert> {
        changed
            .into_iter()
            .filter_map(|(place, key)| {
                let row = self.rows.get(&key)?;
                let after = self
                    .order
                    .range(..place)
                    .rev()
                    .find(|(_, key)| self.rows.get(key).is_some_and(Row::is_visible))
                    .map(|(_, key)| *key);
                Some(Upsert {
                    key,
                    id: row.id.clone(),
                    after,
                })
            })
            .collect()
    }

    fn remember(&mut self, upserted: &[Upsert], removed: &[Removed], outcomes: &[Outcome]) {
        if upserted.is_empty() && removed.is_empty() && outcomes.is_empty() {
            return;
        }
        self.revision.0 += 1;
        let revision = self.revision;
        let rows = upserted.iter().map(|u| (u.key, &u.id));
        let rows = rows.chain(removed.iter().map(|r| (r.key, &r.id)));
        self.log
            .extend(rows.map(|(key, id)| (revision, key, id.clone())));
        while self.log.len() > self.config.change_log {
            if let Some((old, _, _)) = self.log.pop_front() {
                self.log_floor = old;
            }
        }
        self.outcomes
            .extend(outcomes.iter().map(|o| (revision, o.clone())));
        while self.outcomes.len() > self.config.outcome_log {
            self.outcomes.pop_front();
        }
    }

    /// What changed after `revision`, for a reader that saw the list then; `None` when that far
    /// back is no longer known, and the reader takes the whole view.
    pub fn changes_since(&self, revision: Revision) -> Option<Changes> {
        if revision < self.log_floor || revision > self.revision {
            return None;
        }
        let start = self.log.partition_point(|(r, _, _)| *r <= revision);
        let mut changed = BTreeMap::new();
        let mut removed = BTreeMap::new();
        for (_, key, id) in self.log.range(start..) {
            match self.rows.get(key).filter(|r| r.is_visible()) {
                Some(row) => drop(row.place.map(|place| changed.insert(place, *key))),
                None => drop(removed.insert(*key, id.clone())),
            }
        }
        let first = self.outcomes.partition_point(|(r, _)| *r <= revision);
        Some(Changes {
            revision: self.revision,
            upserted: self.upserts(changed),
            removed: removed
                .into_iter()
                .map(|(key, id)| Removed { key, id })
                .collect(),
            outcomes: self
                .outcomes
                .range(first..)
                .map(|(_, o)| o.clone())
                .collect(),
            warnings: Vec::new(),
        })
    }
}

/// What an event leaves besides changed rows.
#[derive(Default)]
pub(crate) struct Done {
    pub(crate) operations: Vec<OperationId>,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) token: Option<FetchToken>,
}
