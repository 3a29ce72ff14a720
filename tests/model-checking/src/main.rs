//! Explores the worlds, and prints what was found as a table.

use std::process::ExitCode;

use clap::Parser;
use resourcecache_model_checking::{World, explore_all};

/// Explores small worlds whole, and prints their sizes.
#[derive(Parser)]
struct Options {
    /// The large ones, which take minutes.
    #[arg(long)]
    large: bool,
}

fn main() -> ExitCode {
    let worlds = if Options::parse().large {
        World::large()
    } else {
        World::small()
    };
    let all = explore_all(worlds);
    println!("| world | who lists | lists arrive | states | steps | depth |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for found in &all {
        println!("{}", found.line());
    }
    let broken = all
        .iter()
        .flat_map(|f| f.broken.iter().map(move |b| (f, b)));
    for (found, (law, path)) in broken.clone() {
        eprintln!("{}: {law}: {path:?}", found.line());
    }
    ExitCode::from(u8::from(broken.count() > 0))
}
