//! What the tables have of one collection: its revision, its parts, and its last commits.

use resourcecache::SavedKey;
use rusqlite::{Connection, OptionalExtension, params};

use super::parts::{self, What, statement};
use crate::store::{Commit, StoreRevision};

/// How many commits of a collection are remembered.
const REMEMBERED: u64 = 1_000;

/// A collection's number in this file, and its revision.
pub(super) fn find(
    connection: &Connection,
    key: &str,
) -> rusqlite::Result<Option<(i64, StoreRevision)>> {
    let sql = "SELECT id, incarnation, number FROM collection WHERE key = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let read = |row: &rusqlite::Row<'_>| {
        let revision = StoreRevision {
            incarnation: row.get::<_, i64>(1)? as u64,
            number: row.get::<_, i64>(2)? as u64,
        };
        Ok((row.get(0)?, revision))
    };
    statement.query_row([key.as_bytes()], read).optional()
}

pub(super) fn head(connection: &Connection, id: i64) -> rusqlite::Result<Option<Vec<u8>>> {
    let mut statement = connection.prepare_cached("SELECT head FROM collection WHERE id = ?1")?;
    statement.query_row([id], |row| row.get(0))
}

pub(super) fn get(
    connection: &Connection,
    id: i64,
    name: &SavedKey,
) -> rusqlite::Result<Option<Vec<u8>>> {
    match parts::place(name) {
        None => head(connection, id),
        Some((table, name)) => {
            let mut statement = statement(connection, table, What::Get)?;
            statement
                .query_row(params![id, name], |row| row.get(0))
                .optional()
        }
    }
}

/// The revision that this commit led to, if it is one of those that are remembered.
pub(super) fn repeated(
    connection: &Connection,
    (id, now): (i64, StoreRevision),
    commit: &Commit,
) -> rusqlite::Result<Option<StoreRevision>> {
    let sql = "SELECT number FROM commits WHERE collection = ?1 AND id = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let name = commit.id.0.to_le_bytes();
    let number = statement
        .query_row(params![id, name], |row| row.get::<_, i64>(0))
        .optional()?;
    Ok(number.map(|number| StoreRevision {
        number: number as u64,
        ..now
    }))
}

/// Brings the collection to its next revision; makes it where there is none.
pub(super) fn advance(
    connection: &Connection,
    key: &str,
    found: Option<(i64, StoreRevision)>,
    commit: &Commit,
) -> rusqlite::Result<(i64, StoreRevision)> {
    if let Some((id, now)) = found {
        let next = now.next();
        let sql = "UPDATE collection SET number = ?2 WHERE id = ?1";
        connection
            .prepare_cached(sql)?
            .execute(params![id, next.number as i64])?;
        return Ok((id, next));
    }
    let first = StoreRevision {
        incarnation: commit.id.incarnation(),
        number: 1,
    };
    let sql = "INSERT INTO collection (key, incarnation, number) VALUES (?1, ?2, 1)";
    connection.execute(sql, params![key.as_bytes(), first.incarnation as i64])?;
    Ok((connection.last_insert_rowid(), first))
}

pub(super) fn write(connection: &Connection, id: i64, commit: &Commit) -> rusqlite::Result<()> {
    for (key, value) in &commit.parts {
        match (parts::place(key), value) {
            (None, value) => {
                let sql = "UPDATE collection SET head = ?2 WHERE id = ?1";
                connection
                    .prepare_cached(sql)?
                    .execute(params![id, value])?;
            }
            (Some((table, name)), Some(value)) => {
                statement(connection, table, What::Put)?.execute(params![id, name, value])?;
            }
            (Some((table, name)), None) => {
                statement(connection, table, What::Take)?.execute(params![id, name])?;
            }
        }
    }
    Ok(())
}

pub(super) fn remember(
    connection: &Connection,
    id: i64,
    revision: StoreRevision,
    commit: &Commit,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO commits VALUES (?1, ?2, ?3, ?4)";
    let (number, name) = (revision.number as i64, commit.id.0.to_le_bytes());
    let mut statement = connection.prepare_cached(sql)?;
    statement.execute(params![id, number, name, parts::note(&commit.parts)])?;
    if revision.number > REMEMBERED {
        let sql = "DELETE FROM commits WHERE collection = ?1 AND number <= ?2";
        let oldest = (revision.number - REMEMBERED) as i64;
        connection
            .prepare_cached(sql)?
            .execute(params![id, oldest])?;
    }
    Ok(())
}

/// The parts that changed since; `None` when that is not known any more.
pub(super) fn changed(
    connection: &Connection,
    id: i64,
    since: StoreRevision,
    now: StoreRevision,
) -> rusqlite::Result<Option<Vec<SavedKey>>> {
    let sql = "SELECT names FROM commits WHERE collection = ?1 AND number > ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![id, since.number as i64])?;
    let (mut commits, mut names) = (0, Vec::new());
    while let Some(row) = rows.next()? {
        let note = row.get_ref(0)?.as_blob_or_null()?;
        let Some(noted) = note.and_then(parts::noted) else {
            return Ok(None);
        };
        names.extend(noted);
        commits += 1;
    }
    names.sort();
    names.dedup();
    Ok((commits == now.number - since.number).then_some(names))
}
