//! The Swift package: its toolchain, what it is built of, its tests, benchmarks and releases.

mod bench;
mod documentation;
mod files;
mod host;
mod package;
mod release;
mod toolchain;
mod xcframework;

pub(crate) use crate::swift::bench::bench;

use clap::Args;

use crate::run::{Outcome, skipped};
use crate::swift::package::Profile;
use crate::swift::toolchain::Toolchain;

/// What to do with the Swift package; without any, it is tested.
#[derive(Args)]
pub(crate) struct Options {
    /// Runs its tests under the thread sanitizer instead.
    #[arg(long)]
    sanitize: bool,
    /// Builds an XCFramework and its archive instead; needs macOS with Xcode.
    #[arg(long, conflicts_with = "sanitize")]
    xcframework: bool,
    /// Where the archive will be: writes the package of a release, which names it.
    #[arg(long, requires = "xcframework")]
    url: Option<String>,
}

/// Assembles the package, and tests it. Without a toolchain it is skipped; in CI that fails.
pub(crate) fn run(options: &Options) -> Outcome {
    let toolchain = match Toolchain::find() {
        Ok(toolchain) => toolchain,
        Err(problem) if options.xcframework => return Err(problem),
        Err(problem) => return skipped(problem),
    };
    println!("Swift: {}", toolchain.version()?);
    package::assemble(Profile::Debug)?;
    if options.xcframework {
        return release::run(&toolchain, options.url.as_deref());
    }
    if options.sanitize {
        return package::sanitized(&toolchain);
    }
    package::test(&toolchain)?;
    documentation::check(&toolchain)?;
    release::check(&toolchain)
}

/// Tests it, as part of all tests.
pub(crate) fn test() -> Outcome {
    run(&Options {
        sanitize: false,
        xcframework: false,
        url: None,
    })
}
