//! What other processes do to a SQLite file: they are killed, they write at the same time, they run
//! out of room.
//!
//! The other processes are this test itself, started again with `RESOURCECACHE_CHILD` set.

#![cfg(unix)]

mod child;
mod crash;
mod history;
mod limits;
mod sharing;

/// What a child does; nothing where this is the parent.
#[test]
fn child() {
    let Ok(task) = std::env::var("RESOURCECACHE_CHILD") else {
        return;
    };
    let words: Vec<&str> = task.splitn(4, ' ').collect();
    match words[..] {
        ["play", from, seed, path] => {
            crash::play(from.parse().unwrap(), seed.parse().unwrap(), path)
        }
        ["delete", from, to, path] => {
            sharing::delete(from.parse().unwrap(), to.parse().unwrap(), path);
        }
        ["send", holder, ttl, path] => sharing::send(holder, ttl.parse().unwrap(), path),
        ["fill", _, _, path] => limits::fill(path),
        ["write", _, _, path] => limits::write(path),
        _ => panic!("no such task: {task}"),
    }
}
