//! Servers of the distribution's packages, on free ports of the loopback, each in a folder of its own.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// One starts at a time, so that no two of this process choose the same port.
static STARTING: Mutex<()> = Mutex::new(());
static STARTED: AtomicUsize = AtomicUsize::new(0);

/// Each commit is on the disk before it is answered.
const DURABLE: [&str; 6] = [
    "--save",
    "",
    "--appendonly",
    "yes",
    "--appendfsync",
    "always",
];

/// A running server. It ends, and its folder goes, when this is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    folder: PathBuf,
    port: u16,
    program: PathBuf,
    arguments: Vec<String>,
}

impl Server {
    /// Starts one that writes each commit to the disk before it answers; `None`, which is said, where
    /// there is no Redis. In CI that fails.
    ///
    /// # Panics
    ///
    /// It does not start.
    pub fn start(arguments: &[&str]) -> Option<Self> {
        let program = program("redis-server");
        let Some(program) = program else {
            let missing = "redis-server is not here; `cargo xtask test` gets it by apt-get";
            assert!(std::env::var_os("CI").is_none(), "{missing}");
            println!("skipped: {missing}");
            return None;
        };
        Some(Self::start_as(
            program,
            &[&DURABLE[..], arguments].concat(),
            None,
        ))
    }

    /// The same with Valkey; `None`, which is said, where there is none: not each release of a
    /// distribution has a package of it.
    ///
    /// # Panics
    ///
    /// It does not start.
    pub fn start_valkey(arguments: &[&str]) -> Option<Self> {
        let Some(program) = program("valkey-server") else {
            println!("skipped: valkey-server is not here");
            return None;
        };
        Some(Self::start_as(
            program,
            &[&DURABLE[..], arguments].concat(),
            None,
        ))
    }

    /// A Sentinel that follows a master, and whoever is promoted after it; two of them agree on what
    /// happens. `None` as [`start`](Self::start).
    ///
    /// # Panics
    ///
    /// It does not start.
    pub fn start_sentinel(service: &str, master: &Self) -> Option<Self> {
        let program = program("redis-server")?;
        let config = format!(
            "sentinel monitor {service} 127.0.0.1 {} 2\n\
             sentinel down-after-milliseconds {service} 500\n\
             sentinel failover-timeout {service} 3000\n",
            master.port
        );
        Some(Self::start_as(program, &["--sentinel"], Some(&config)))
    }

    fn start_as(program: PathBuf, arguments: &[&str], config: Option<&str>) -> Self {
        let _one = STARTING.lock().unwrap_or_else(|broken| broken.into_inner());
        // Another program may take a port between its choice and its use.
        for _ in 0..5 {
            let number = STARTED.fetch_add(1, Ordering::Relaxed);
            let folder = format!("resourcecache-redis-{}-{number}", std::process::id());
            let folder = std::env::temp_dir().join(folder);
            std::fs::create_dir_all(&folder).expect("a folder for a server");
            let port = free_port();
            let mut arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
            if let Some(config) = config {
                let file = folder.join("conf");
                std::fs::write(&file, config).expect("its settings");
                arguments.insert(0, file.display().to_string());
            }
            let mut server = Self {
                child: spawn(&program, &folder, port, &arguments),
                folder,
                port,
                program: program.clone(),
                arguments,
            };
            if server.becomes_ready() {
                return server;
            }
            eprintln!("{}", server.log());
        }
        panic!("{} does not start", program.display());
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Asks it something, as its administrator.
    ///
    /// # Panics
    ///
    /// It does not answer.
    pub fn ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        let client = redis::Client::open(self.url()).expect("an address");
        let mut connection = client.get_connection().expect("a connection");
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command
            .query(&mut connection)
            .unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    /// Kills it (SIGKILL): it can write nothing more.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Stops it (SIGSTOP): it is there, and does nothing.
    ///
    /// # Panics
    ///
    /// There is no such signal.
    pub fn pause(&self) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-STOP", &pid]).status();
        assert!(sent.is_ok_and(|sent| sent.success()), "kill -STOP {pid}");
    }

