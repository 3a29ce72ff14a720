//! Where the demo keeps its collections.

use std::path::PathBuf;
use std::sync::Arc;

use resourcecache_storage::redis::{RedisOptions, RedisStore};
use resourcecache_storage::{MemoryStore, SqliteStore, Store};
use tempfile::TempDir;

use crate::api::Error;

/// A store, and what this run's collections are called in it.
pub struct Storage {
    /// As [`open`](Self::open) takes it.
    pub(crate) address: String,
    pub(crate) store: Arc<dyn Store>,
    run: String,
    /// Gone with this.
    _folder: Option<TempDir>,
}

impl std::fmt::Debug for Storage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Storage")
            .field("address", &self.address)
            .field("run", &self.run)
            .finish_non_exhaustive()
    }
}

impl Storage {
    /// Opens `sqlite:PATH`, an address of Redis, or `memory`; a SQLite file in a temporary folder for
    /// `None`. Each run has collections of its own.
    ///
    /// # Errors
    ///
    /// No such store, or it cannot be opened.
    pub fn open(address: Option<&str>) -> Result<Self, Error> {
        let run = format!("demo-{}", std::process::id());
        match address {
            Some(address) => Self::of_run(address, run),
            None => {
                let folder = tempfile::tempdir()?;
                let path = folder.path().join("demo.sqlite");
                let mut storage = Self::of_run(&format!("sqlite:{}", path.display()), run)?;
                storage._folder = Some(folder);
                Ok(storage)
            }
        }
    }

    /// The same store, for the collections of a run that has begun.
    pub(crate) fn of_run(address: &str, run: String) -> Result<Self, Error> {
        let redis = ["redis", "valkey", "unix:"];
        let store: Arc<dyn Store> = if address == "memory" {
            Arc::new(MemoryStore::new())
        } else if let Some(path) = address.strip_prefix("sqlite:") {
            Arc::new(SqliteStore::open(PathBuf::from(path))?)
        } else if redis.iter().any(|scheme| address.starts_with(scheme)) {
            Arc::new(RedisStore::open(address, RedisOptions::default())?)
        } else {
            let problem = "is no store: sqlite:PATH, redis://HOST:PORT or memory";
            return Err(Error::Other(format!("{address:?} {problem}")));
        };
        Ok(Self {
            address: address.into(),
            store,
            run,
            _folder: None,
        })
    }

    /// This run's name.
    pub(crate) fn run(&self) -> &str {
        &self.run
    }

    /// What a scenario's collection is called.
    pub(crate) fn key(&self, scenario: &str) -> String {
        format!("{}:{scenario}", self.run)
    }

    /// Where it is, without a password.
    pub(crate) fn shown(&self) -> String {
        match (
            self.address.split_once("://"),
            self.address.rsplit_once('@'),
        ) {
            (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
            _ => self.address.clone(),
        }
    }

    /// Removes a scenario's collection.
    pub(crate) fn forget(&self, scenario: &str) -> Result<(), Error> {
        self.store.delete(&self.key(scenario), None)?;
        Ok(())
    }
}
