//! As version 1.0 kept a list: one JSON text under one key, written whole after each verb. It read it
//! before each verb, too; that is not counted.

use std::path::Path;

use redis::Connection as RedisConnection;
use resourcecache_benches::lists::List;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::Outcome;
use crate::collection::KEY;

/// The list as it is in memory.
struct Items(Vec<Value>);

impl Items {
    fn new(n: usize) -> Outcome<Self> {
        Ok(Self(serde_json::from_slice(&List::new(n).bytes())?))
    }

    /// The text after a verb.
    fn after(&mut self, turn: usize) -> Outcome<Vec<u8>> {
        let index = turn * 7_919 % self.0.len();
        self.0[index]["_meta"] = json!({"status": "deleting", "timestamp": 1, "ttl": 30_000});
        Ok(serde_json::to_vec(&self.0)?)
    }
}

pub(crate) struct InSqlite {
    items: Items,
    connection: Connection,
}

impl InSqlite {
    pub(crate) fn open(path: &Path, n: usize) -> Outcome<Self> {
        let connection = Connection::open(path)?;
        let schema = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
            CREATE TABLE storage (key TEXT PRIMARY KEY, value BLOB)";
        connection.execute_batch(schema)?;
        Ok(Self {
            items: Items::new(n)?,
            connection,
        })
    }

    pub(crate) fn write(&mut self, turn: usize) -> Outcome<()> {
        let text = self.items.after(turn)?;
        let sql = "INSERT OR REPLACE INTO storage VALUES (?1, ?2)";
        self.connection.prepare_cached(sql)?.execute((KEY, text))?;
        Ok(())
    }
}

pub(crate) struct InRedis {
    items: Items,
    connection: RedisConnection,
}

impl InRedis {
    pub(crate) fn open(url: &str, n: usize) -> Outcome<Self> {
        Ok(Self {
            items: Items::new(n)?,
            connection: redis::Client::open(url)?.get_connection()?,
        })
    }

    pub(crate) fn write(&mut self, turn: usize) -> Outcome<()> {
        let text = self.items.after(turn)?;
        let mut set = redis::cmd("SET");
        set.arg(KEY).arg(text);
        Ok(set.query::<()>(&mut self.connection)?)
    }
}
