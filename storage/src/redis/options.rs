//! How a Redis store behaves.

use std::time::Duration;

/// Settings of a [`RedisStore`](crate::redis::RedisStore).
///
/// ```
/// use std::time::Duration;
/// use resourcecache_storage::redis::RedisOptions;
/// let mut options = RedisOptions::default();
/// options.idle = Some(Duration::from_secs(30 * 24 * 3600));
/// assert_eq!(options.prefix, "resourcecache");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RedisOptions {
    /// What all keys and channels begin with, before a colon. Default `resourcecache`. Stores with
    /// different prefixes know nothing of each other.
    pub prefix: String,
    /// Collections that nobody has read or committed to for so long expire, with all that is in them.
    /// Default `None`: none does. Instances of a store are to have the same.
    pub idle: Option<Duration>,
    /// Waits after each commit until so many replicas have it. Default `None`.
    pub wait: Option<WaitFor>,
    /// How many changes of parts are remembered for each collection, so that other instances read only
    /// what changed; who is further behind loads the collection anew. Default 16,384; some 10 bytes
    /// each.
    pub remembered_changes: u32,
    /// For how long a connection may take to be made, and a command to be answered. Default 10 s.
    pub timeout: Duration,
    /// For how long what fails is tried again, with growing and random pauses between, before an error
    /// is answered. Default 5 s.
    pub patience: Duration,
    /// The user and password that Sentinels ask for, where these are others than the servers'.
    pub sentinel_login: Option<Login>,
    /// Certificates for `rediss:` addresses. Default: those that the system trusts.
    #[cfg(feature = "redis-tls")]
    pub tls: Option<Certificates>,
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self {
            prefix: "resourcecache".into(),
            idle: None,
            wait: None,
            remembered_changes: 16_384,
            timeout: Duration::from_secs(10),
            patience: Duration::from_secs(5),
            sentinel_login: None,
            #[cfg(feature = "redis-tls")]
            tls: None,
        }
    }
}

/// How many replicas are to have a commit before it is answered (Redis' `WAIT`).
///
/// It makes it less likely that a failover loses what was answered; it does not exclude it, since the
/// replica that is promoted may be another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitFor {
    /// How many.
    pub replicas: u32,
    /// For how long they are waited for; then the commit is answered as
    /// [`Unavailable`](crate::StoreErrorKind::Unavailable), and is to be repeated with the same id.
    pub timeout: Duration,
}

/// An ACL user, or the password of the default one.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The user; `None` for the default one.
    pub user: Option<String>,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// Whom to trust, and who one is, in TLS. All in PEM.
#[cfg(feature = "redis-tls")]
#[derive(Clone)]
pub struct Certificates {
    /// The authorities to trust instead of the system's.
    pub root: Option<Vec<u8>>,
    /// The client's certificate and its key, where servers ask for them.
    pub client: Option<(Vec<u8>, Vec<u8>)>,
}

#[cfg(feature = "redis-tls")]
impl std::fmt::Debug for Certificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificates").finish_non_exhaustive()
    }
}
