//! `cargo xtask demo`.

use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use resourcecache::json::Schema;
use resourcecache_demo::{
    Error, Report, Screen, Storage, own, program, run, run_live, run_offline,
};

/// Shows what a naive client and resourcecache make of the same lagging API, and counts flickers.
#[derive(Parser)]
#[command(name = "cargo xtask demo")]
struct Options {
    /// Runs in seconds instead of half a minute.
    #[arg(long)]
    fast: bool,
    /// Prints the counts as JSON, and no lists.
    #[arg(long)]
    json: bool,
    /// Takes a part of resourcecache away, to see that the judge sees it.
    #[arg(long, value_name = "PART")]
    r#break: Option<Part>,
    /// Where resourcecache keeps its collections: sqlite:PATH, redis://HOST:PORT or memory, which does
    /// not survive that the program is killed. By default a SQLite file in a temporary folder.
    #[arg(long, value_name = "STORE", conflicts_with_all = ["live", "url"])]
    store: Option<String>,
    /// Runs as the program that the demo kills.
    #[arg(long, hide = true)]
    program: Option<String>,
    /// Shows instead what is held while there is no network for so long, such as 30s.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    offline: Option<u64>,
    /// Shows instead what a server pushes, by WebSocket and as server-sent events, while its lists go
    /// on lagging.
    #[arg(long, conflicts_with_all = ["offline", "url"])]
    live: bool,
    /// Lists an API of your own instead, read-only.
    #[arg(long)]
    url: Option<String>,
    /// Where its resources have their id (a JSON pointer).
    #[arg(long, default_value = "/id", requires = "url")]
    id: String,
    /// Where its answer has the list (a JSON pointer; the whole answer by default).
    #[arg(long, default_value = "", requires = "url")]
    items: String,
}

/// How many rounds of changes the live demo has, with each kind of push.
const ROUNDS: usize = 60;

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The TTL: nothing is guarded.
    Ttl,
}

fn main() -> ExitCode {
    match try_main(&Options::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("demo: {error}");
            ExitCode::from(2)
        }
    }
}

fn try_main(options: &Options) -> Result<ExitCode, Error> {
    if let Some(arguments) = &options.program {
        program(arguments)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(url) = &options.url {
        let schema = Schema {
            id: options.id.parse()?,
            items: options.items.parse()?,
            ..Schema::default()
        };
        own::run(url, &schema)?;
        return Ok(ExitCode::SUCCESS);
    }
    let screen = Screen {
        quiet: options.json,
        pause_ms: if options.fast || options.json { 0 } else { 700 },
    };
    let break_ttl = options.r#break == Some(Part::Ttl);
    let mut pushed = Vec::new();
    let report = match options.offline {
        Some(seconds) => {
            let storage = Storage::open(options.store.as_deref())?;
            run_offline(seconds, &storage, break_ttl, screen)?
        }
        None if options.live => {
            let (report, times) = run_live(ROUNDS, break_ttl, screen)?;
            pushed.extend(times);
            report
        }
        None => {
            let storage = Storage::open(options.store.as_deref())?;
            run(&storage, &std::env::current_exe()?, break_ttl, screen)?
        }
    };
    if options.json && options.live {
        let both = serde_json::json!({ "report": report, "pushed": pushed });
        println!("{}", serde_json::to_string_pretty(&both)?);
    } else if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        for one in &pushed {
            println!(
                "\n{}: from the server's change to our view: median {:.1} ms, 99th percentile {:.1} ms \
                 ({} changes, {} connections)",
                one.by, one.median_ms, one.p99_ms, one.changes, one.streams
            );
        }
        table(&report);
    }
    let good = report.resourcecache == 0 && report.naive > 0;
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// `30s`, or `30`.
fn seconds(text: &str) -> Result<u64, String> {
    let number = text.strip_suffix('s').unwrap_or(text);
    number
        .parse()
        .map_err(|_| "not a number of seconds, such as 30s".into())
}

fn table(report: &Report) {
    println!("\n{:24}{:>16}{:>16}", "flickers", "naive", "resourcecache");
    for one in &report.scenarios {
        println!(
            "{:24}{:>16}{:>16}",
            one.scenario,
            one.naive.total(),
            one.resourcecache.total()
        );
    }
    println!(
        "\nflickers: naive {}, resourcecache {}",
        report.naive, report.resourcecache
    );
}
