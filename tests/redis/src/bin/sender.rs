//! Sends what is queued, as one of several processes: `sender STORE KEY HOLDER TTL_MS PORT`. It says
//! `done`, or `fenced` when it was refused for another's lease.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use resourcecache::{Attempt, Event, Timestamp, json::JsonResource};
use resourcecache_redis::outbox;
use resourcecache_storage::{Error, StoreErrorKind};

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Timestamp(since.map_or(0, |since| since.as_millis() as i64))
}

/// The call: it goes out with the attempt's idempotency key, and is waited for.
fn call(port: u16, holder: &str, attempt: &Attempt<JsonResource>) {
    let mut server = TcpStream::connect(("127.0.0.1", port)).expect("the server");
    writeln!(server, "{holder} {} {}", attempt.key, attempt.id).expect("a request");
    let mut answer = String::new();
    BufReader::new(server)
        .read_line(&mut answer)
        .expect("an answer");
    assert_eq!(answer, "ok\n");
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [store, key, holder, ttl, port] = &arguments[..] else {
        eprintln!("sender STORE KEY HOLDER TTL_MS PORT");
        return ExitCode::FAILURE;
    };
    let ttl: u64 = ttl.parse().expect("milliseconds");
    let port: u16 = port.parse().expect("a port");
    let mut cache = outbox::open(store, key);
    loop {
        if !cache.lead(holder, ttl).expect("the lease") {
            std::thread::sleep(Duration::from_millis(20));
            continue;
        }
        cache.sync().expect("reading");
        loop {
            let attempt = match cache.poll_attempt(now()) {
                Ok(polled) => polled.value.0,
                Err(Error::Store(error)) if error.kind == StoreErrorKind::Fenced => {
                    println!("fenced");
                    return ExitCode::SUCCESS;
                }
                Err(error) => panic!("{error}"),
            };
            let Some(attempt) = attempt else { break };
            call(port, holder, &attempt);
            let operation = attempt.operation;
            let answered = Event::Acknowledge {
                operation,
                answer: None,
            };
            match cache.apply(answered, now()) {
                // Who had to wait for so long may find it answered by another.
                Ok(_) | Err(Error::Core(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
        if cache.cache().queued() == 0 {
            println!("done");
            return ExitCode::SUCCESS;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
