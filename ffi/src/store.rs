//! Where collections are kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use resourcecache_storage as storage;
use storage::{
    ChangeVisitor, Commit, Leased, MemoryStore, PartVisitor, Since, SqliteStore, StoreError,
    StoreErrorKind, StoreRevision, Watch,
};

use crate::error::CacheError;
use crate::host_store::{HostStore, Hosted};

/// Keeps collections, each under a key. Several caches may share it, and several processes what it
/// keeps, where the engine allows that.
#[derive(uniffi::Object)]
pub struct Store {
    pub(crate) shared: Arc<Closable>,
}

#[uniffi::export]
impl Store {
    /// Opens a store by its address:
    ///
    /// - `sqlite:PATH`: one SQLite file, which is made where there is none;
    /// - `memory:`: a new store that is gone with the process, for tests;
    /// - `redis://HOST:6379/0`, and the other addresses of Redis and Valkey, where the library was
    ///   built with them: Python's is, the mobile ones are not.
    #[uniffi::constructor]
    pub fn open(address: String) -> Result<Arc<Self>, CacheError> {
        let bad = |problem: String| Err(CacheError::bad_input("store", problem));
        let (scheme, rest) = address.split_once(':').unwrap_or(("", &address));
        let engine = match scheme {
            "sqlite" => Engine::Sqlite(SqliteStore::open(path_of(rest)?)?),
            "memory" if rest.is_empty() => Engine::Other(Box::new(MemoryStore::new())),
            "memory" => return bad(format!("{address:?}: write `memory:`; it has no name")),
            scheme if of_redis(scheme) => Engine::Other(redis(&address)?),
            _ => {
                return bad(format!(
                    "{:?} is no address of a store: write sqlite:PATH, memory: or redis://HOST",
                    without_password(&address)
                ));
            }
        };
        Ok(Self::of(engine))
    }

    /// A store that the host's code keeps.
    #[uniffi::constructor]
    pub fn hosted(store: Arc<dyn HostStore>) -> Arc<Self> {
        Self::of(Engine::Other(Box::new(Hosted(store))))
    }

    /// The keys of the collections after the one named (from the start for none), in the order of
    /// their bytes, so many at most.
    #[uniffi::method(default(after = None, limit = 1000))]
    pub fn keys(&self, after: Option<String>, limit: u32) -> Result<Vec<String>, CacheError> {
        use storage::Store as _;
        Ok(self.shared.keys(after.as_deref(), limit as usize)?)
    }

    /// Removes a collection for everybody; answers whether there was one. A cache that has it open
    /// finds it empty.
    pub fn delete(&self, key: String) -> Result<bool, CacheError> {
        use storage::Store as _;
        Ok(self.shared.delete(&key, None)?)
    }

    /// Lets go of the file and every lock on it, as before an app is suspended. Until `reconnect`, what
    /// needs the store is refused; what was committed stays, and what is in memory can be read.
    pub fn disconnect(&self) -> Result<(), CacheError> {
        self.shared.closed.store(true, Ordering::SeqCst);
        match &self.shared.engine {
            Engine::Sqlite(sqlite) => Ok(sqlite.close()?),
            Engine::Other(_) => Ok(()),
        }
    }

    /// Opens it again after `disconnect`. (`close` is another thing in Kotlin.)
    pub fn reconnect(&self) -> Result<(), CacheError> {
        if let Engine::Sqlite(sqlite) = &self.shared.engine {
            sqlite.reopen()?;
        }
        self.shared.closed.store(false, Ordering::SeqCst);
        Ok(())
    }
}

impl Store {
    fn of(engine: Engine) -> Arc<Self> {
        let closed = AtomicBool::new(false);
        let shared = Arc::new(Closable { engine, closed });
        Arc::new(Self { shared })
    }
}

