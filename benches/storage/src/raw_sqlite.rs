//! The same rows, written and read by plain rusqlite.

use std::path::Path;

use resourcecache::SavedKey;
use resourcecache_storage::{Commit, Synchronous};
use rusqlite::{Connection, TransactionBehavior, params};

use crate::Outcome;

/// A file that the store made, with the store's settings.
pub(crate) struct Raw(Connection);

impl Raw {
    pub(crate) fn open(path: &Path, synchronous: Synchronous) -> Outcome<Self> {
        let connection = Connection::open(path)?;
        let synchronous = match synchronous {
            Synchronous::Full => "FULL",
            Synchronous::Normal => "NORMAL",
        };
        connection.execute_batch(&format!("PRAGMA synchronous = {synchronous}"))?;
        Ok(Self(connection))
    }

    /// Each part's row, the collection's, and the commit's own, in one transaction.
    pub(crate) fn write(&mut self, commit: &Commit) -> Outcome<()> {
        let transaction = self
            .0
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let number = commit.expect.map_or(1, |at| at.number as i64 + 1);
        let mut names = Vec::new();
        for (key, value) in &commit.parts {
            let name = key.to_string();
            names.extend((name.len() as u32).to_le_bytes());
            names.extend(name.as_bytes());
            let (table, name) = match key {
                SavedKey::Head => {
                    let sql = "UPDATE collection SET head = ?1, number = ?2 WHERE id = 1";
                    transaction
                        .prepare_cached(sql)?
                        .execute(params![value, number])?;
                    continue;
                }
                SavedKey::Body(key) => ("body", key.0),
                SavedKey::Place(key) => ("place", key.0),
                SavedKey::Marks(key) => ("marks", key.0),
                SavedKey::Operation(id) => ("operation", id.0),
                other => return Err(format!("{other:?} is not written by this event").into()),
            };
            let sql = format!("INSERT OR REPLACE INTO {table} VALUES (1, ?1, ?2)");
            transaction
                .prepare_cached(&sql)?
                .execute(params![name as i64, value])?;
        }
        let sql = "INSERT INTO commits VALUES (1, ?1, ?2, ?3)";
        transaction.prepare_cached(sql)?.execute(params![
            number,
            commit.id.0.to_le_bytes(),
            names
        ])?;
        Ok(transaction.commit()?)
    }

    /// All rows into memory.
    pub(crate) fn read(&self, n: usize) -> Outcome<()> {
        let mut all = Vec::new();
        for table in ["body", "place", "marks", "operation"] {
            let sql = format!("SELECT name, value FROM {table} WHERE collection = 1");
            let mut statement = self.0.prepare_cached(&sql)?;
            let rows = statement.query_map([], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
            })?;
            all.push(rows.collect::<Result<Vec<_>, _>>()?);
        }
        if all[0].len() != n {
            return Err("it is not all there".into());
        }
        Ok(())
    }
}
