//! All rows of a collection, found by key and by id.
//!
//! Most rows of a list are *quiet*: the server's copy stands in the server's list, and nothing more
//! is to be said of them. They are kept small; only what an operation has touched is a whole
//! [`Row`].

use std::collections::BTreeMap;

use hashbrown::HashTable;
use siphasher::sip::SipHasher13;

use crate::ids::{ResourceId, RowKey};
use crate::metadata::Metadata;
use crate::operation::Operation;
use crate::resource::Resource;
use crate::row::{LISTED, Place, Row};
use crate::state::State;

/// Where a row is kept. It stays there for as long as it lives, and is not given to another row
/// before the running event ends.
pub(crate) type Slot = u32;

/// A row that is the server's copy, in the server's list, and no more. Its place in the list is
/// kept beside it.
#[derive(Clone, Debug)]
pub(crate) struct Quiet<R> {
    pub(crate) base: R,
    pub(crate) key: RowKey,
    /// When the base was observed, in events, if after the newest complete snapshot.
    pub(crate) taken: u64,
}

/// What a slot holds. Two variants, so that it is no larger than a quiet row.
#[derive(Clone, Debug)]
enum Kept<R: Resource> {
    Quiet(Quiet<R>),
    /// A whole row; none in a slot that is free.
    Busy(Option<Box<Row<R>>>),
}

/// A row to look at, however it is kept.
#[derive(Debug)]
pub(crate) enum RowRef<'a, R: Resource> {
    /// And its place in the list.
    Quiet(&'a Quiet<R>, &'a u32),
    Busy(&'a Row<R>),
}

impl<R: Resource> Clone for RowRef<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R: Resource> Copy for RowRef<'_, R> {}

impl<'a, R: Resource> RowRef<'a, R> {
    pub(crate) fn key(self) -> RowKey {
        match self {
            Self::Quiet(row, _) => row.key,
            Self::Busy(row) => row.key,
        }
    }

    pub(crate) fn id(self) -> &'a str {
        match self {
            Self::Quiet(row, _) => row.base.id(),
            Self::Busy(row) => row.id.as_str(),
        }
    }

    pub(crate) fn base(self) -> Option<&'a R> {
        match self {
            Self::Quiet(row, _) => Some(&row.base),
            Self::Busy(row) => row.base.as_ref(),
        }
    }

    pub(crate) fn body(self) -> Option<&'a R> {
        match self {
            Self::Quiet(row, _) => Some(&row.base),
            Self::Busy(row) => row.body(),
        }
    }

    pub(crate) fn place(self) -> Option<Place> {
        match self {
            Self::Quiet(_, index) => Some((LISTED, i64::from(*index))),
            Self::Busy(row) => row.place,
        }
    }

    /// Its place in the server's list.
    pub(crate) fn listed_index(self) -> Option<usize> {
        match self.place()? {
            (LISTED, index) => usize::try_from(index).ok(),
            _ => None,
        }
    }

    pub(crate) fn is_visible(self) -> bool {
        match self {
            Self::Quiet(..) => true,
            Self::Busy(row) => row.is_visible(),
        }
    }

    pub(crate) fn state(self) -> State {
        match self {
            Self::Quiet(..) => State::Idle,
            Self::Busy(row) => row.state(),
        }
    }

    pub(crate) fn metadata(self) -> Option<Metadata> {
        match self {
            Self::Quiet(..) => None,
            Self::Busy(row) => row.metadata(),
        }
    }

    /// The operations on it, settled ones that are remembered included.
    pub(crate) fn operations(self) -> &'a [Operation<R>] {
        match self {
            Self::Quiet(..) => &[],
            Self::Busy(row) => &row.operations,
        }
    }

    pub(crate) fn unsettled(self) -> impl DoubleEndedIterator<Item = &'a Operation<R>> {
        self.operations().iter().filter(|o| o.is_unsettled())
    }

    pub(crate) fn leading(self) -> Option<&'a Operation<R>> {
        match self {
            Self::Quiet(..) => None,
            Self::Busy(row) => row.leading(),
        }
    }
}

/// An id's hash, and the row that has it.
#[derive(Clone, Copy, Debug)]
struct Named {
    hash: u32,
    slot: Slot,
}

