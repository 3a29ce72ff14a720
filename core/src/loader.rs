//! Loads a collection part by part.

use std::collections::BTreeMap;

use crate::cache::ResourceCache;
use crate::changes::Outcome;
use crate::config::Config;
use crate::dropped::At;
use crate::error::Error;
use crate::history::{History, Step};
use crate::ids::{OperationId, ResourceId, Revision, RowKey};
use crate::log::Log;
use crate::operation::Operation;
use crate::resource::Resource;
use crate::row::{LISTED, Row};
use crate::rows::Quiet;
use crate::saved::{Content, Head, Marks, NOWHERE, Saved, SavedKey, SavedPlace, VERSION};
use crate::stored::Stored;
use crate::tracking::Tracking;

/// Makes a collection of its saved parts, in any order.
///
/// ```
/// use resourcecache::{Config, JsonCache, Loader, Timestamp, json::Schema};
/// let mut zones = JsonCache::new(Config::default());
/// zones.track_saved();
/// zones.merge_response(Schema::default().response(br#"[{"id":"a"}]"#), Timestamp(0))?;
/// let mut loader = Loader::new();
/// for (key, part) in zones.delta().parts {
///     loader.add(key, part.unwrap())?; // nothing is gone yet
/// }
/// let again = loader.finish(Config::default())?;
/// assert_eq!(again.record(), zones.record());
/// # Ok::<(), resourcecache::Error>(())
/// ```
#[derive(Debug)]
pub struct Loader<R: Resource> {
    head: Option<Head>,
    bodies: Vec<(RowKey, R)>,
    places: Vec<(RowKey, SavedPlace)>,
    marks: BTreeMap<RowKey, Marks<R>>,
    operations: BTreeMap<OperationId, Operation<R>>,
    dropped: Vec<(ResourceId, At)>,
    outcomes: BTreeMap<u64, (Revision, Outcome)>,
    steps: BTreeMap<u64, Step<R>>,
    /// Bodies that are not read yet, one behind the other, with their ends.
    unread: Vec<u8>,
    unread_ends: Vec<(RowKey, usize)>,
}

impl<R: Resource> Default for Loader<R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R: Resource> Loader<R> {
    /// Nothing yet.
    pub fn new() -> Self {
        Self {
            head: None,
            bodies: Vec::new(),
            places: Vec::new(),
            marks: BTreeMap::new(),
            operations: BTreeMap::new(),
            dropped: Vec::new(),
            outcomes: BTreeMap::new(),
            steps: BTreeMap::new(),
            unread: Vec::new(),
            unread_ends: Vec::new(),
        }
    }

    /// Takes one part as it was [encoded](Saved::encode).
    ///
    /// # Errors
    ///
    /// [`Error::BadInput`] for bytes that are not that.
    pub fn read(&mut self, key: SavedKey, bytes: &[u8]) -> Result<(), Error>
    where
        R: Stored,
    {
        /// Bodies are read together, so that they may share memory.
        const TOGETHER: usize = 60 * 1024;
        let SavedKey::Body(row) = key else {
            let part = Saved::decode(&key, bytes)?;
            return self.add(key, part);
        };
        if self.unread.len() + bytes.len() > TOGETHER {
            self.read_bodies()?;
        }
        self.unread.extend_from_slice(bytes);
        self.unread_ends.push((row, self.unread.len()));
        Ok(())
    }

    /// Reads the bodies that are not read yet.
    fn read_bodies(&mut self) -> Result<(), Error>
    where
        R: Stored,
    {
        let mut from = 0;
        let slice = |(_, end): &(RowKey, usize)| {
            let bytes = self.unread.get(from..*end).unwrap_or_default();
            from = *end;
            bytes
        };
        let slices: Vec<&[u8]> = self.unread_ends.iter().map(slice).collect();
        let bodies = R::from_bytes(&slices)?;
        if bodies.len() != slices.len() {
            return Err(damaged("saved bodies", "are fewer than were written"));
        }
        let keys = self.unread_ends.drain(..).map(|(key, _)| key);
        self.bodies.extend(keys.zip(bodies));
        self.unread.clear();
        Ok(())
    }

    /// The same as [`finish`](Self::finish), after [`read`](Self::read).
    ///
    /// # Errors
    ///
    /// As `finish`, and for bodies that cannot be read.
    pub fn finish_reading(mut self, config: Config) -> Result<ResourceCache<R>, Error>
    where
        R: Stored,
    {
        self.read_bodies()?;
        self.finish(config)
    }

