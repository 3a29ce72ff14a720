//! Leases in the file, by the machine's clock.

use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, params};

use crate::lease::{Fence, Leased};

/// Milliseconds after 1970. Every process that shares a file is on one machine, and has this clock.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

pub(super) fn token(connection: &Connection, key: &str, lease: &str) -> rusqlite::Result<u64> {
    let sql = "SELECT token FROM lease WHERE key = ?1 AND name = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let token = statement.query_row(params![key.as_bytes(), lease], |row| row.get::<_, i64>(0));
    Ok(token.optional()?.unwrap_or(0) as u64)
}

pub(super) fn acquire(
    connection: &Connection,
    key: &str,
    lease: &str,
    holder: &str,
    ttl_ms: u64,
) -> rusqlite::Result<Leased> {
    let sql = "SELECT holder, until_ms FROM lease WHERE key = ?1 AND name = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?));
    let held = statement
        .query_row(params![key.as_bytes(), lease], read)
        .optional()?;
    let now = now();
    let running = held.filter(|(_, until)| *until > now);
    if let Some((of, until)) = running.as_ref().filter(|(of, _)| of != holder) {
        return Ok(Leased::Taken {
            holder: of.clone(),
            for_ms: (until - now) as u64,
        });
    }
    let token = token(connection, key, lease)? + u64::from(running.is_none());
    let until = now.saturating_add_unsigned(ttl_ms);
    let sql = "INSERT OR REPLACE INTO lease VALUES (?1, ?2, ?3, ?4, ?5)";
    let row = params![key.as_bytes(), lease, holder, token as i64, until];
    connection.prepare_cached(sql)?.execute(row)?;
    Ok(Leased::Held(Fence {
        lease: lease.into(),
        token,
    }))
}

pub(super) fn release(
    connection: &Connection,
    key: &str,
    lease: &str,
    holder: &str,
) -> rusqlite::Result<bool> {
    // The row stays: the next holder's token is to be greater.
    let sql = "UPDATE lease SET until_ms = 0
               WHERE key = ?1 AND name = ?2 AND holder = ?3 AND until_ms > ?4";
    let row = params![key.as_bytes(), lease, holder, now()];
    Ok(connection.execute(sql, row)? > 0)
}