/// The file of `sqlite:PATH`; `sqlite:///PATH` is the same, as in a URL without a host.
fn path_of(rest: &str) -> Result<&str, CacheError> {
    let problem = match rest {
        "" => "names no file: write sqlite:PATH",
        ":memory:" => "is kept by nobody: write memory:",
        rest if rest.starts_with("//") && !rest.starts_with("///") => {
            "names a host: write sqlite:PATH"
        }
        rest => return Ok(rest),
    };
    Err(CacheError::bad_input(
        "store",
        format!("sqlite:{rest} {problem}"),
    ))
}

/// Whether these are addresses of Redis or Valkey.
fn of_redis(scheme: &str) -> bool {
    let plain = scheme.split('+').next().unwrap_or_default();
    matches!(plain, "redis" | "rediss" | "valkey" | "valkeys" | "unix")
}

/// What may be shown of an address.
fn without_password(address: &str) -> String {
    match (address.find("://"), address.rfind('@')) {
        (Some(start), Some(end)) if start < end => {
            format!("{}://...{}", &address[..start], &address[end..])
        }
        _ => address.into(),
    }
}

#[cfg(feature = "redis")]
fn redis(address: &str) -> Result<Box<dyn storage::Store>, CacheError> {
    let options = storage::redis::RedisOptions::default();
    Ok(Box::new(storage::redis::RedisStore::open(
        address, options,
    )?))
}

#[cfg(not(feature = "redis"))]
fn redis(address: &str) -> Result<Box<dyn storage::Store>, CacheError> {
    let problem = format!(
        "{:?}: this library was built without Redis: build it with the feature `redis`, or keep the \
         collection in sqlite:PATH",
        without_password(address)
    );
    Err(CacheError::bad_input("store", problem))
}

enum Engine {
    Sqlite(SqliteStore),
    Other(Box<dyn storage::Store>),
}

/// A store that can be closed, whatever its engine.
pub(crate) struct Closable {
    engine: Engine,
    closed: AtomicBool,
}

impl Closable {
    fn open(&self, key: Option<&str>) -> Result<&dyn storage::Store, StoreError> {
        if self.closed.load(Ordering::SeqCst) {
            let problem = "the store is closed; reopen it";
            return Err(StoreError::new(StoreErrorKind::Closed, key, problem));
        }
        Ok(match &self.engine {
            Engine::Sqlite(sqlite) => sqlite,
            Engine::Other(other) => &**other,
        })
    }
}

impl storage::Store for Closable {
    fn load(
        &self,
        key: &str,
        part: &mut PartVisitor<'_>,
    ) -> Result<Option<StoreRevision>, StoreError> {
        self.open(Some(key))?.load(key, part)
    }

    fn commit(&self, key: &str, commit: &Commit) -> Result<StoreRevision, StoreError> {
        self.open(Some(key))?.commit(key, commit)
    }

    fn changes_since(
        &self,
        key: &str,
        since: StoreRevision,
        part: &mut ChangeVisitor<'_>,
    ) -> Result<Since, StoreError> {
        self.open(Some(key))?.changes_since(key, since, part)
    }

    fn revision(&self, key: &str) -> Result<Option<StoreRevision>, StoreError> {
        self.open(Some(key))?.revision(key)
    }

    fn keys(&self, after: Option<&str>, limit: usize) -> Result<Vec<String>, StoreError> {
        self.open(None)?.keys(after, limit)
    }

    fn delete(&self, key: &str, expect: Option<StoreRevision>) -> Result<bool, StoreError> {
        self.open(Some(key))?.delete(key, expect)
    }

    fn acquire(
        &self,
        key: &str,
        lease: &str,
        holder: &str,
        ttl_ms: u64,
    ) -> Result<Leased, StoreError> {
        self.open(Some(key))?.acquire(key, lease, holder, ttl_ms)
    }

    fn release(&self, key: &str, lease: &str, holder: &str) -> Result<bool, StoreError> {
        self.open(Some(key))?.release(key, lease, holder)
    }

    fn watch(&self, key: &str) -> Result<Option<Box<dyn Watch>>, StoreError> {
        self.open(Some(key))?.watch(key)
    }
}
