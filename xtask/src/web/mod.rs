//! The web package: its WebAssembly, its TypeScript, and their tests.

mod bench;
mod chromium;
mod node;
mod wasm;

use std::process::Command;

use clap::Args;

use crate::run::{self, Outcome, lagging_server, output, skipped};
pub(crate) use crate::web::bench::run as bench;
use crate::web::node::Node;

/// What to do with the web package; without any, it is built and tested.
#[derive(Args)]
pub(crate) struct Options {
    /// Only builds it.
    #[arg(long)]
    build: bool,
    /// Compiles with Debian's compiler, as where rustup cannot get wasm32.
    #[arg(long)]
    debian: bool,
}

/// Builds the package, and tests it. Without Node it is skipped; in CI that fails.
pub(crate) fn run(options: &Options) -> Outcome {
    let node = match Node::find() {
        Ok(node) => node,
        Err(problem) if options.build => return Err(problem),
        Err(problem) => return skipped(problem),
    };
    build(&node, options.debian)?;
    if options.build {
        return Ok(());
    }
    test(&node)
}

/// Builds and tests it, as part of all tests.
pub(crate) fn test_all() -> Outcome {
    run(&Options {
        build: false,
        debian: false,
    })
}

/// Everything that `npm pack` takes, and what the tests need.
fn build(node: &Node, debian: bool) -> Outcome {
    node.install()?;
    wasm::build(node, debian)?;
    node.npm(&["run", "--silent", "build"])
}

fn test(node: &Node) -> Outcome {
    node.npm(&["run", "--silent", "check"])?;
    let mut tests = Command::new("npm");
    tests.args(["run", "--silent", "test"]);
    tests.env("RESOURCECACHE_LAGGING_SERVER", lagging_server()?);
    let mut app = Command::new("node");
    app.arg("tests/fresh-app/run.mjs");
    match chromium::program() {
        Ok(program) => {
            tests.env("RESOURCECACHE_CHROMIUM", &program);
            app.env("RESOURCECACHE_CHROMIUM", &program);
        }
        Err(problem) => skipped(format!("the tests in a real browser: {problem}"))?,
    }
    node.run(&mut tests)?;
    node.run(&mut app)?;
    conformance(node)
}

/// Runs every scenario by the package's own runner, and prints its last line.
fn conformance(node: &Node) -> Outcome {
    let mut command = Command::new("node");
    command.arg(node.package().join("dist/conformance/main.js"));
    let text = output(command.args(run::files("tests/scenarios", "json")?))?;
    println!("{}", text.lines().last().unwrap_or_default());
    Ok(())
}
