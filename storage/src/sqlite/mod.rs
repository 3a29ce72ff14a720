//! A store in one SQLite file: the embedded default.

mod collection;
mod error;
mod lease;
mod open;
mod options;
mod parts;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use resourcecache::SavedKey;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

pub use self::options::{SqliteOptions, Synchronous};

use self::collection::{advance, changed, find, get, head, remember, repeated, write};
use self::error::{Failure, damaged, failed};
use self::parts::{TABLES, What, statement};
use crate::error::{StoreError, StoreErrorKind, conflict, fenced};
use crate::lease::Leased;
use crate::store::{ChangeVisitor, Commit, PartVisitor, Since, Store, StoreRevision, Watch};

/// Keeps collections in one SQLite file, which several processes of one machine may share.
///
/// ```no_run
/// use std::sync::Arc;
/// use resourcecache::{Config, Timestamp, json::JsonResource};
/// use resourcecache_storage::{SqliteStore, StoredCache};
/// # let now = Timestamp(0);
/// let store = Arc::new(SqliteStore::open("zones.sqlite")?);
/// let zones: StoredCache<JsonResource> =
///     StoredCache::open(store, "dns-zones:project-1", Config::default(), now)?;
/// # Ok::<(), resourcecache_storage::Error>(())
/// ```
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    options: SqliteOptions,
    connection: Mutex<Option<Connection>>,
}