#[derive(Clone, Debug)]
pub(crate) struct Rows<R: Resource> {
    seed: u64,
    kept: Vec<Kept<R>>,
    /// The places in the list of the rows that stand in it, by slot.
    places: Vec<u32>,
    by_id: HashTable<Named>,
    by_key: HashTable<Slot>,
    /// Earlier ids of rows (V7); few have any.
    aliases: BTreeMap<ResourceId, RowKey>,
    /// The rows that are not quiet.
    busy: BTreeMap<RowKey, Slot>,
    free: Vec<Slot>,
    /// Free, but not to be used before the running event has ended.
    freed: Vec<(RowKey, Slot)>,
}

/// A hash of 32 bits, spread over all that the table looks at.
pub(crate) fn spread(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}

/// Keys are this collection's own numbers: nobody chooses them (Fibonacci hashing, Knuth 6.4).
fn key_hash(key: RowKey) -> u64 {
    key.0.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

impl<R: Resource> Rows<R> {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            kept: Vec::new(),
            places: Vec::new(),
            by_id: HashTable::new(),
            by_key: HashTable::new(),
            aliases: BTreeMap::new(),
            busy: BTreeMap::new(),
            free: Vec::new(),
            freed: Vec::new(),
        }
    }

    /// The hash of an id. It is keyed, so that a server cannot choose ids that collide.
    pub(crate) fn hash(&self, id: &[u8]) -> u32 {
        let hash = SipHasher13::new_with_keys(self.seed, 0x7265_736f_7572_6365).hash(id);
        (hash >> 32) as u32
    }

    /// How many slots there are, vacant ones included.
    pub(crate) fn slots(&self) -> usize {
        self.kept.len()
    }

    pub(crate) fn len(&self) -> usize {
        self.by_key.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// Makes room for as many more rows, no more: memory follows what is kept.
    pub(crate) fn reserve(&mut self, more: usize) {
        let Self { kept, by_key, .. } = self;
        let spare = kept.capacity() - kept.len();
        kept.reserve_exact(more.saturating_sub(spare));
        self.places.reserve_exact(more.saturating_sub(spare));
        self.by_id.reserve(more, |n| spread(n.hash));
        by_key.reserve(more, |slot| key_hash(key_at(kept, *slot)));
    }

    pub(crate) fn at(&self, slot: Slot) -> Option<RowRef<'_, R>> {
        match self.kept.get(slot as usize)? {
            Kept::Quiet(row) => Some(RowRef::Quiet(row, self.places.get(slot as usize)?)),
            Kept::Busy(row) => row.as_deref().map(RowRef::Busy),
        }
    }

    /// The server's copy of the row that is kept there.
    #[inline]
    pub(crate) fn base(&self, slot: Slot) -> Option<&R> {
        match self.kept.get(slot as usize)? {
            Kept::Quiet(row) => Some(&row.base),
            Kept::Busy(row) => row.as_ref()?.base.as_ref(),
        }
    }

    pub(crate) fn slot(&self, key: RowKey) -> Option<Slot> {
        let found = self
            .by_key
            .find(key_hash(key), |slot| key_at(&self.kept, *slot) == key);
        found.copied()
    }

    pub(crate) fn get(&self, key: RowKey) -> Option<RowRef<'_, R>> {
        self.at(self.slot(key)?)
    }

    /// The row whose id this is.
    pub(crate) fn slot_of(&self, hash: u32, id: &[u8]) -> Option<Slot> {
        let is_it = |n: &Named| {
            n.hash == hash && self.at(n.slot).is_some_and(|row| row.id().as_bytes() == id)
        };
        self.by_id.find(spread(hash), is_it).map(|n| n.slot)
    }

    /// The row that has, or had, this id.
    pub(crate) fn key_of(&self, id: &str) -> Option<RowKey> {
        let slot = self.slot_of(self.hash(id.as_bytes()), id.as_bytes());
        match slot {
            Some(slot) => self.at(slot).map(RowRef::key),
            None => self.alias(id),
        }
    }

    /// The row that had this id before it got its own.
    pub(crate) fn alias(&self, id: &str) -> Option<RowKey> {
        self.aliases.get(id).copied()
    }

    pub(crate) fn has_aliases(&self) -> bool {
        !self.aliases.is_empty()
    }

    /// All rows, in no order.
    pub(crate) fn all(&self) -> impl Iterator<Item = RowRef<'_, R>> {
        let rows = self.kept.iter().zip(&self.places);
        rows.filter_map(|(kept, index)| match kept {
            Kept::Quiet(row) => Some(RowRef::Quiet(row, index)),
            Kept::Busy(row) => row.as_deref().map(RowRef::Busy),
        })
    }

    /// The rows that are not quiet, by key.
    pub(crate) fn busy(&self) -> impl Iterator<Item = (Slot, &Row<R>)> {
        self.busy
            .values()
            .filter_map(|slot| match self.kept.get(*slot as usize)? {
                Kept::Busy(row) => Some((*slot, row.as_deref()?)),
                _ => None,
            })
    }

    pub(crate) fn quiet_mut(&mut self, slot: Slot) -> Option<&mut Quiet<R>> {
        match self.kept.get_mut(slot as usize)? {
            Kept::Quiet(row) => Some(row),
            _ => None,
        }
    }

    pub(crate) fn busy_mut(&mut self, slot: Slot) -> Option<&mut Row<R>> {
        match self.kept.get_mut(slot as usize)? {
            Kept::Busy(row) => row.as_deref_mut(),
            Kept::Quiet(_) => None,
        }
    }

    /// Gives the rows their places in a new list, given the old one.
    pub(crate) fn relist(&mut self, old: &[Slot], new: &[Slot]) {
        for (index, slot) in new.iter().enumerate() {
            let place = self.places.get_mut(*slot as usize);
            if let Some(place) = place.filter(|_| old.get(index) != Some(slot)) {
                // A list of more than 2^32 rows does not fit into memory.
                *place = index as u32;
            }
        }
        let Self { kept, places, .. } = self;
        for slot in self.busy.values() {
            let place = places.get(*slot as usize).copied();
            let place = place.filter(|place| new.get(*place as usize) == Some(slot));
            if let (Some(Kept::Busy(Some(row))), Some(place)) =
                (kept.get_mut(*slot as usize), place)
            {
                row.place = Some((LISTED, place.into()));
            }
        }
    }

    pub(crate) fn base_mut(&mut self, slot: Slot) -> Option<&mut R> {
        match self.kept.get_mut(slot as usize)? {
            Kept::Quiet(row) => Some(&mut row.base),
            Kept::Busy(row) => row.as_mut()?.base.as_mut(),
        }
    }

    /// A whole copy of a row, to be changed and put back. `floor` is when the newest complete
    /// snapshot was taken: what is quiet was seen then, or later.
    pub(crate) fn draft(&self, slot: Slot, floor: u64) -> Option<Row<R>> {
        Some(match self.at(slot)? {
            RowRef::Busy(row) => row.clone(),
            RowRef::Quiet(row, index) => whole(row.clone(), *index, floor),
        })
    }

    /// Keeps a quiet row whose id nobody has, at this place of the list.
    pub(crate) fn add_quiet(&mut self, hash: u32, row: Quiet<R>, index: u32) -> Slot {
        let key = row.key;
        let slot = self.vacant();
        self.kept[slot as usize] = Kept::Quiet(row);
        self.places[slot as usize] = index;
        self.name(slot, hash, key);
        slot
    }

    /// Keeps a row; in its old slot, when it was taken out just now.
    pub(crate) fn insert(&mut self, row: Row<R>) -> Slot {
        let (hash, key) = (self.hash(row.id.as_str().as_bytes()), row.key);
        for alias in &row.aliases {
            self.aliases.entry(alias.clone()).or_insert(key);
        }
        let slot = match self.freed.last() {
            Some((freed, slot)) if *freed == key => {
                let slot = *slot;
                self.freed.pop();
                slot
            }
            _ => self.vacant(),
        };
        let index = match row.place {
            Some((LISTED, index)) => u32::try_from(index).ok(),
            _ => None,
        };
        self.places[slot as usize] = index.unwrap_or(u32::MAX);
        self.kept[slot as usize] = match quiet(row) {
            Ok(row) => Kept::Quiet(row),
            Err(row) => {
                self.busy.insert(key, slot);
                Kept::Busy(Some(row))
            }
        };
        self.name(slot, hash, key);
        slot
    }

    fn vacant(&mut self) -> Slot {
        self.free.pop().unwrap_or_else(|| {
            if self.kept.len() == self.kept.capacity() {
                self.reserve((self.kept.len() / 8).max(16));
            }
            self.kept.push(Kept::Busy(None));
            self.places.push(u32::MAX);
            // More rows than 2^32 do not fit into memory.
            (self.kept.len() - 1) as Slot
        })
    }

    fn name(&mut self, slot: Slot, hash: u32, key: RowKey) {
        let Self { kept, by_key, .. } = self;
        let named = Named { hash, slot };
        self.by_id
            .insert_unique(spread(hash), named, |n| spread(n.hash));
        by_key.insert_unique(key_hash(key), slot, |slot| key_hash(key_at(kept, *slot)));
    }

    /// Takes a row out.
    pub(crate) fn remove(&mut self, slot: Slot, floor: u64) -> Option<Row<R>> {
        let index = self.places.get(slot as usize).copied();
        match self.take(slot)? {
            Kept::Quiet(row) => Some(whole(row, index?, floor)),
            Kept::Busy(row) => {
                let row = *row?;
                self.busy.remove(&row.key);
                for alias in &row.aliases {
                    if self.aliases.get(alias) == Some(&row.key) {
                        self.aliases.remove(alias);
                    }
                }
                Some(row)
            }
        }
    }

    /// Takes a quiet row out, and answers its place in the list too.
    pub(crate) fn remove_quiet(&mut self, slot: Slot) -> Option<(Quiet<R>, u32)> {
        self.kept
            .get(slot as usize)
            .filter(|kept| matches!(kept, Kept::Quiet(_)))?;
        let index = self.places.get(slot as usize).copied()?;
        match self.take(slot)? {
            Kept::Quiet(row) => Some((row, index)),
            Kept::Busy(_) => None,
        }
    }

    /// Frees a slot.
    fn take(&mut self, slot: Slot) -> Option<Kept<R>> {
        let row = self.at(slot)?;
        let (key, hash) = (row.key(), self.hash(row.id().as_bytes()));
        if let Ok(entry) = self
            .by_id
            .find_entry(spread(hash), |n| n.slot == slot && n.hash == hash)
        {
            entry.remove();
        }
        if let Ok(entry) = self.by_key.find_entry(key_hash(key), |s| *s == slot) {
            entry.remove();
        }
        self.freed.push((key, slot));
        let kept = self.kept.get_mut(slot as usize)?;
        Some(std::mem::replace(kept, Kept::Busy(None)))
    }

    /// The running event has ended: what it freed may be used again.
    pub(crate) fn release(&mut self) {
        self.free.extend(self.freed.drain(..).map(|(_, slot)| slot));
    }

    /// The slots that the running event has freed.
    pub(crate) fn freed(&self) -> impl Iterator<Item = Slot> {
        self.freed.iter().map(|(_, slot)| *slot)
    }
}

fn key_at<R: Resource>(kept: &[Kept<R>], slot: Slot) -> RowKey {
    match kept.get(slot as usize) {
        Some(Kept::Quiet(row)) => row.key,
        Some(Kept::Busy(Some(row))) => row.key,
        _ => RowKey(0),
    }
}

fn whole<R: Resource>(row: Quiet<R>, index: u32, floor: u64) -> Row<R> {
    let id = row.base.id().into();
    Row {
        base: Some(row.base),
        place: Some((LISTED, index.into())),
        taken: row.taken.max(floor),
        ..Row::new(row.key, id)
    }
}

/// The row as a quiet one, if it is that.
fn quiet<R: Resource>(row: Row<R>) -> Result<Quiet<R>, Box<Row<R>>> {
    let plain = row.operations.is_empty()
        && row.aliases.is_empty()
        && row.shown.is_none()
        && row.base.as_ref().is_some_and(|base| row.id == *base.id())
        && matches!(row.place, Some((LISTED, index)) if u32::try_from(index).is_ok());
    match row {
        Row {
            base: Some(base),
            key,
            taken,
            ..
        } if plain => Ok(Quiet { base, key, taken }),
        row => Err(Box::new(row)),
    }
}
