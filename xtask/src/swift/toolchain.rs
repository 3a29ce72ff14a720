//! Which Swift there is: the one on this machine, or else Debian's in a root of its own.

use std::path::Path;
use std::process::Command;

use crate::run::output;
use crate::swift::host;
use crate::swift::root::Root;

/// The oldest that reads the package's manifest.
const OLDEST: (u32, u32) = (6, 0);

/// A Swift toolchain.
pub(super) enum Toolchain {
    /// On the `PATH`.
    Host,
    /// Debian's, in a folder of its own.
    Root(Root),
}

impl Toolchain {
    /// Finds or gets one; the error says why there is none.
    pub(super) fn find() -> Result<Self, String> {
        let own = host::swift_version().ok_or("there is no Swift on the PATH".to_string());
        let why_not = match own {
            Ok(version) if version >= OLDEST => return Ok(Self::Host),
            Ok((major, minor)) => format!("the Swift on the PATH is {major}.{minor}, too old"),
            Err(problem) => problem,
        };
        match Root::get() {
            Ok(root) => Ok(Self::Root(root)),
            Err(problem) => Err(format!("{why_not}, and {problem}")),
        }
    }

    /// Its program, to be run in a folder of the project.
    pub(super) fn command(&self, program: &str, folder: &Path) -> Command {
        match self {
            Self::Host => {
                let mut command = Command::new(program);
                command.current_dir(folder);
                command
            }
            Self::Root(root) => root.command(program, folder),
        }
    }

    /// What it says of itself.
    pub(super) fn version(&self) -> Result<String, String> {
        let text = output(self.command("swift", &crate::run::root()).arg("--version"))?;
        let line = text.lines().find(|line| line.contains("Swift version"));
        let line = line.ok_or(format!("swift --version says {text:?}"))?;
        let place = match self {
            Self::Host => "on this machine".into(),
            Self::Root(root) => format!("in {}", root.folder().display()),
        };
        Ok(format!("{line}, {place}"))
    }
}
