//! A server's process: started on a free port, killed, started again.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// One starts at a time, so that no two of this process choose the same port.
static STARTING: Mutex<()> = Mutex::new(());
static STARTED: AtomicUsize = AtomicUsize::new(0);

/// Where a program is: unpacked by `cargo xtask test`, or on the system.
pub(crate) fn program(name: &str) -> Result<PathBuf, String> {
    let unpacked = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/streams");
    let roots = [unpacked, PathBuf::from("/")];
    let mut found = roots.iter().map(|root| root.join("usr/bin").join(name));
    found
        .find(|path| path.exists())
        .ok_or(format!("{name} is not here"))
}

/// The folders of the libraries that were unpacked with it.
fn libraries() -> String {
    let lib = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/streams/usr/lib");
    let folders = std::fs::read_dir(&lib).into_iter().flatten().flatten();
    let folders = folders.map(|entry| entry.path()).chain([lib.clone()]);
    let folders: Vec<String> = folders.map(|path| path.display().to_string()).collect();
    folders.join(":")
}

/// A running server, with a folder of its own. Both are gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pub(crate) folder: PathBuf,
    pub(crate) port: u16,
    program: PathBuf,
    arguments: fn(&Path, u16) -> Vec<String>,
}

impl Process {
    /// Starts one, on a port that is free now, and waits until it is ready.
    pub(crate) fn start(
        name: &str,
        arguments: fn(&Path, u16) -> Vec<String>,
        is_ready: impl Fn(u16) -> bool,
    ) -> Result<Self, String> {
        let program = program(name)?;
        let _one = STARTING.lock().unwrap_or_else(|broken| broken.into_inner());
        // Another program may take a port between its choice and its use.
        for _ in 0..5 {
            let number = STARTED.fetch_add(1, Ordering::Relaxed);
            let folder = format!("resourcecache-streams-{}-{number}", std::process::id());
            let folder = std::env::temp_dir().join(folder);
            std::fs::create_dir_all(&folder).expect("a folder for a server");
            let port = free_port();
            let mut process = Self {
                child: spawn(&program, &folder, &arguments(&folder, port)),
                folder,
                port,
                program: program.clone(),
                arguments,
            };
            if process.becomes(&is_ready) {
                return Ok(process);
            }
            eprintln!("{}", process.log());
        }
        panic!("{name} does not start");
    }

    fn becomes(&mut self, is_ready: &impl Fn(u16) -> bool) -> bool {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if is_ready(self.port) {
                return true;
            }
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    /// Kills it (SIGKILL): it can say goodbye to nobody.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again, on its port and in its folder.
    pub(crate) fn restart(&mut self, is_ready: impl Fn(u16) -> bool) {
        self.kill();
        let arguments = (self.arguments)(&self.folder, self.port);
        self.child = spawn(&self.program, &self.folder, &arguments);
        assert!(self.becomes(&is_ready), "{}", self.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn spawn(program: &Path, folder: &Path, arguments: &[String]) -> Child {
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.join("log"));
    let log = log.expect("its log");
    Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("LD_LIBRARY_PATH", libraries())
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("its log"))
        .stderr(log)
        .spawn()
        .expect("a server starts")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}
