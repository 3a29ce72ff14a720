//! Processes that share an outbox: one is killed by SIGKILL in mid-send, one is stopped in mid-send for
//! longer than its lease. The server honours idempotency keys.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use resourcecache_redis::{Server, outbox};

const OPERATIONS: usize = 12;
const TTL_MS: u64 = 500;

/// A server, whose answers wait for the test.
struct Honouring {
    listener: TcpListener,
    /// What was applied, by key: of which resource, and how often it was asked for.
    applied: BTreeMap<String, (String, usize)>,
}

/// A request that is applied and not answered yet.
struct Request {
    holder: String,
    stream: TcpStream,
}

impl Request {
    fn answer(mut self) {
        // Who was killed is not there any more.
        let _ = self.stream.write_all(b"ok\n");
    }
}

impl Honouring {
    fn next(&mut self) -> Request {
        let next = self.next_within(Duration::from_secs(30));
        next.expect("nobody sends any more")
    }

    fn next_within(&mut self, time: Duration) -> Option<Request> {
        let end = Instant::now() + time;
        self.listener.set_nonblocking(true).expect("a socket");
        let stream = loop {
            match self.listener.accept() {
                Ok((stream, _)) => break stream,
                Err(_) if Instant::now() > end => return None,
                Err(_) => {}
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        stream.set_nonblocking(false).expect("a socket");
        let mut line = String::new();
        BufReader::new(&stream)
            .read_line(&mut line)
            .expect("a request");
        let words: Vec<&str> = line.split_whitespace().collect();
        let [holder, key, id] = words[..] else {
            panic!("{line:?}");
        };
        let applied = self.applied.entry(key.into()).or_insert((id.into(), 0));
        assert_eq!(applied.0, id, "a key is one operation's");
        applied.1 += 1;
        Some(Request {
            holder: holder.into(),
            stream,
        })
    }

    /// Answers two requests of a holder, and keeps its third.
    fn third_of(&mut self, holder: &str) -> Request {
        for _ in 0..2 {
            let request = self.next();
            assert_eq!(request.holder, holder, "one sends");
            request.answer();
        }
        let request = self.next();
        assert_eq!(request.holder, holder, "one sends");
        request
    }
}

struct Sender(Child);

impl Sender {
    fn start(store: &str, holder: &str, server: &Honouring) -> Self {
        let port = server.listener.local_addr().expect("an address").port();
        let child = Command::new(env!("CARGO_BIN_EXE_sender"))
            .args([
                store,
                "shared",
                holder,
                &TTL_MS.to_string(),
                &port.to_string(),
            ])
            .stdout(Stdio::piped())
            .spawn();
        Self(child.expect("a sender starts"))
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill")
            .args([signal, &self.0.id().to_string()])
            .status();
        assert!(sent.expect("kill").success());
    }

    /// What it said, when it has ended.
    fn said(&mut self) -> String {
        let mut said = String::new();
        let out = self.0.stdout.as_mut().expect("its output");
        out.read_to_string(&mut said).expect("its output");
        assert!(self.0.wait().expect("its end").success());
        said.trim().into()
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn senders_die(engine: &str, store: &str) {
    outbox::queue(&mut outbox::open(store, "shared"), OPERATIONS);
    let mut server = Honouring {
        listener: TcpListener::bind("127.0.0.1:0").expect("a port"),
        applied: BTreeMap::new(),
    };

    // Killed when the server has applied its third, and before it hears so.
    let mut one = Sender::start(store, "one", &server);
    let lost = server.third_of("one");
    one.0.kill().expect("SIGKILL");
    let killed = Instant::now();
    drop(lost);
    let mut two = Sender::start(store, "two", &server);
    let first = server.next();
    let taken_over = killed.elapsed();
    assert_eq!(first.holder, "two");
    first.answer();

    // Stopped in mid-send, until another leads.
    let held = server.third_of("two");
    two.signal("-STOP");
    let mut three = Sender::start(store, "three", &server);
    let others = server.next();
    assert_eq!(others.holder, "three", "the lease has expired");
    two.signal("-CONT");
    held.answer();
    assert_eq!(two.said(), "fenced", "it may not start another");
    others.answer();
    while server.applied.len() < OPERATIONS || !is_settled(store) {
        assert!(
            killed.elapsed() < Duration::from_secs(60),
            "not all is sent"
        );
        if let Some(request) = server.next_within(Duration::from_millis(50)) {
            assert_eq!(request.holder, "three", "who is fenced sends nothing");
            request.answer();
        }
    }
    assert_eq!(three.said(), "done");

    let of_ids = server.applied.values().map(|(id, _)| id.clone());
    let ids: std::collections::BTreeSet<String> = of_ids.collect();
    assert_eq!(ids.len(), OPERATIONS, "each was applied under one key");
    assert_eq!(server.applied.len(), OPERATIONS, "and once");
    let requests: usize = server.applied.values().map(|(_, times)| times).sum();
    assert!(requests > OPERATIONS, "the killed one's was sent again");
    println!(
        "redis, senders on {engine}: one killed and one stopped in mid-send; lease of {TTL_MS} ms taken over \
         after {} ms; {requests} requests, {OPERATIONS} operations, each applied once",
        taken_over.as_millis()
    );
}

fn is_settled(store: &str) -> bool {
    outbox::open(store, "shared").cache().queued() == 0
}

#[test]
fn senders_that_die_or_stop_share_an_outbox_in_redis() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    senders_die("Redis", &server.url());
}

#[test]
fn senders_that_die_or_stop_share_an_outbox_in_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("shared.sqlite");
    senders_die("SQLite", &format!("sqlite:{}", path.display()));
}
