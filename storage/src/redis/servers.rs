//! Which servers, and how a connection to them is made.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::cluster::{ClusterClient, ClusterClientBuilder, ClusterConnection};
use redis::cluster_routing::{Route, RoutingInfo, SingleNodeRoutingInfo, SlotAddr};
use redis::io::tcp::TcpSettings;
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{
    Client, Cmd, ConnectionInfo, ConnectionLike, ErrorKind, FromRedisValue, IntoConnectionInfo,
    RedisResult, TlsMode,
};

use crate::redis::options::RedisOptions;

/// One server, those of a cluster, or whoever the Sentinels say it is.
pub(super) enum Servers {
    One(Box<Client>),
    Cluster {
        client: Box<ClusterClient>,
        /// Each node that was named, by itself: for what any node does.
        nodes: Vec<Client>,
    },
    Sentinel(Box<Mutex<SentinelClient>>),
}

/// A connection to a server, or to the servers of a cluster.
pub(super) enum Connection {
    One(Box<redis::Connection>),
    Cluster(Box<ClusterConnection>),
}

impl Servers {
    /// Reads an address; connects to nobody yet.
    pub(super) fn parse(url: &str, options: &RedisOptions) -> RedisResult<Self> {
        let (scheme, rest) = url.split_once("://").unwrap_or((url, ""));
        let (base, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
        match kind {
            "cluster" => cluster(base, rest, options),
            "sentinel" => sentinel(base, rest, options),
            _ => Ok(Self::One(Box::new(client(info(url)?, options)?))),
        }
    }

    pub(super) fn connect(&self, timeout: Duration) -> RedisResult<Connection> {
        match self {
            Self::Cluster { client, .. } => {
                let connection = client.get_connection()?;
                Ok(Connection::Cluster(Box::new(connection)))
            }
            _ => Ok(Connection::One(Box::new(self.connect_to_one(timeout)?))),
        }
    }

    /// Connects to one server: in a cluster, to any that answers.
    pub(super) fn connect_to_one(&self, timeout: Duration) -> RedisResult<redis::Connection> {
        let connection = match self {
            Self::One(client) => client.get_connection_with_timeout(timeout)?,
            Self::Cluster { nodes, .. } => {
                let none = (
                    ErrorKind::InvalidClientConfig,
                    "no address of a cluster's node",
                );
                let mut connection = Err(none.into());
                for node in nodes {
                    connection = node.get_connection_with_timeout(timeout);
                    if connection.is_ok() {
                        break;
                    }
                }
                connection?
            }
            Self::Sentinel(client) => {
                let client = {
                    let mut client = client.lock().unwrap_or_else(PoisonError::into_inner);
                    client.get_client()?
                };
                client.get_connection_with_timeout(timeout)?
            }
        };
        connection.set_read_timeout(Some(timeout))?;
        connection.set_write_timeout(Some(timeout))?;
        Ok(connection)
    }
}

impl Connection {
    pub(super) fn as_dyn(&mut self) -> &mut dyn ConnectionLike {
        match self {
            Self::One(connection) => &mut **connection,
            Self::Cluster(connection) => &mut **connection,
        }
    }

    /// Runs a command on the server that has a key.
    pub(super) fn query_at<T: FromRedisValue>(
        &mut self,
        key: &str,
        command: &Cmd,
    ) -> RedisResult<T> {
        match self {
            Self::One(connection) => command.query(&mut **connection),
            Self::Cluster(connection) => {
                let route = Route::with_key(key, SlotAddr::Master);
                let route = SingleNodeRoutingInfo::SpecificNode(route);
                let value = connection.route_command(command, RoutingInfo::SingleNode(route))?;
                Ok(T::from_redis_value(value)?)
            }
        }
    }

    /// The servers that have keys, each to be asked by [`query_on`](Self::query_on).
    pub(super) fn masters(&mut self) -> RedisResult<Vec<Node>> {
        let Self::Cluster(connection) = self else {
            return Ok(vec![None]);
        };
        let slots = redis::cmd("CLUSTER")
            .arg("SLOTS")
            .query::<Vec<Vec<redis::Value>>>(&mut **connection)?;
        let mut nodes = Vec::new();
        for range in slots {
            let Some(master) = range.into_iter().nth(2) else {
                continue;
            };
            let mut master = Vec::<redis::Value>::from_redis_value(master)?.into_iter();
            let (host, port) = (master.next(), master.next());
            if let (Some(host), Some(port)) = (host, port) {
                nodes.push(Some((
                    String::from_redis_value(host)?,
                    u16::from_redis_value(port)?,
                )));
            }
        }
        nodes.sort();
        nodes.dedup();
        Ok(nodes)
    }

