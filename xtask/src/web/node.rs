//! Node.js and npm, as they are on this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{Outcome, output, root};

/// The oldest that the package's tools run on.
const OLDEST: u32 = 20;

/// A Node.js on the `PATH`.
pub(super) struct Node {
    package: PathBuf,
}

impl Node {
    /// Finds it; the error says why there is none.
    pub(super) fn find() -> Result<Self, String> {
        let version = output(Command::new("node").arg("--version")).map_err(|_| {
            format!("there is no Node.js on the PATH; install version {OLDEST} or newer")
        })?;
        let version = version.trim();
        let major = version.trim_start_matches('v').split('.').next();
        let major: Option<u32> = major.and_then(|major| major.parse().ok());
        if major.is_none_or(|major| major < OLDEST) {
            return Err(format!(
                "the Node.js on the PATH is {version}; install version {OLDEST} or newer"
            ));
        }
        println!("Node.js: {version}");
        Ok(Self {
            package: root().join("bindings/web"),
        })
    }

    /// The package's folder.
    pub(super) fn package(&self) -> &Path {
        &self.package
    }

    /// The tools that the lock file names, into the package's own `node_modules`.
    pub(super) fn install(&self) -> Outcome {
        println!(
            "installs npm packages into bindings/web/node_modules, as package-lock.json names them"
        );
        self.npm(&["ci", "--silent", "--no-audit", "--no-fund"])
    }

    /// Runs npm in the package.
    pub(super) fn npm(&self, arguments: &[&str]) -> Outcome {
        self.run(Command::new("npm").args(arguments))
    }

    /// Runs a program in the package, and shows what it prints.
    pub(super) fn run(&self, command: &mut Command) -> Outcome {
        let status = command.current_dir(&self.package).status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("{command:?} ended with {status}")),
            Err(error) => Err(format!("{command:?} cannot be started: {error}")),
        }
    }
}
