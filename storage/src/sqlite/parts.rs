//! Which table a part is in, and under which name.

use resourcecache::{OperationId, ResourceId, RowKey, SavedKey};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ToSql};

/// The tables of the parts that there are many of.
pub(super) const TABLES: [&str; 7] = [
    "body",
    "place",
    "marks",
    "operation",
    "dropped",
    "outcome",
    "step",
];

/// The name of a part within its table.
pub(super) enum Name<'a> {
    Number(u64),
    Text(&'a str),
}

impl ToSql for Name<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            // All 64 bits, as SQLite has them: signed.
            Self::Number(number) => ValueRef::Integer(*number as i64),
            Self::Text(text) => ValueRef::Blob(text.as_bytes()),
        }))
    }
}

/// The index of a part's table, and its name there; `None` for the head.
pub(super) fn place(key: &SavedKey) -> Option<(usize, Name<'_>)> {
    Some(match key {
        SavedKey::Head => return None,
        SavedKey::Body(key) => (0, Name::Number(key.0)),
        SavedKey::Place(key) => (1, Name::Number(key.0)),
        SavedKey::Marks(key) => (2, Name::Number(key.0)),
        SavedKey::Operation(id) => (3, Name::Number(id.0)),
        SavedKey::Dropped(id) => (4, Name::Text(id.as_str())),
        SavedKey::Outcome(number) => (5, Name::Number(*number)),
        SavedKey::Step(serial) => (6, Name::Number(*serial)),
    })
}

/// The key of a part in a table.
pub(super) fn key(table: usize, name: ValueRef<'_>) -> Option<SavedKey> {
    if table == 4 {
        let id = std::str::from_utf8(name.as_blob().ok()?).ok()?;
        return Some(SavedKey::Dropped(ResourceId::from(id)));
    }
    let number = name.as_i64().ok()? as u64;
    Some(match table {
        0 => SavedKey::Body(RowKey(number)),
        1 => SavedKey::Place(RowKey(number)),
        2 => SavedKey::Marks(RowKey(number)),
        3 => SavedKey::Operation(OperationId(number)),
        5 => SavedKey::Outcome(number),
        _ => SavedKey::Step(number),
    })
}

/// A statement on a table, prepared once.
pub(super) fn statement<'a>(
    connection: &'a Connection,
    table: usize,
    what: What,
) -> rusqlite::Result<CachedStatement<'a>> {
    let table = TABLES[table];
    let sql = match what {
        What::Put => format!("INSERT OR REPLACE INTO {table} VALUES (?1, ?2, ?3)"),
        What::Take => format!("DELETE FROM {table} WHERE collection = ?1 AND name = ?2"),
        What::Get => format!("SELECT value FROM {table} WHERE collection = ?1 AND name = ?2"),
        What::All => format!("SELECT name, value FROM {table} WHERE collection = ?1"),
        What::Clear => format!("DELETE FROM {table} WHERE collection = ?1"),
    };
    connection.prepare_cached(&sql)
}

#[derive(Clone, Copy)]
pub(super) enum What {
    Put,
    Take,
    Get,
    All,
    Clear,
}

/// More changed parts than this are not noted: to load anew is less work.
const MOST_NOTED: usize = 20_000;

/// The names of the parts that a commit changes, each behind its length (u32, little-endian).
pub(super) fn note(parts: &[(SavedKey, Option<Vec<u8>>)]) -> Option<Vec<u8>> {
    if parts.len() > MOST_NOTED {
        return None;
    }
    let mut note = Vec::with_capacity(parts.len() * 10);
    for (key, _) in parts {
        let name = key.to_string();
        note.extend(u32::try_from(name.len()).ok()?.to_le_bytes());
        note.extend(name.as_bytes());
    }
    Some(note)
}

/// Reads what [`note`] wrote.
pub(super) fn noted(mut note: &[u8]) -> Option<Vec<SavedKey>> {
    let mut keys = Vec::new();
    while let Some((length, rest)) = note.split_first_chunk::<4>() {
        let (name, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        keys.push(std::str::from_utf8(name).ok()?.parse().ok()?);
        note = rest;
    }
    note.is_empty().then_some(keys)
}