    /// Takes one part.
    ///
    /// # Errors
    ///
    /// [`Error::BadInput`] when the part is another than the key says.
    pub fn add(&mut self, key: SavedKey, part: Saved<R>) -> Result<(), Error> {
        match (key, part.0) {
            (SavedKey::Head, Content::Head(head)) => self.head = Some(head),
            (SavedKey::Body(key), Content::Body(body)) => self.bodies.push((key, body)),
            (SavedKey::Place(key), Content::Place(place)) => self.places.push((key, place)),
            (SavedKey::Marks(key), Content::Marks(marks)) => {
                self.marks.insert(key, *marks);
            }
            (SavedKey::Operation(id), Content::Operation(operation)) if operation.id == id => {
                self.operations.insert(id, *operation);
            }
            (SavedKey::Dropped(id), Content::Dropped(at)) => self.dropped.push((id, at)),
            (SavedKey::Outcome(number), Content::Outcome(revision, outcome)) => {
                self.outcomes.insert(number, (revision, outcome));
            }
            (SavedKey::Step(serial), Content::Step(step)) => {
                self.steps.insert(serial, step);
            }
            (key, _) => return Err(damaged(format!("{key:?}"), "is another part than it says")),
        }
        Ok(())
    }

    /// The collection, as it was when it was saved, and tracked: nothing is due yet that was not due
    /// then. Call [`handle_timeout`](ResourceCache::handle_timeout) to let time go on.
    ///
    /// # Errors
    ///
    /// [`Error::BadInput`] for parts of a newer version, or such as contradict each other.
    pub fn finish(mut self, config: Config) -> Result<ResourceCache<R>, Error> {
        let Some(head) = self.head.take() else {
            return Err(damaged("saved state", "has no head"));
        };
        check_head(&head)?;
        let mut cache = ResourceCache::new(config);
        cache.set_head(&head);
        let mut tracking = Tracking::new(cache.head());
        self.rows(&mut cache, &mut tracking, &head)?;
        cache.before.clear();
        cache.rows.release();
        cache.log = Log::from(head.revision);
        for (id, at) in self.dropped {
            cache.dropped.set(id, Some(at));
        }
        tracking.outcomes = outcome_numbers(&self.outcomes, &head)?;
        cache.outcomes = self.outcomes.into_values().collect();
        cache.history = History::of(self.steps, head.next_step);
        tracking.history.clone_from(&cache.history);
        tracking.head = Some(head);
        cache.tracking = Some(Box::new(tracking));
        cache.gather();
        Ok(cache)
    }

    fn rows(
        &mut self,
        cache: &mut ResourceCache<R>,
        tracking: &mut Tracking<R>,
        head: &Head,
    ) -> Result<(), Error> {
        let Self { bodies, places, .. } = self;
        sort(bodies);
        sort(places);
        let indexes = indexes(places)?;
        let listed = indexes.iter().filter(|index| **index != u32::MAX).count();
        cache.rows.reserve(places.len());
        cache.order.reserve(listed);
        let mut bodies = std::mem::take(bodies).into_iter().peekable();
        for ((key, place), index) in std::mem::take(places).into_iter().zip(indexes) {
            let base = bodies.next_if(|(of, _)| *of == key).map(|(_, body)| body);
            if key >= RowKey(head.next_key) || cache.rows.slot(key).is_some() {
                return Err(damaged(
                    format!("row {key}"),
                    "has a number that is not its own",
                ));
            }
            let marks = self.marks.remove(&key);
            let place_of = (place.zone == LISTED).then_some((LISTED, i64::from(index)));
            let slot = match (marks, base) {
                (None, Some(base)) if place.zone == LISTED => {
                    let hash = cache.rows.hash(base.id().as_bytes());
                    if cache.rows.slot_of(hash, base.id().as_bytes()).is_some() {
                        return Err(damaged(base.id(), "has two rows"));
                    }
                    let taken = place.taken;
                    let slot = cache
                        .rows
                        .add_quiet(hash, Quiet { base, key, taken }, index);
                    cache.order.set((LISTED, i64::from(index)), slot);
                    slot
                }
                (Some(marks), base) => {
                    let taken = |id: &OperationId| self.operations.remove(id);
                    let mut row = assemble(key, marks, base, place, taken)?;
                    row.place = place_of.or(row.place);
                    check_row(&row, head)?;
                    let twice = cache.key_of(row.id.as_str()).is_some_and(|other| {
                        cache
                            .rows
                            .get(other)
                            .is_some_and(|other| other.id() == row.id.as_str())
                    });
                    if twice {
                        return Err(damaged(row.id.as_str(), "has two rows"));
                    }
                    row.refresh(&cache.config);
                    cache.insert(row);
                    cache.rows.slot(key).unwrap_or(0)
                }
                (None, _) => return Err(damaged(format!("row {key}"), "has no body in its list")),
            };
            if place.zone == LISTED {
                tracking.ranks.set(slot, key, place.at);
            }
        }
        let left = bodies.next().is_some() || !self.marks.is_empty() || !self.operations.is_empty();
        if left {
            return Err(damaged("saved state", "has a part whose row is missing"));
        }
        Ok(())
    }
}