    /// Starts it again, on its port and in its folder.
    ///
    /// # Panics
    ///
    /// It does not start.
    pub fn restart(&mut self) {
        self.kill();
        self.child = spawn(&self.program, &self.folder, self.port, &self.arguments);
        assert!(self.becomes_ready(), "{}", self.log());
    }

    /// Starts it again as a replica of another.
    ///
    /// # Panics
    ///
    /// It does not start.
    pub fn restart_behind(&mut self, master: u16) {
        self.arguments
            .extend(["--replicaof".into(), format!("127.0.0.1 {master}")]);
        self.restart();
    }

    fn becomes_ready(&mut self) -> bool {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return true;
            }
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("{}", lines[lines.len().saturating_sub(30)..].join("\n"));
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Three masters that share the slots.
#[derive(Debug)]
pub struct Cluster {
    /// The masters.
    pub servers: Vec<Server>,
}

impl Cluster {
    /// Starts one; `None` as [`Server::start`].
    ///
    /// # Panics
    ///
    /// It does not come together.
    pub fn start() -> Option<Self> {
        let arguments = ["--cluster-enabled", "yes", "--cluster-node-timeout", "5000"];
        let servers = (0..3).map(|_| {
            // The bus has a port of its own, which must be a free one, too.
            let bus = free_port().to_string();
            Server::start(&[&arguments[..], &["--cluster-port", &bus]].concat())
        });
        let servers = servers.collect::<Option<Vec<_>>>()?;
        let bounds = [(0, 5460), (5461, 10922), (10923, 16383)];
        let first = &servers[0];
        for (server, (from, to)) in servers.iter().zip(bounds) {
            let (from, to) = (from.to_string(), to.to_string());
            server.ask::<()>(&["CLUSTER", "ADDSLOTSRANGE", &from, &to]);
            if server.port != first.port {
                let bus = &server.arguments[server.arguments.len() - 1];
                first.ask::<()>(&[
                    "CLUSTER",
                    "MEET",
                    "127.0.0.1",
                    &server.port.to_string(),
                    bus,
                ]);
            }
        }
        let end = Instant::now() + PATIENCE;
        let is_up = |server: &Server| {
            let info: String = server.ask(&["CLUSTER", "INFO"]);
            info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
        };
        while !servers.iter().all(is_up) {
            assert!(Instant::now() < end, "the cluster does not come together");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(Self { servers })
    }

    /// Its address.
    pub fn url(&self) -> String {
        let nodes: Vec<String> = self
            .servers
            .iter()
            .map(|s| format!("127.0.0.1:{}", s.port))
            .collect();
        format!("redis+cluster://{}", nodes.join(","))
    }
}

/// Where a program is: unpacked by `cargo xtask test`, or on the system.
fn program(name: &str) -> Option<PathBuf> {
    let mut found = roots()
        .into_iter()
        .map(|root| root.join("usr/bin").join(name));
    found.find(|path| path.exists())
}

fn roots() -> [PathBuf; 3] {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools");
    [
        tools.join("redis"),
        tools.join("valkey"),
        PathBuf::from("/"),
    ]
}

/// The folders of the libraries that were unpacked with a program.
fn libraries(program: &Path) -> String {
    let Some(root) = program
        .ancestors()
        .nth(3)
        .filter(|root| *root != Path::new("/"))
    else {
        return String::new();
    };
    let lib = root.join("usr/lib");
    let folders = std::fs::read_dir(&lib).into_iter().flatten().flatten();
    let folders = folders.map(|entry| entry.path()).chain([lib.clone()]);
    let folders: Vec<String> = folders.map(|path| path.display().to_string()).collect();
    folders.join(":")
}

fn spawn(program: &Path, folder: &Path, port: u16, arguments: &[String]) -> Child {
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.join("log"));
    let log = log.expect("its log");
    let mut command = Command::new(program);
    // A file of settings comes first.
    command.args(arguments).args([
        "--port",
        &port.to_string(),
        "--bind",
        "127.0.0.1",
        "--daemonize",
        "no",
    ]);
    command
        .current_dir(folder)
        .env("LD_LIBRARY_PATH", libraries(program))
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("its log"))
        .stderr(log)
        .spawn()
        .expect("a server starts")
}

/// A port that is free now.
///
/// # Panics
///
/// There is none.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}
