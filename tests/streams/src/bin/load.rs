//! Plays the load and prints a table; fails when an event's cost or memory grows. `cargo xtask
//! load` runs it and writes the table into docs/watch-adapters.md.

use std::process::ExitCode;

use resourcecache_streams::load::Load;
use resourcecache_streams::load_server::paced;

#[tokio::main]
async fn main() -> ExitCode {
    let load = Load::MINUTE;
    let played = load.play();
    let (first, last) = played.cost_ns;
    let (early, late, most) = played.memory_kib;
    let mib = |kib: u64| kib as f64 / 1_024.0;
    println!("| 100,000 resources, 1,000 operations pending, 60,000 events | |");
    println!("| --- | --- |");
    println!("| an event, in the first tenth | {:.1} µs |", first / 1e3);
    println!("| an event, in the last tenth | {:.1} µs |", last / 1e3);
    println!(
        "| resident memory after the first tenth | {:.1} MiB |",
        mib(early)
    );
    println!("| resident memory at the end | {:.1} MiB |", mib(late));
    println!(
        "| the most ever, the first list included | {:.1} MiB |",
        mib(most)
    );
    println!("| operations confirmed on the way | {} |", played.confirmed);
    let paced = paced(load.resources, 10).await;
    let (median, high) = paced.shown_us;
    println!(
        "| over a WebSocket, 1,000 events a second for {:.0} s: from sending to the view, median | {:.1} ms |",
        paced.seconds,
        median as f64 / 1e3
    );
    println!(
        "| the same, 99th percentile | {:.1} ms |",
        high as f64 / 1e3
    );
    match played.flat() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("load: {problem}");
            ExitCode::FAILURE
        }
    }
}
