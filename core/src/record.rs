//! The whole state, to be saved and loaded again.

use serde::{Deserialize, Serialize};

use crate::cache::ResourceCache;
use crate::changes::Outcome;
use crate::config::Config;
use crate::error::Error;
use crate::history::History;
use crate::ids::{ResourceId, Revision, RowKey, Timestamp};
use crate::log::Log;
use crate::resource::Resource;
use crate::row::{LISTED, Place, Row};
use crate::rows::RowRef;

/// The version of [`Record`] that this build writes.
const VERSION: u32 = 1;

/// The whole state of a collection but its settings, for any serde format. The same events give the
/// same record, byte for byte.
///
/// A record of a newer version is refused; an unknown field is ignored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(
    serialize = "R: Serialize, R::Patch: Serialize",
    deserialize = "R: Deserialize<'de>, R::Patch: Deserialize<'de>"
))]
pub struct Record<R: Resource> {
    version: u32,
    rows: Vec<Row<R>>,
    next_key: u64,
    next_operation: u64,
    next_place: i64,
    revision: Revision,
    seq: u64,
    clock: Timestamp,
    skew: i64,
    started: bool,
    last_complete: u64,
    relist: bool,
    dropped: Vec<(ResourceId, u64, Timestamp)>,
    outcomes: Vec<(Revision, Outcome)>,
    #[serde(default = "online")]
    online: bool,
    #[serde(default)]
    online_since: Timestamp,
    #[serde(default, skip_serializing_if = "History::is_empty")]
    history: History<R>,
}

fn online() -> bool {
    true
}

impl<R: Resource> ResourceCache<R> {
    /// The whole state. What rows changed since when is not part of it: after loading, readers take
    /// the whole view.
    pub fn record(&self) -> Record<R> {
        let mut keys: Vec<RowKey> = self.rows.all().map(RowRef::key).collect();
        keys.sort_unstable();
        // Where rows have gone from the list is no part of its state.
        let mut index_of = vec![0; self.rows.slots()];
        for (slot, index) in self.order.packed().into_iter().zip(0_i64..) {
            index_of[slot as usize] = index;
        }
        let saved = |key| {
            let slot = self.rows.slot(key)?;
            let mut row = self.rows.draft(slot, self.last_complete)?;
            if let Some((LISTED, at)) = &mut row.place {
                *at = index_of[slot as usize];
            }
            Some(row)
        };
        let rows = keys.into_iter().filter_map(saved).collect();
        Record {
            version: VERSION,
            rows,
            next_key: self.next_key,
            next_operation: self.next_operation,
            next_place: self.next_place,
            revision: self.revision,
            seq: self.seq,
            clock: self.clock,
            skew: self.skew,
            started: self.started,
            last_complete: self.last_complete,
            relist: self.relist,
            dropped: self
                .dropped
                .by_id
                .iter()
                .map(|(id, (seq, at))| (id.clone(), *seq, *at))
                .collect(),
            outcomes: self.outcomes.iter().cloned().collect(),
            online: self.outbox.online,
            online_since: self.outbox.online_since,
            history: self.history.clone(),
        }
    }

    /// Loads a record and does what has become due by `now`.
    ///
    /// When `now` is before the time of the record, no time has passed (T1, T5).
    ///
    /// # Errors
    ///
    /// [`Error::BadInput`] for a record of a newer version, or one that contradicts itself.
    pub fn restore(config: Config, record: Record<R>, now: Timestamp) -> Result<Self, Error> {
        if record.version > VERSION {
            return Err(Error::bad_input(
                "record",
                format!(
                    "written by a newer version ({}); this one reads up to {VERSION}",
                    record.version
                ),
            ));
        }
        if let Some(problem) = record.damage() {
            return Err(Error::bad_input(
                "record",
                format!("{problem}; it is damaged"),
            ));
        }
        let mut cache = Self::new(config);
        cache.next_place = record.next_place;
        cache.next_operation = record.next_operation;
        let count = record.rows.len();
        cache.rows.reserve(count);
        cache.order.reserve(count);
        for row in record.rows {
            let taken = |place| !plausible(place, count) || cache.order.at(place).is_some();
            let twice = cache.key_of(row.id.as_str()).is_some()
                || cache.rows.slot(row.key).is_some()
                || row.place.is_some_and(taken);
            if twice || row.key >= RowKey(record.next_key) {
                return Err(Error::bad_input(
                    row.id.as_str(),
                    "the record holds two rows in one place; it is damaged",
                ));
            }
            cache.put(row);
        }
        cache.before.clear();
        cache.rows.release();
        cache.next_key = record.next_key;
        cache.revision = record.revision;
        cache.log = Log::from(record.revision);
        cache.seq = record.seq;
        cache.clock = record.clock;
        cache.skew = record.skew;
        cache.started = record.started;
        cache.last_complete = record.last_complete;
        cache.relist = record.relist;
        for (id, seq, at) in record.dropped {
            cache.dropped.set(id, Some((seq, at)));
        }
        cache.outcomes = record.outcomes.into();
        cache.outbox.online = record.online;
        cache.outbox.online_since = record.online_since;
        cache.history = record.history.indexed();
        cache.history.bound(cache.config.history);
        cache.handle_timeout(now)?;
        cache.gather();
        Ok(cache)
    }
}

impl<R: Resource> Record<R> {
    /// What its counters and its rows contradict each other in.
    fn damage(&self) -> Option<&'static str> {
        /// Counters count on from here for longer than anyone waits.
        const MOST: u64 = 1 << 62;
        let counters = [
            self.next_key,
            self.next_operation,
            self.revision.0,
            self.seq,
            self.next_place.try_into().unwrap_or(u64::MAX),
        ];
        if counters.iter().any(|counter| *counter > MOST) {
            return Some("a counter of the record is beyond all that can be counted");
        }
        let zones = self.rows.iter().filter_map(|row| row.place);
        let mut zones = zones.filter(|place| place.0 != LISTED);
        if zones.any(|place| place.1.unsigned_abs() > counters[4]) {
            return Some("a row of the record stands where none was put yet");
        }
        let operations = self.rows.iter().flat_map(|row| &row.operations);
        let mut ids: Vec<u64> = operations.map(|operation| operation.id.0).collect();
        ids.sort_unstable();
        let twice = ids.windows(2).any(|two| two[0] == two[1]);
        if twice || ids.last().is_some_and(|last| *last >= self.next_operation) {
            return Some("an operation of the record has a number that is not its own");
        }
        None
    }
}

/// Whether a list of so many rows may have this place: it is never mostly holes.
fn plausible(place: Place, rows: usize) -> bool {
    let end = i64::try_from(rows).unwrap_or(i64::MAX).saturating_mul(2);
    place.0 != LISTED || (0..end.saturating_add(1_024)).contains(&place.1)
}