/// A row of its parts; `operation` gives each by its id.
pub(crate) fn assemble<R: Resource>(
    key: RowKey,
    marks: Marks<R>,
    base: Option<R>,
    place: SavedPlace,
    mut operation: impl FnMut(&OperationId) -> Option<Operation<R>>,
) -> Result<Row<R>, Error> {
    let mut row = Row::new(key, marks.id);
    for id in &marks.operations {
        let operation = operation(id);
        let missing = || damaged(row.id.as_str(), "misses one of its operations");
        row.operations.push(operation.ok_or_else(missing)?);
    }
    row.aliases = marks.aliases;
    row.last = marks.last;
    row.base = base;
    row.taken = place.taken;
    row.place = (place.zone != NOWHERE).then_some((place.zone, place.at));
    if row.is_empty() || place.zone == LISTED && row.base.is_none() {
        return Err(damaged(row.id.as_str(), "has no body"));
    }
    Ok(row)
}

/// What a row's counters and its zone contradict.
pub(crate) fn check_row<R: Resource>(row: &Row<R>, head: &Head) -> Result<(), Error> {
    let known = |id: OperationId| id < OperationId(head.next_operation);
    if !row.operations.iter().all(|o| known(o.id)) || row.key >= RowKey(head.next_key) {
        return Err(damaged(row.id.as_str(), "has a number that is not its own"));
    }
    let most = head.next_place.unsigned_abs();
    let stands = |(zone, at): (u8, i64)| zone == LISTED || zone <= 2 && at.unsigned_abs() <= most;
    if !row.place.is_none_or(stands) {
        return Err(damaged(row.id.as_str(), "stands where no row was put yet"));
    }
    Ok(())
}

pub(crate) fn check_head(head: &Head) -> Result<(), Error> {
    /// Counters count on from here for longer than anyone waits.
    const MOST: u64 = 1 << 62;
    if head.version > VERSION {
        let (theirs, ours) = (head.version, VERSION);
        let problem = format!("written by a newer version ({theirs}); this one reads up to {ours}");
        return Err(Error::bad_input("saved state", problem));
    }
    let counters = [
        head.next_key,
        head.next_operation,
        head.revision.0,
        head.seq,
        head.next_step,
        head.next_outcome,
        head.next_place.try_into().unwrap_or(u64::MAX),
    ];
    if counters.iter().any(|counter| *counter > MOST) {
        return Err(damaged(
            "saved state",
            "has a counter beyond all that can be counted",
        ));
    }
    Ok(())
}

pub(crate) fn damaged(what: impl Into<String>, problem: &str) -> Error {
    Error::bad_input(what, format!("{problem}; the saved state is damaged"))
}

/// The numbers of the first outcome and of the next; they follow each other.
pub(crate) fn outcome_numbers<T>(
    outcomes: &BTreeMap<u64, T>,
    head: &Head,
) -> Result<(u64, u64), Error> {
    let next = head.next_outcome;
    let first = next.saturating_sub(outcomes.len() as u64);
    if !outcomes.keys().copied().eq(first..next) {
        return Err(damaged("saved state", "misses an outcome"));
    }
    Ok((first, next))
}

fn sort<T>(parts: &mut [(RowKey, T)]) {
    if !parts.is_sorted_by_key(|(key, _)| *key) {
        parts.sort_by_key(|(key, _)| *key);
    }
}

/// The index in the server's list of each place that is in it; `u32::MAX` for the others.
fn indexes(places: &[(RowKey, SavedPlace)]) -> Result<Vec<u32>, Error> {
    let listed = places.iter().zip(0_u32..);
    let listed = listed.filter(|((_, place), _)| place.zone == LISTED);
    let mut listed: Vec<(i64, u32)> = listed.map(|((_, place), at)| (place.at, at)).collect();
    listed.sort();
    let mut indexes = vec![u32::MAX; places.len()];
    for ((_, at), index) in listed.iter().zip(0_u32..) {
        indexes[*at as usize] = index;
    }
    if listed.windows(2).any(|two| two[0].0 == two[1].0) {
        return Err(damaged("saved state", "has two rows in one place"));
    }
    let bound = 1_i64 << 61;
    if listed.first().is_some_and(|l| l.0 < -bound) || listed.last().is_some_and(|l| l.0 > bound) {
        return Err(damaged(
            "saved state",
            "has a place beyond all that can be counted",
        ));
    }
    Ok(indexes)
}
