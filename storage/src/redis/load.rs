//! Reads collections: small ones at once, large ones in pieces that are then brought to one revision.

use std::collections::HashMap;

use resourcecache::SavedKey;

use crate::error::{StoreError, StoreErrorKind};
use crate::redis::script::FORMAT;
use crate::redis::servers::Connection;
use crate::redis::{RedisStore, error, name, other, revision};
use crate::store::{Since, StoreRevision};

/// How many parts of a large collection are read at once: no more, so that others need not wait for
/// long.
const PIECE: usize = 2_000;
/// How many parts a collection has at most that is read in one piece.
const SMALL: usize = 2 * PIECE;
/// How often a large collection is read in pieces when it changes too much meanwhile; then it is read
/// at once, however large.
const TRIES: u32 = 3;

type Parts = Vec<(SavedKey, Vec<u8>)>;
type ChangedParts = Vec<(SavedKey, Option<Vec<u8>>)>;

impl RedisStore {
    /// All parts, as of one revision.
    pub(super) fn read_all(&self, key: &str) -> Result<Option<(StoreRevision, Parts)>, StoreError> {
        for at_once in [SMALL; TRIES as usize].into_iter().chain([usize::MAX]) {
            match self.read_whole(key, at_once)? {
                Read::Nothing => return Ok(None),
                Read::Whole(revision, parts) => return Ok(Some((revision, parts))),
                Read::TooLarge(revision) => {
                    if let Some(read) = self.read_pieces(key, revision)? {
                        return Ok(Some(read));
                    }
                }
            }
        }
        // The last try has no limit.
        let problem = "the collection changes too fast to be read";
        Err(StoreError::new(StoreErrorKind::Busy, Some(key), problem))
    }

    fn read_whole(&self, key: &str, most: usize) -> Result<Read, StoreError> {
        let most = most.min(1 << 50);
        let mut answer = self.ask(key, &self.scripts.whole, &self.names.all(key), &|command| {
            command.arg(FORMAT).arg(most).arg(self.idle_ms());
        })?;
        match answer.word.as_str() {
            "gone" => Ok(Read::Nothing),
            "large" => Ok(Read::TooLarge(revision(key, &mut answer)?)),
            "whole" => {
                let revision = revision(key, &mut answer)?;
                let parts = answer.next::<Vec<(String, Vec<u8>)>>();
                let parts = parts.map_err(|error| error::told(Some(key), error))?;
                let parts = parts
                    .into_iter()
                    .map(|(text, bytes)| Ok((name(key, &text)?, bytes)));
                Ok(Read::Whole(
                    revision,
                    parts.collect::<Result<_, StoreError>>()?,
                ))
            }
            _ => Err(other(key, answer)),
        }
    }

    /// Reads in pieces, which may be of different revisions, and then what has changed since the first.
    /// `None` when that is not known any more.
    fn read_pieces(
        &self,
        key: &str,
        began: StoreRevision,
    ) -> Result<Option<(StoreRevision, Parts)>, StoreError> {
        let hash = self.names.of(key, "parts");
        let mut parts = Parts::new();
        let mut cursor = 0;
        loop {
            let scan = |connection: &mut Connection, _| {
                let mut scan = redis::cmd("HSCAN");
                scan.arg(&hash).arg(cursor).arg("COUNT").arg(PIECE);
                scan.query::<(u64, Vec<(String, Vec<u8>)>)>(connection.as_dyn())
            };
            let (next, piece) = self.pool.run(Some(key), scan)?;
            for (text, bytes) in piece {
                parts.push((name(key, &text)?, bytes));
            }
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
        let (Since::Changes(now), changed) = self.read_changes(key, began)? else {
            return Ok(None);
        };
        Ok(Some((now, at_one_revision(parts, changed))))
    }

    /// The parts that changed since a revision.
    pub(super) fn read_changes(
        &self,
        key: &str,
        since: StoreRevision,
    ) -> Result<(Since, ChangedParts), StoreError> {
        let mut answer = self.ask(
            key,
            &self.scripts.changes,
            &self.names.all(key),
            &|command| {
                command
                    .arg(FORMAT)
                    .arg(since.incarnation)
                    .arg(since.number)
                    .arg(self.idle_ms());
            },
        )?;
        match answer.word.as_str() {
            "gone" => return Ok((Since::Gone, Vec::new())),
            "old" => return Ok((Since::TooOld, Vec::new())),
            "changes" => {}
            _ => return Err(other(key, answer)),
        }
        let now = revision(key, &mut answer)?;
        let told = |error| error::told(Some(key), error);
        let names: Vec<String> = answer.next().map_err(told)?;
        let values: Vec<Option<Vec<u8>>> = answer.next().map_err(told)?;
        let names = names.iter().map(|text| name(key, text));
        let names = names.collect::<Result<Vec<_>, _>>()?;
        Ok((Since::Changes(now), names.into_iter().zip(values).collect()))
    }
}

/// What was read in pieces, each part once, and as the changes say where it has changed meanwhile.
fn at_one_revision(mut parts: Parts, changed: ChangedParts) -> Parts {
    let changed: HashMap<SavedKey, Option<Vec<u8>>> = changed.into_iter().collect();
    if !changed.is_empty() {
        parts.retain(|(name, _)| !changed.contains_key(name));
    }
    let written = changed.into_iter();
    parts.extend(written.filter_map(|(name, bytes)| Some((name, bytes?))));
    // Redis may give a part twice. Where the two differ, it has changed meanwhile.
    parts.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    parts.dedup_by(|one, other| one.0 == other.0);
    parts
}

enum Read {
    Nothing,
    Whole(StoreRevision, Parts),
    TooLarge(StoreRevision),
}

#[cfg(test)]
mod tests {
    use super::at_one_revision;
    use resourcecache::{RowKey, SavedKey};

    #[test]
    fn pieces_come_to_one_revision() {
        let body = |n| SavedKey::Body(RowKey(n));
        let read = [(3, b"c"), (1, b"a"), (2, b"b"), (1, b"a"), (2, b"x")];
        let read = read.map(|(n, bytes)| (body(n), bytes.to_vec()));
        let changed = vec![
            (body(2), Some(b"d".to_vec())),
            (body(3), None),
            (body(4), Some(b"e".to_vec())),
        ];
        let expected = [(1, b"a"), (2, b"d"), (4, b"e")];
        let expected = expected.map(|(n, bytes)| (body(n), bytes.to_vec()));
        assert_eq!(at_one_revision(read.into(), changed), expected);
    }
}
