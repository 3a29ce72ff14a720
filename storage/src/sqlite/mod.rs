//! A store in one SQLite file: the embedded default.

mod lease;
mod open;
mod parts;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use resourcecache::SavedKey;
use rusqlite::{
    Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior, params,
};

use self::parts::{TABLES, What, statement};
use crate::error::{StoreError, StoreErrorKind};
use crate::lease::Leased;
use crate::memory::{conflict, fenced};
use crate::store::{ChangeVisitor, Commit, PartVisitor, Since, Store, StoreRevision, Watch};

/// How many commits of a collection are remembered.
const REMEMBERED: u64 = 1_000;

/// What a commit survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// The death of the process, and the loss of power: each commit waits for the disk.
    #[default]
    Full,
    /// The death of the process. The loss of power may take the last commits with it, never a part of
    /// one.
    Normal,
}

/// How a database is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SqliteOptions {
    /// What a commit survives. Default: [`Synchronous::Full`].
    pub synchronous: Synchronous,
    /// How long to wait for another process's commit. Default: 5 s.
    pub busy_timeout: Duration,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            synchronous: Synchronous::default(),
            busy_timeout: Duration::from_secs(5),
        }
    }
}

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

/// Why a transaction is not done.
enum Failure {
    Sqlite(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
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

/// A collection's number in this file, and its revision.
fn find(connection: &Connection, key: &str) -> rusqlite::Result<Option<(i64, StoreRevision)>> {
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

fn head(connection: &Connection, id: i64) -> rusqlite::Result<Option<Vec<u8>>> {
    let mut statement = connection.prepare_cached("SELECT head FROM collection WHERE id = ?1")?;
    statement.query_row([id], |row| row.get(0))
}

fn get(connection: &Connection, id: i64, name: &SavedKey) -> rusqlite::Result<Option<Vec<u8>>> {
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
fn repeated(
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
fn advance(
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

fn write(connection: &Connection, id: i64, commit: &Commit) -> rusqlite::Result<()> {
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

fn remember(
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
fn changed(
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

fn damaged(key: &str, problem: &str) -> StoreError {
    let problem = format!("{problem}; the database is damaged");
    StoreError::new(StoreErrorKind::Damaged, Some(key), problem)
}

/// What SQLite says, in our words.
fn failed(key: Option<&str>, error: rusqlite::Error) -> StoreError {
    use StoreErrorKind::{Busy, Damaged, Full, Other, ReadOnly};
    let (kind, what) = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            (Busy, "another process holds the database")
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => (
            Damaged,
            "the database is damaged; restore it from a backup, or name another file",
        ),
        Some(ErrorCode::DiskFull) => (Full, "there is no room on the disk; make some"),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            (ReadOnly, "the file or its folder cannot be written to")
        }
        Some(ErrorCode::SystemIoFailure) => (Other, "the file cannot be read or written"),
        _ => (Other, "SQLite refused"),
    };
    StoreError::new(kind, key, format!("{what}: {error}")).with_source(error)
}

impl StoreError {
    /// The same, naming the file.
    fn at(mut self, path: &Path) -> Self {
        self.problem = format!("{}: {}", path.display(), self.problem);
        self
    }
}
