//! Which Swift there is: the one on this machine, or else Debian's in a root of its own.

use std::path::Path;
use std::process::Command;

use crate::debian_root::{Contents, Root};
use crate::run::output;
use crate::swift::host;

/// The oldest that reads the package's manifest.
const OLDEST: (u32, u32) = (6, 0);

/// Swift, what it compiles and links with, and what a command needs around it.
const PACKAGES: &[&str] = &[
    "swiftlang",
    "libc6-dev",
    "libstdc++-14-dev",
    "coreutils",
    "bash",
    "dash",
];

/// What of them is left out: tools that nothing here uses.
const LEFT_OUT: &[&str] = &[
    "./usr/libexec/swift/bin/lldb*",
    "./usr/libexec/swift/bin/clangd",
    "./usr/libexec/swift/bin/sourcekit-lsp",
    "./usr/libexec/swift/bin/repl_swift",
    "./usr/libexec/swift/lib/liblldb*",
    "./usr/libexec/swift/lib/libLTO*",
    "./usr/libexec/swift/lib/libsourcekitdInProc*",
    "./usr/libexec/swift/lib/swift/embedded",
    "./usr/libexec/swift/lib/swift/FrameworkABIBaseline",
    "./usr/libexec/swift/lib/swift_static",
    "./usr/share/gdb",
];

const CONTENTS: Contents = Contents {
    name: "swift",
    packages: PACKAGES,
    left_out: LEFT_OUT,
    sizes: ("550 MB", "1.6 GB"),
};

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
        match Root::get(&CONTENTS) {
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
