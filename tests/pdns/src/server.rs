//! One `pdns_server` process, its database, its log and its HTTP API.

use std::fs::File;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::programs::Programs;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// One starts at a time, so that no two of this process choose the same port.
static STARTING: Mutex<()> = Mutex::new(());
static STARTED: AtomicUsize = AtomicUsize::new(0);

/// A running server, with a folder of its own. Both are gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    folder: PathBuf,
    agent: ureq::Agent,
    url: String,
    key: String,
    /// Where it answers DNS queries, and hands out its zones.
    pub(crate) dns: u16,
}

impl Server {
    /// Starts one with these settings besides the ones that all have.
    pub(crate) fn start(programs: &Programs, role: &str, settings: &str) -> Self {
        let _one = STARTING.lock().unwrap_or_else(|broken| broken.into_inner());
        // Another program may take a port between its choice and its use.
        for _ in 0..5 {
            let server = Self::spawn(programs, role, settings);
            if server.is_ready() {
                return server;
            }
            eprintln!("{}", server.log());
        }
        panic!("the {role} does not start");
    }

    fn spawn(programs: &Programs, role: &str, settings: &str) -> Self {
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let key = format!("{}-{number}-{role}", std::process::id());
        let folder = std::env::temp_dir().join(format!("resourcecache-pdns-{key}"));
        std::fs::create_dir_all(&folder).expect("a folder for a server");
        make_database(programs, &folder);
        let (dns, http) = (free_port(), free_port());
        let here = folder.display();
        let modules = programs.modules.display();
        let config = format!(
            "launch=gsqlite3\ngsqlite3-database={here}/db\ngsqlite3-dnssec=yes\n\
             gsqlite3-pragma-synchronous=0\nmodule-dir={modules}\nsocket-dir={here}\n\
             api=yes\napi-key={key}\nwebserver=yes\nwebserver-address=127.0.0.1\n\
             webserver-port={http}\nwebserver-allow-from=127.0.0.0/8\nwebserver-loglevel=none\n\
             local-address=127.0.0.1\nlocal-port={dns}\nonly-notify=\nguardian=no\ndaemon=no\n\
             loglevel=6\nsecurity-poll-suffix=\n{settings}\n"
        );
        std::fs::write(folder.join("pdns.conf"), config).expect("its settings");
        let log = File::create(folder.join("log")).expect("its log");
        let child = programs
            .server()
            .arg(format!("--config-dir={here}"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("its log"))
            .stderr(log)
            .spawn()
            .expect("pdns_server starts");
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE));
        Self {
            child,
            folder,
            agent: config.build().into(),
            url: format!("http://127.0.0.1:{http}/api/v1/servers/localhost"),
            key,
            dns,
        }
    }

    /// Waits until it answers; whether it does. Another server in its place refuses its key.
    fn is_ready(&self) -> bool {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            let asked = self.agent.get(&self.url).header("X-API-Key", &self.key);
            if asked.call().is_ok_and(|answer| answer.status() == 200) {
                return true;
            }
            if self.log().contains("Fatal error") {
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    /// Calls its API: the status, and the body's bytes.
    pub(crate) fn call(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Vec<u8>) {
        let url = format!("{}/{path}", self.url);
        let key = ("X-API-Key", &self.key);
        let sent = match (method, body) {
            ("GET", _) => self.agent.get(&url).header(key.0, key.1).call(),
            ("DELETE", _) => self.agent.delete(&url).header(key.0, key.1).call(),
            ("PUT", Some(body)) => self.agent.put(&url).header(key.0, key.1).send_json(body),
            ("PUT", None) => self.agent.put(&url).header(key.0, key.1).send_empty(),
            (_, body) => self.agent.post(&url).header(key.0, key.1).send_json(body),
        };
        let mut answer = sent.unwrap_or_else(|error| panic!("{method} {url}: {error}"));
        let status = answer.status().as_u16();
        let bytes = answer.body_mut().read_to_vec().expect("an answer's body");
        (status, bytes)
    }

    /// The same, for an answer that must have this status; its body, where it is JSON.
    pub(crate) fn ask(&self, method: &str, path: &str, body: Option<&Value>, wanted: u16) -> Value {
        let (status, bytes) = self.call(method, path, body);
        let text = String::from_utf8_lossy(&bytes);
        assert_eq!(status, wanted, "{method} {path}: {text}");
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// All that it has written into its log.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Waits until what it has written since the log was so long has a line that holds all of
    /// these.
    pub(crate) fn wait_for(&self, mark: usize, texts: &[&str]) {
        let end = Instant::now() + PATIENCE;
        let is_it = |line: &str| texts.iter().all(|text| line.contains(text));
        while !self.log()[mark..].lines().any(is_it) {
            assert!(Instant::now() < end, "no {texts:?} in the log");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Its database.
    pub(crate) fn database(&self) -> PathBuf {
        self.folder.join("db")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("-- the log of {}:\n{}", self.folder.display(), self.log());
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn make_database(programs: &Programs, folder: &Path) {
    let schema = File::open(&programs.schema).expect("the schema");
    let made = programs
        .sqlite3()
        .arg(folder.join("db"))
        .stdin(schema)
        .status();
    assert!(made.is_ok_and(|status| status.success()), "no database");
}

/// A port that is free for TCP and UDP.
fn free_port() -> u16 {
    for _ in 0..100 {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port of the loopback");
        let port = listener.local_addr().expect("its address").port();
        if UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}
