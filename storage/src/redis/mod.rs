//! Collections in Redis or Valkey, for many instances behind a load balancer (feature `redis`).
//!
//! Each commit is one script, which Redis runs whole or not at all: it checks the revision, writes the
//! parts, remembers the commit's id and which parts it changed, and tells who watches. What it
//! promises when a server dies depends on how that server is run: see docs/redis.md.
//!
//! ```no_run
//! use std::sync::Arc;
//! use resourcecache::{Config, Timestamp, json::JsonResource};
//! use resourcecache_storage::StoredCache;
//! use resourcecache_storage::redis::{RedisOptions, RedisStore};
//!
//! let store = Arc::new(RedisStore::open("redis://127.0.0.1/", RedisOptions::default())?);
//! let zones: StoredCache<JsonResource> =
//!     StoredCache::open(store, "dns-zones:project-1", Config::default(), Timestamp(0))?;
//! # Ok::<(), resourcecache_storage::Error>(())
//! ```

mod commit;
mod error;
mod keys;
mod lease;
mod listener;
mod load;
mod options;
mod pool;
mod script;
mod servers;

use std::collections::BTreeSet;
use std::sync::Arc;

use redis::Cmd;
use resourcecache::SavedKey;

#[cfg(feature = "redis-tls")]
pub use options::Certificates;
pub use options::{Login, RedisOptions, WaitFor};

use crate::error::{StoreError, conflict};
use crate::lease::Leased;
use crate::redis::error::{newer, odd};
use crate::redis::keys::Names;
use crate::redis::listener::Listener;
use crate::redis::pool::Pool;
use crate::redis::script::{Answer, Script};
use crate::redis::servers::Connection;
use crate::store::{ChangeVisitor, Commit, PartVisitor, Since, Store, StoreRevision, Watch};

/// Redis' scripts count in floating point.
const LONGEST_MS: u64 = 1 << 50;

/// Keeps collections in Redis 6 or later, or in Valkey: in one server, in those behind Sentinels, or in
/// a cluster.
///
/// Threads may share it; it has as many connections as threads use it at once, and one more for
/// watching. What fails is tried again for [`RedisOptions::patience`].
pub struct RedisStore {
    pool: Arc<Pool>,
    names: Names,
    scripts: Scripts,
    options: RedisOptions,
    listener: Listener,
}

#[derive(Debug)]
struct Scripts {
    commit: Script,
    changes: Script,
    whole: Script,
    delete: Script,
    acquire: Script,
    release: Script,
}

impl std::fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisStore")
            .field("prefix", &self.options.prefix)
            .finish_non_exhaustive()
    }
}

impl RedisStore {
    /// Connects to an address:
    ///
    /// - `redis://user:password@host:6379/0` (`valkey://` as well, `unix:///path`): one server;
    /// - `redis+cluster://user:password@host:6379,host:6379`: a cluster, by some of its nodes;
    /// - `redis+sentinel://user:password@host:26379,host:26379/service/0`: the master of a service, as
    ///   Sentinels say; the user is the servers', that of the Sentinels is
    ///   [`RedisOptions::sentinel_login`];
    /// - with `rediss` for `redis`: by TLS (feature `redis-tls`).
    ///
    /// # Errors
    ///
    /// When the address cannot be read, nobody answers, the user is not accepted or may not do what is
    /// needed, or when a server's `maxmemory-policy` is another one than `noeviction`: then it would
    /// drop what was committed.
    pub fn open(url: &str, options: RedisOptions) -> Result<Self, StoreError> {
        let pool = Arc::new(Pool::new(url, &options)?);
        let names = Names::new(&options.prefix);
        pool.check_eviction()?;
        let check = Script::new(script::CHECK);
        let (own, channel) = (names.own("check"), names.channel("check"));
        pool.run(None, |connection, _| {
            check.run(
                connection.as_dyn(),
                std::slice::from_ref(&own),
                &|command| {
                    command.arg(&channel);
                },
            )
        })?;
        let listener = Listener::new(Arc::clone(&pool), names.clone())?;
        Ok(Self {
            pool,
            names,
            scripts: Scripts {
                commit: Script::new(script::COMMIT),
                changes: Script::new(script::CHANGES),
                whole: Script::new(script::WHOLE),
                delete: Script::new(script::DELETE),
                acquire: Script::new(script::ACQUIRE),
                release: Script::new(script::RELEASE),
            },
            options,
            listener,
        })
    }

    fn idle_ms(&self) -> u64 {
        self.options.idle.map_or(0, |idle| {
            u64::try_from(idle.as_millis())
                .unwrap_or(LONGEST_MS)
                .clamp(1, LONGEST_MS)
        })
    }

    /// Runs a script on a collection.
    fn ask(
        &self,
        key: &str,
        script: &Script,
        keys: &[String],
        arguments: &dyn Fn(&mut Cmd),
    ) -> Result<Answer, StoreError> {
        let ask = |connection: &mut Connection, _| script.run(connection.as_dyn(), keys, arguments);
        self.pool.run(Some(key), ask)
    }
}

