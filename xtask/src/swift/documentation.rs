//! The package's documentation: that DocC can read it, and that what it links to is there.

use std::env::consts::OS;
use std::fs;
use std::path::Path;

use crate::run::{Outcome, output, root};
use crate::swift::files::{copy, folder};
use crate::swift::package::BUILD;
use crate::swift::toolchain::Toolchain;

const MODULE: &str = "ResourceCache";

/// Converts the catalogue and the docstrings; a warning is an error.
pub(super) fn check(toolchain: &Toolchain) -> Outcome {
    let mut dump = toolchain.command("env", &folder());
    dump.args(["RESOURCECACHE_STRICT=1", "swift", "package"]);
    dump.arg("--package-path").arg(folder());
    dump.arg("--scratch-path").arg(root().join(BUILD));
    dump.args(["dump-symbol-graph", "--minimum-access-level", "public"]);
    let text = output(dump.arg("--skip-synthesized-members"))?;
    let graphs = text
        .lines()
        .find_map(|line| line.strip_prefix("Files written to "));
    let graphs = Path::new(graphs.ok_or("swift package dump-symbol-graph names no folder")?);
    let own = root().join("target/swift/symbols");
    let graph = format!("{MODULE}.symbols.json");
    copy(&graphs.join(&graph), &own.join(&graph))?;

    let pages = root().join("target/swift/documentation");
    if pages.exists() {
        fs::remove_dir_all(&pages).map_err(|e| format!("{}: {e}", pages.display()))?;
    }
    // Xcode has it where its own programs are.
    let mut docc = match OS {
        "macos" => {
            let mut command = toolchain.command("xcrun", &folder());
            command.arg("docc");
            command
        }
        _ => toolchain.command("docc", &folder()),
    };
    docc.arg("convert");
    docc.arg(folder().join(format!("Sources/{MODULE}/{MODULE}.docc")));
    docc.arg("--additional-symbol-graph-dir").arg(&own);
    docc.arg("--output-dir").arg(&pages);
    docc.args(["--fallback-display-name", MODULE]);
    docc.args(["--fallback-bundle-identifier", "dev.resourcecache"]);
    output(docc.arg("--warnings-as-errors")).map(drop)
}