    pub(super) fn query_on<T: FromRedisValue>(
        &mut self,
        node: &Node,
        command: &Cmd,
    ) -> RedisResult<T> {
        match (self, node) {
            (Self::Cluster(connection), Some((host, port))) => {
                let (host, port) = (host.clone(), *port);
                let node = SingleNodeRoutingInfo::ByAddress { host, port };
                let value = connection.route_command(command, RoutingInfo::SingleNode(node))?;
                Ok(T::from_redis_value(value)?)
            }
            (connection, _) => command.query(connection.as_dyn()),
        }
    }
}

/// A node of a cluster; `None` where there is but one server.
pub(super) type Node = Option<(String, u16)>;

fn info(url: &str) -> RedisResult<ConnectionInfo> {
    let info = url.into_connection_info()?;
    let tcp = TcpSettings::default().set_nodelay(true);
    Ok(info.set_tcp_settings(tcp))
}

/// `user:password@host:port,host:port/path`: each host's address as if it were alone, and the path.
fn several(base: &str, rest: &str) -> (Vec<String>, String) {
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let at = if login.is_empty() { "" } else { "@" };
    let hosts = hosts.split(',').filter(|host| !host.is_empty());
    let urls = hosts
        .map(|host| format!("{base}://{login}{at}{host}"))
        .collect();
    (urls, path.into())
}

fn cluster(base: &str, rest: &str, options: &RedisOptions) -> RedisResult<Servers> {
    let (urls, _) = several(base, rest);
    let infos = urls
        .iter()
        .map(|url| info(url))
        .collect::<RedisResult<Vec<_>>>()?;
    let nodes = infos.iter().map(|info| client(info.clone(), options));
    let nodes = nodes.collect::<RedisResult<Vec<_>>>()?;
    let builder = ClusterClientBuilder::new(infos)
        .connection_timeout(options.timeout)
        .response_timeout(options.timeout)
        .tcp_settings(TcpSettings::default().set_nodelay(true))
        .retries(3);
    // TLS follows from the addresses.
    #[cfg(feature = "redis-tls")]
    let builder = match options.tls.as_ref().filter(|_| is_tls(base)) {
        Some(certificates) => builder.certs(tls::certificates(certificates)),
        None => builder,
    };
    let client = Box::new(builder.build()?);
    Ok(Servers::Cluster { client, nodes })
}

fn sentinel(base: &str, rest: &str, options: &RedisOptions) -> RedisResult<Servers> {
    let (urls, path) = several(base, rest);
    let (service, db) = path.split_once('/').unwrap_or((&path, "0"));
    let bad = |what| redis::RedisError::from((ErrorKind::InvalidClientConfig, what));
    if service.is_empty() {
        return Err(bad(
            "a Sentinel address ends with the name of its service: redis+sentinel://host:26379/name",
        ));
    }
    let db = db
        .parse()
        .map_err(|_| bad("the database after a Sentinel's service is a number"))?;
    let infos = urls
        .iter()
        .map(|url| info(url))
        .collect::<RedisResult<Vec<_>>>()?;
    let addresses = infos.iter().map(|info| info.addr().clone());
    let mut builder = SentinelClientBuilder::new(addresses, service, SentinelServerType::Master)?
        .set_client_to_redis_db(db)
        .set_client_to_redis_tcp_settings(TcpSettings::default().set_nodelay(true));
    if let Some(settings) = infos.first().map(ConnectionInfo::redis_settings) {
        if let Some(user) = settings.username() {
            builder = builder.set_client_to_redis_username(user);
        }
        if let Some(password) = settings.password() {
            builder = builder.set_client_to_redis_password(password);
        }
    }
    if let Some(login) = &options.sentinel_login {
        builder = builder.set_client_to_sentinel_password(&login.password);
        if let Some(user) = &login.user {
            builder = builder.set_client_to_sentinel_username(user);
        }
    }
    if is_tls(base) {
        builder = builder
            .set_client_to_redis_tls_mode(TlsMode::Secure)
            .set_client_to_sentinel_tls_mode(TlsMode::Secure);
        #[cfg(feature = "redis-tls")]
        if let Some(certificates) = &options.tls {
            builder = builder
                .set_client_to_redis_certificates(tls::certificates(certificates))
                .set_client_to_sentinel_certificates(tls::certificates(certificates));
        }
    }
    Ok(Servers::Sentinel(Box::new(Mutex::new(builder.build()?))))
}

fn is_tls(base: &str) -> bool {
    matches!(base, "rediss" | "valkeys")
}

#[cfg(not(feature = "redis-tls"))]
fn client(info: ConnectionInfo, _: &RedisOptions) -> RedisResult<Client> {
    Client::open(info)
}

#[cfg(feature = "redis-tls")]
fn client(info: ConnectionInfo, options: &RedisOptions) -> RedisResult<Client> {
    let is_tls = matches!(info.addr(), redis::ConnectionAddr::TcpTls { .. });
    if !is_tls {
        return Client::open(info);
    }
    tls::choose_provider();
    match &options.tls {
        Some(certificates) => Client::build_with_tls(info, tls::certificates(certificates)),
        None => Client::open(info),
    }
}

#[cfg(feature = "redis-tls")]
mod tls {
    use redis::{ClientTlsConfig, TlsCertificates};

    use crate::redis::options::Certificates;

    /// The application's cryptography, or ring where it has chosen none.
    pub(super) fn choose_provider() {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // An error says that another thread has chosen meanwhile.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
    }

    pub(super) fn certificates(given: &Certificates) -> TlsCertificates {
        choose_provider();
        let client_tls = given
            .client
            .clone()
            .map(|(client_cert, client_key)| ClientTlsConfig {
                client_cert,
                client_key,
            });
        TlsCertificates {
            client_tls,
            root_cert: given.root.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::several;

    #[test]
    fn addresses_of_several_servers() {
        let (urls, path) = several("rediss", "me:p%40ss@one:1,two:2/name/3");
        assert_eq!(
            urls,
            ["rediss://me:p%40ss@one:1", "rediss://me:p%40ss@two:2"]
        );
        assert_eq!(path, "name/3");
        assert_eq!(several("redis", "one").0, ["redis://one"]);
    }
}