impl Store for RedisStore {
    fn load(
        &self,
        key: &str,
        part: &mut PartVisitor<'_>,
    ) -> Result<Option<StoreRevision>, StoreError> {
        let Some((revision, parts)) = self.read_all(key)? else {
            return Ok(None);
        };
        for (name, bytes) in parts {
            part(name, &bytes)?;
        }
        Ok(Some(revision))
    }

    fn commit(&self, key: &str, commit: &Commit) -> Result<StoreRevision, StoreError> {
        self.write(key, commit)
    }

    fn changes_since(
        &self,
        key: &str,
        since: StoreRevision,
        part: &mut ChangeVisitor<'_>,
    ) -> Result<Since, StoreError> {
        let (since, parts) = self.read_changes(key, since)?;
        for (name, bytes) in parts {
            part(name, bytes.as_deref())?;
        }
        Ok(since)
    }

    fn revision(&self, key: &str) -> Result<Option<StoreRevision>, StoreError> {
        let info = self.names.of(key, "info");
        let read = |connection: &mut Connection, _| {
            let mut read = redis::cmd("HMGET");
            read.arg(&info).arg("incarnation").arg("number");
            read.query::<(Option<u64>, Option<u64>)>(connection.as_dyn())
        };
        let (incarnation, number) = self.pool.run(Some(key), read)?;
        Ok(incarnation
            .zip(number)
            .map(|(incarnation, number)| StoreRevision {
                incarnation,
                number,
            }))
    }

    /// Goes through all keys of the database: keep other data elsewhere when this is to be quick.
    fn keys(&self, after: Option<&str>, limit: usize) -> Result<Vec<String>, StoreError> {
        let pattern = self.names.pattern();
        let names = self.pool.run(None, |connection, _| {
            let mut names = BTreeSet::new();
            for node in connection.masters()? {
                let mut cursor = 0_u64;
                loop {
                    let mut scan = redis::cmd("SCAN");
                    scan.arg(cursor)
                        .arg("MATCH")
                        .arg(&pattern)
                        .arg("COUNT")
                        .arg(1_000);
                    let (next, page): (u64, Vec<String>) = connection.query_on(&node, &scan)?;
                    names.extend(page);
                    cursor = next;
                    if cursor == 0 {
                        break;
                    }
                }
            }
            Ok(names)
        })?;
        let keys = names
            .iter()
            .filter_map(|name| self.names.key_of(name, "info"));
        let keys: BTreeSet<String> = keys
            .filter(|key| after.is_none_or(|after| key.as_str() > after))
            .collect();
        Ok(keys.into_iter().take(limit).collect())
    }

    fn delete(&self, key: &str, expect: Option<StoreRevision>) -> Result<bool, StoreError> {
        let (keys, channel) = (self.names.all(key), self.names.channel(key));
        let (incarnation, number) = of_revision(expect);
        let (answer, again) = self.pool.run(Some(key), |connection, again| {
            let answer = self
                .scripts
                .delete
                .run(connection.as_dyn(), &keys, &|command| {
                    command.arg(&incarnation).arg(number).arg(&channel);
                })?;
            Ok((answer, again))
        })?;
        match answer.word.as_str() {
            "done" => Ok(true),
            // An earlier try may have done it, without an answer.
            "gone" => Ok(again),
            "conflict" => Err(conflict(key)),
            _ => Err(other(key, answer)),
        }
    }

    fn acquire(
        &self,
        key: &str,
        lease: &str,
        holder: &str,
        ttl_ms: u64,
    ) -> Result<Leased, StoreError> {
        self.take_lease(key, lease, holder, ttl_ms)
    }

    fn release(&self, key: &str, lease: &str, holder: &str) -> Result<bool, StoreError> {
        self.give_back(key, lease, holder)
    }

    fn watch(&self, key: &str) -> Result<Option<Box<dyn Watch>>, StoreError> {
        self.listener.watch(key).map(Some)
    }
}

/// A revision as the scripts take it.
fn of_revision(revision: Option<StoreRevision>) -> (String, u64) {
    revision.map_or_else(Default::default, |revision| {
        (revision.incarnation.to_string(), revision.number)
    })
}

fn revision(key: &str, answer: &mut Answer) -> Result<StoreRevision, StoreError> {
    let mut next = || answer.next().map_err(|error| error::told(Some(key), error));
    Ok(StoreRevision {
        incarnation: next()?,
        number: next()?,
    })
}

fn name(key: &str, text: &str) -> Result<SavedKey, StoreError> {
    text.parse()
        .map_err(|error| StoreError::damaged(key, error))
}

/// What is no usual answer.
fn other(key: &str, mut answer: Answer) -> StoreError {
    let detail = answer.next::<String>().unwrap_or_default();
    match answer.word.as_str() {
        "newer" => newer(key, &detail),
        word => odd(key, &format!("the script answers {word:?} {detail:?}")),
    }
}
