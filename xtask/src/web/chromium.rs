//! Chromium, for the tests that need a real browser: the one that is named, or Debian's.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use crate::debian_root::{Contents, Root};
use crate::run::{output, root};

const BROWSER: Contents = Contents {
    name: "chromium",
    packages: &[
        "base-files",
        "chromium",
        "fonts-dejavu-core",
        "coreutils",
        "dash",
    ],
    left_out: &[],
    sizes: ("200 MB", "0.8 GB"),
};

/// A program that starts it, with the arguments that it is given: RESOURCECACHE_CHROMIUM, where that is
/// set, or one that starts Debian's, which is downloaded the first time.
pub(super) fn program() -> Result<PathBuf, String> {
    if let Some(named) = env::var_os("RESOURCECACHE_CHROMIUM") {
        return Ok(named.into());
    }
    let debian = Root::get(&BROWSER)?;
    // What is in /usr/bin is a script, which needs more programs.
    let command = debian.command("/usr/lib/chromium/chromium", &root());
    let folder = root().join("target/tools");
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let program = folder.join("chromium");
    let script = format!("#!/bin/sh\nexec {} \"$@\"\n", quoted(&command));
    fs::write(&program, script).map_err(|e| format!("{}: {e}", program.display()))?;
    output(Command::new("chmod").arg("+x").arg(&program))?;
    let version = output(Command::new(&program).args(["--no-sandbox", "--version"]))?;
    println!("{}", version.trim());
    Ok(program)
}

/// The command as a shell reads it.
fn quoted(command: &Command) -> String {
    let parts = std::iter::once(command.get_program()).chain(command.get_args());
    let quoted = parts.map(|part| format!("'{}'", part.to_string_lossy().replace('\'', r"'\''")));
    quoted.collect::<Vec<_>>().join(" ")
}
