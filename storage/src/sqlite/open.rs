//! Opens a database: makes one where there is none, brings an older one to this version, and leaves
//! alone what is not ours.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::error::failed;
use super::options::{SqliteOptions, Synchronous};
use crate::error::{StoreError, StoreErrorKind};

/// `RCCH`, in the database's header.
const APPLICATION_ID: u32 = 0x5243_4348;

/// What leads from each version of the schema to the next, from nothing on.
const MIGRATIONS: &[&str] = &[include_str!("schema.sql")];

pub(super) fn open(path: &Path, options: &SqliteOptions) -> Result<Connection, StoreError> {
    check_header(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(path, flags);
    let mut connection = opened.map_err(|error| failed(None, error).at(path))?;
    configure(&mut connection, options).map_err(|error| error.at(path))?;
    Ok(connection)
}

fn configure(connection: &mut Connection, options: &SqliteOptions) -> Result<(), StoreError> {
    let failed = |error| failed(None, error);
    connection
        .busy_timeout(options.busy_timeout)
        .map_err(failed)?;
    // Before WAL, so that the file is ours or empty at any time.
    migrate(connection, MIGRATIONS)?;
    // Another process may be about to do the same.
    let mut mode = String::new();
    for _ in 0..50 {
        match connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)) {
            Ok(set) => {
                mode = set;
                break;
            }
            Err(error) => {
                let error = failed(error);
                if error.kind == StoreErrorKind::Damaged {
                    return Err(error);
                }
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        }
    }
    if !mode.eq_ignore_ascii_case("wal") {
        let problem = "the database cannot be written ahead (WAL): its folder may be read-only, or \
                       on a network";
        return Err(StoreError::new(StoreErrorKind::ReadOnly, None, problem));
    }
    let synchronous = match options.synchronous {
        Synchronous::Full => "FULL",
        Synchronous::Normal => "NORMAL",
    };
    let settings = format!(
        "PRAGMA synchronous = {synchronous};
         PRAGMA journal_size_limit = 8388608;
         PRAGMA wal_autocheckpoint = 1000;
         PRAGMA cell_size_check = ON;"
    );
    connection.execute_batch(&settings).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Looks at the header without SQLite, which would write to a file that is not ours.
fn check_header(path: &Path) -> Result<(), StoreError> {
    let io = |error: std::io::Error| {
        let kind = match error.kind() {
            std::io::ErrorKind::PermissionDenied => StoreErrorKind::ReadOnly,
            _ => StoreErrorKind::Other,
        };
        let problem = format!("the file cannot be read: {error}");
        StoreError::new(kind, None, problem)
            .with_source(error)
            .at(path)
    };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io(error)),
    };
    let mut header = Vec::new();
    file.by_ref()
        .take(100)
        .read_to_end(&mut header)
        .map_err(io)?;
    if header.is_empty() {
        return Ok(());
    }
    let foreign = |problem: &str| {
        let problem = format!("{problem}; nothing was changed in it: name another file");
        Err(StoreError::new(StoreErrorKind::Foreign, None, problem).at(path))
    };
    if !header.starts_with(b"SQLite format 3\0") || header.len() < 100 {
        return foreign("the file is no SQLite database");
    }
    let number = |at: usize| {
        u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    if number(68) != APPLICATION_ID {
        return foreign("the file is a database of another application");
    }
    check_version(number(60).into(), MIGRATIONS).map_err(|error| error.at(path))
}

fn check_version(version: u64, migrations: &[&str]) -> Result<(), StoreError> {
    let ours = migrations.len() as u64;
    if version > ours {
        let problem = format!(
            "the database was written by a newer version ({version}); this one reads up to {ours}"
        );
        return Err(StoreError::new(StoreErrorKind::Newer, None, problem));
    }
    Ok(())
}

/// Brings the schema to the newest version, in one transaction.
pub(super) fn migrate(connection: &mut Connection, migrations: &[&str]) -> Result<(), StoreError> {
    let failed = |error| failed(None, error);
    let version =
        |c: &Connection| c.query_row("PRAGMA user_version", [], |row| row.get::<_, u32>(0));
    let now = u64::from(version(connection).map_err(failed)?);
    check_version(now, migrations)?;
    if now == migrations.len() as u64 {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate);
    let transaction = transaction.map_err(failed)?;
    // Another process may have done it meanwhile.
    let now = u64::from(version(&transaction).map_err(failed)?);
    check_version(now, migrations)?;
    for migration in migrations.iter().skip(now as usize) {
        transaction.execute_batch(migration).map_err(failed)?;
    }
    let head = format!(
        "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {}",
        migrations.len()
    );
    transaction.execute_batch(&head).map_err(failed)?;
    transaction.commit().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::{MIGRATIONS, SqliteOptions, Synchronous, migrate, open};
    use rusqlite::Connection;

    #[test]
    fn a_commit_waits_for_the_disk_as_the_options_say() {
        let folder = tempfile::tempdir().unwrap();
        for (synchronous, number) in [(Synchronous::Full, 2), (Synchronous::Normal, 1)] {
            let options = SqliteOptions {
                synchronous,
                ..SqliteOptions::default()
            };
            let connection = open(&folder.path().join("a.sqlite"), &options).unwrap();
            let set = connection.query_row("PRAGMA synchronous", [], |row| row.get::<_, u32>(0));
            assert_eq!(set.unwrap(), number);
        }
    }

    /// There is one released version so far. This holds how the next one will come.
    #[test]
    fn an_older_version_is_brought_to_the_newest_and_a_newer_one_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, MIGRATIONS).unwrap();
        let insert = "INSERT INTO collection VALUES (1, x'61', 2, 3, x'62')";
        connection.execute(insert, []).unwrap();
        let next = "ALTER TABLE collection ADD COLUMN used INTEGER NOT NULL DEFAULT 7";
        let newer = [MIGRATIONS, &[next]].concat();
        migrate(&mut connection, &newer).unwrap();
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let row = connection.query_row("SELECT number, used FROM collection", [], read);
        assert_eq!(row.unwrap(), (3, 7));
        migrate(&mut connection, &newer).expect("once is enough");
        let refused = migrate(&mut connection, MIGRATIONS).unwrap_err();
        assert_eq!(refused.kind, crate::StoreErrorKind::Newer);
        let broken = [&newer[..], &["CREATE TABLE extra (a); SELECT no"]].concat();
        migrate(&mut connection, &broken).unwrap_err();
        let extra = "SELECT count(*) FROM sqlite_schema WHERE name = 'extra'";
        let extra: u32 = connection.query_row(extra, [], |row| row.get(0)).unwrap();
        assert_eq!(extra, 0, "a migration is whole or not at all");
    }
}
