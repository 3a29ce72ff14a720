//! The Swift package: its toolchain, what it is built of, and its tests.

mod host;
mod package;
mod root;
mod toolchain;

use crate::run::Outcome;
use crate::swift::toolchain::Toolchain;

/// Assembles the package, and tests it. Without a toolchain it is skipped; in CI that fails.
pub(crate) fn run() -> Outcome {
    let toolchain = match Toolchain::find() {
        Ok(toolchain) => toolchain,
        Err(problem) if std::env::var_os("CI").is_some() => return Err(problem),
        Err(problem) => {
            println!("skipped: {problem}");
            return Ok(());
        }
    };
    println!("Swift: {}", toolchain.version()?);
    package::assemble()?;
    package::test(&toolchain)
}
