//! Times the package, and writes the page of what it found.

use std::fs;

use crate::run::{Outcome, root};
use crate::swift::package::{self, Profile};
use crate::swift::toolchain::Toolchain;

const PAGE: &str = "docs/swift-benchmarks.md";

const BEGINNING: &str = "# Benchmarks of the Swift package

Written by `cargo xtask bench --swift`; not by hand. The least of several rounds, in turns, in one process on one machine, both
the library and the package built as they are shipped: the ratios mean something elsewhere, the times do not. The lists are
those of the Python package's benchmarks.

";

/// Runs the benchmarks with the library as it is shipped, and writes the page.
pub(crate) fn bench() -> Outcome {
    let toolchain = Toolchain::find()?;
    package::assemble(Profile::Release)?;
    let table = package::bench(&toolchain)?;
    print!("{table}");
    fs::write(root().join(PAGE), format!("{BEGINNING}{table}")).map_err(|e| format!("{PAGE}: {e}"))
}
