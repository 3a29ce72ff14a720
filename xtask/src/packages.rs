//! Gets servers of the distribution for tests. They are unpacked, not installed: nothing on the
//! system changes, and no service starts.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{Outcome, output, root, succeeds};

/// Programs of the distribution's packages, and where they are unpacked.
pub(crate) struct Packages {
    /// What they are, for messages.
    pub(crate) what: &'static str,
    /// The folder in `target/tools`.
    pub(crate) folder: &'static str,
    /// The packages.
    pub(crate) names: &'static [&'static str],
    /// What of them the tests look for, here or under `/`.
    pub(crate) needed: &'static [&'static str],
}

impl Packages {
    fn folder(&self) -> PathBuf {
        root().join("target/tools").join(self.folder)
    }

    /// Runs what needs them. Without them it is skipped; in CI that is an error.
    pub(crate) fn run(&self, tests: impl FnOnce() -> Outcome) -> Outcome {
        if let Err(problem) = self.fetch() {
            if std::env::var_os("CI").is_some() {
                return Err(problem);
            }
            println!("skipped: {problem}");
            return Ok(());
        }
        tests()
    }

    fn is_here(&self, file: &str) -> bool {
        self.folder().join(file).exists() || Path::new("/").join(file).exists()
    }

    /// Downloads and unpacks what is not here.
    fn fetch(&self) -> Outcome {
        let (what, unpacked) = (self.what, self.folder());
        if self.needed.iter().all(|file| self.is_here(file)) {
            return Ok(());
        }
        let shown = format!("target/tools/{}", self.folder);
        if !succeeds("apt-get", &["--version"]) {
            return Err(format!("{what} is not here, nor is apt-get to get it"));
        }
        println!(
            "downloads {} and what they need by apt-get, and unpacks them into {shown}",
            self.names.join(", ")
        );
        let debs = unpacked.join("debs");
        std::fs::create_dir_all(debs.join("partial")).map_err(|e| format!("{shown}: {e}"))?;
        if self.download(&debs).is_err() {
            println!("runs apt-get update: its lists may be old");
            succeeds("apt-get", &["-qq", "update"]);
            self.download(&debs)?;
        }
        let files = std::fs::read_dir(&debs).map_err(|e| format!("{shown}: {e}"))?;
        let files = files.filter_map(Result::ok).map(|entry| entry.path());
        for deb in files.filter(|path| path.extension().is_some_and(|e| e == "deb")) {
            output(Command::new("dpkg-deb").arg("-x").arg(deb).arg(&unpacked))?;
        }
        match self.needed.iter().find(|file| !self.is_here(file)) {
            None => Ok(()),
            Some(file) => Err(format!("the packages of apt-get have no {file}")),
        }
    }

    /// Downloads what of the packages, and of what they need, is not installed.
    fn download(&self, debs: &Path) -> Outcome {
        let mut command = Command::new("apt-get");
        command
            .args(["-qq", "-y", "-o", "Debug::NoLocking=1", "-o"])
            .arg(format!("Dir::Cache::archives={}", debs.display()))
            .args(["install", "--download-only", "--no-install-recommends"])
            .args(self.names);
        output(&mut command).map(drop)
    }
}