impl SqliteStore {
    /// Opens a file, or makes one.
    ///
    /// # Errors
    ///
    /// [`Foreign`](StoreErrorKind::Foreign) for a file that is none of ours, and
    /// [`Newer`](StoreErrorKind::Newer) for one that a newer version wrote: nothing was changed in it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_with(path, SqliteOptions::default())
    }

    /// The same, with options.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, options: SqliteOptions) -> Result<Self, StoreError> {
        let path = path.as_ref().to_path_buf();
        let connection = open::open(&path, &options)?;
        Ok(Self {
            path,
            options,
            connection: Mutex::new(Some(connection)),
        })
    }

    /// Lets go of the file and of every lock on it, as before an app is suspended: iOS ends an app that
    /// holds one then. Until [`reopen`](Self::reopen), everything is answered with
    /// [`Closed`](StoreErrorKind::Closed). What was committed stays committed.
    ///
    /// # Errors
    ///
    /// What SQLite says of closing.
    pub fn close(&self) -> Result<(), StoreError> {
        match self.lock().take().map(Connection::close) {
            Some(Err((_, error))) => Err(failed(None, error).at(&self.path)),
            _ => Ok(()),
        }
    }

    /// Opens the file again after [`close`](Self::close).
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn reopen(&self) -> Result<(), StoreError> {
        let mut connection = self.lock();
        if connection.is_none() {
            *connection = Some(open::open(&self.path, &self.options)?);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Connection>> {
        // A transaction that a panic interrupted was rolled back when it was dropped.
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something in a transaction; nothing of it when it fails.
    fn with<T>(
        &self,
        key: Option<&str>,
        behavior: TransactionBehavior,
        act: impl FnOnce(&Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let mut connection = self.lock();
        let Some(connection) = connection.as_mut() else {
            let problem = "the store is closed; reopen it";
            return Err(StoreError::new(StoreErrorKind::Closed, key, problem));
        };
        let done = connection
            .transaction_with_behavior(behavior)
            .map_err(Failure::Sqlite)
            .and_then(|transaction| {
                let answer = act(&transaction)?;
                transaction.commit()?;
                Ok(answer)
            });
        done.map_err(|failure| match failure {
            Failure::Store(error) => error,
            Failure::Sqlite(error) => failed(key, error).at(&self.path),
        })
    }
}

const READ: TransactionBehavior = TransactionBehavior::Deferred;
const WRITE: TransactionBehavior = TransactionBehavior::Immediate;

impl Store for SqliteStore {
    fn load(
        &self,
        key: &str,
        part: &mut PartVisitor<'_>,
    ) -> Result<Option<StoreRevision>, StoreError> {
        self.with(Some(key), READ, |connection| {
            let Some((id, revision)) = find(connection, key)? else {
                return Ok(None);
            };
            if let Some(head) = head(connection, id)? {
                part(SavedKey::Head, &head)?;
            }
            for table in 0..TABLES.len() {
                let mut statement = statement(connection, table, What::All)?;
                let mut rows = statement.query([id])?;
                while let Some(row) = rows.next()? {
                    let name = parts::key(table, row.get_ref(0)?);
                    let name = name.ok_or_else(|| damaged(key, "a part has no name"))?;
                    part(
                        name,
                        row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?,
                    )?;
                }
            }
            Ok(Some(revision))
        })
    }

    fn commit(&self, key: &str, commit: &Commit) -> Result<StoreRevision, StoreError> {
        self.with(Some(key), WRITE, |connection| {
            let found = find(connection, key)?;
            if found.map(|(_, revision)| revision) != commit.expect {
                let known = match found {
                    Some(found) => repeated(connection, found, commit)?,
                    None => None,
                };
                return known.ok_or_else(|| conflict(key).into());
            }
            if let Some(fence) = &commit.fence
                && lease::token(connection, key, &fence.lease)? != fence.token
            {
                return Err(fenced(key, &fence.lease).into());
            }
            let (id, revision) = advance(connection, key, found, commit)?;
            write(connection, id, commit)?;
            remember(connection, id, revision, commit)?;
            Ok(revision)
        })
    }

    fn changes_since(
        &self,
        key: &str,
        since: StoreRevision,
        part: &mut ChangeVisitor<'_>,
    ) -> Result<Since, StoreError> {
        self.with(Some(key), READ, |connection| {
            let Some((id, now)) = find(connection, key)? else {
                return Ok(Since::Gone);
            };
            if since == now {
                return Ok(Since::Changes(now));
            }
            let known = since.incarnation == now.incarnation && since.number < now.number;
            let Some(names) = known
                .then(|| changed(connection, id, since, now))
                .transpose()?
                .flatten()
            else {
                return Ok(Since::TooOld);
            };
            for name in names {
                let value = get(connection, id, &name)?;
                part(name, value.as_deref())?;
            }
            Ok(Since::Changes(now))
        })
    }

    fn revision(&self, key: &str) -> Result<Option<StoreRevision>, StoreError> {
        self.with(Some(key), READ, |connection| {
            Ok(find(connection, key)?.map(|(_, revision)| revision))
        })
    }

    fn keys(&self, after: Option<&str>, limit: usize) -> Result<Vec<String>, StoreError> {
        self.with(None, READ, |connection| {
            let sql =
                "SELECT key FROM collection WHERE ?1 IS NULL OR key > ?1 ORDER BY key LIMIT ?2";
            let mut statement = connection.prepare_cached(sql)?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let keys = statement.query_map(params![after.map(str::as_bytes), limit], |row| {
                Ok(String::from_utf8_lossy(row.get_ref(0)?.as_blob()?).into_owned())
            })?;
            Ok(keys.collect::<Result<_, _>>()?)
        })
    }

    fn delete(&self, key: &str, expect: Option<StoreRevision>) -> Result<bool, StoreError> {
        self.with(Some(key), WRITE, |connection| {
            let Some((id, revision)) = find(connection, key)? else {
                return Ok(false);
            };
            if expect.is_some_and(|expect| expect != revision) {
                return Err(conflict(key).into());
            }
            for table in 0..TABLES.len() {
                statement(connection, table, What::Clear)?.execute([id])?;
            }
            connection.execute("DELETE FROM commits WHERE collection = ?1", [id])?;
            connection.execute("DELETE FROM collection WHERE id = ?1", [id])?;
            Ok(true)
        })
    }

    fn acquire(
        &self,
        key: &str,
        lease: &str,
        holder: &str,
        ttl_ms: u64,
    ) -> Result<Leased, StoreError> {
        self.with(Some(key), WRITE, |connection| {
            Ok(lease::acquire(connection, key, lease, holder, ttl_ms)?)
        })
    }

    fn release(&self, key: &str, lease: &str, holder: &str) -> Result<bool, StoreError> {
        self.with(Some(key), WRITE, |connection| {
            Ok(lease::release(connection, key, lease, holder)?)
        })
    }

    fn watch(&self, key: &str) -> Result<Option<Box<dyn Watch>>, StoreError> {
        let connection = open::open(&self.path, &self.options)?;
        Ok(Some(Box::new(watch::Polling::new(connection, key)?)))
    }
}
