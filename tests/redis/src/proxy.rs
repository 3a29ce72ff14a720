//! A network in the test's hand: it delivers requests and loses their answers.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A proxy before a server.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    weather: Arc<Weather>,
}

#[derive(Debug, Default)]
struct Weather {
    /// Of so many answers one is lost, with its connection; 0: none.
    loses_one_of: AtomicU64,
    answers: AtomicU64,
    lost: AtomicU64,
    closed: AtomicBool,
}

impl Proxy {
    /// A proxy on a free port of the loopback.
    ///
    /// # Panics
    ///
    /// No port is to be had.
    pub fn start(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let weather = Arc::new(Weather::default());
        let of_thread = Arc::clone(&weather);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                if of_thread.closed.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(client) = client else { continue };
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else {
                    continue;
                };
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                serve(client, server, &of_thread);
            }
        });
        Self { address, weather }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("redis://{}/", self.address)
    }

    /// Delivers each request, and of so many answers loses one, cutting the connection; 0: none.
    pub fn lose_one_of(&self, answers: u64) {
        self.weather.loses_one_of.store(answers, Ordering::Relaxed);
    }

    /// How many answers it has lost.
    pub fn lost(&self) -> u64 {
        self.weather.lost.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.weather.closed.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(client: TcpStream, server: TcpStream, weather: &Arc<Weather>) {
    let both = (client.try_clone(), server.try_clone());
    let (Ok(to_client), Ok(from_client)) = (client.try_clone(), both.0) else {
        return;
    };
    let (Ok(to_server), Ok(from_server)) = (server.try_clone(), both.1) else {
        return;
    };
    std::thread::spawn(move || pass(from_client, to_server, || false));
    let weather = Arc::clone(weather);
    std::thread::spawn(move || {
        pass(from_server, to_client, || {
            let every = weather.loses_one_of.load(Ordering::Relaxed);
            let answer = weather.answers.fetch_add(1, Ordering::Relaxed) + 1;
            let loses = every > 0 && answer.is_multiple_of(every);
            weather.lost.fetch_add(loses.into(), Ordering::Relaxed);
            loses
        });
    });
}

/// Passes on what comes, until the connection ends or `loses` says so.
fn pass(mut from: TcpStream, mut to: TcpStream, loses: impl Fn() -> bool) {
    let mut buffer = vec![0; 64 << 10];
    loop {
        match from.read(&mut buffer) {
            Ok(length @ 1..) if !loses() => {
                if to.write_all(&buffer[..length]).is_err() {
                    break;
                }
            }
            _ => break,
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
