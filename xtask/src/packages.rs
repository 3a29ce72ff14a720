//! Gets servers of the distribution for tests. They are unpacked, not installed: nothing on the
//! system changes, and no service starts.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{Outcome, output, root, skipped, succeeds};

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
    /// Whether the distribution's backports may have them, where its release has not.
    pub(crate) backports: bool,
}

impl Packages {
    fn folder(&self) -> PathBuf {
        root().join("target/tools").join(self.folder)
    }

    /// Runs what needs them. Without them it is skipped; in CI that is an error.
    pub(crate) fn run(&self, tests: impl FnOnce() -> Outcome) -> Outcome {
        match self.fetch() {
            Ok(()) => tests(),
            Err(problem) => skipped(problem),
        }
    }

    fn is_here(&self, file: &str) -> bool {
        self.folder().join(file).exists() || Path::new("/").join(file).exists()
    }

    /// Downloads and unpacks what is not here.
    pub(crate) fn fetch(&self) -> Outcome {
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
        if self.download(&debs, &[]).is_err() {
            let options = if self.backports {
                println!("reads the lists of the backports");
                backports(&unpacked)?
            } else {
                println!("runs apt-get update: its lists may be old");
                succeeds("apt-get", &["-qq", "update"]);
                Vec::new()
            };
            self.download(&debs, &options)?;
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
    fn download(&self, debs: &Path, options: &[String]) -> Outcome {
        let mut command = Command::new("apt-get");
        command
            .args(options)
            .args(["-qq", "-y", "-o", "Debug::NoLocking=1", "-o"])
            .arg(format!("Dir::Cache::archives={}", debs.display()))
            .args(["install", "--download-only", "--no-install-recommends"])
            .args(self.names);
        output(&mut command).map(drop)
    }
}

/// Lists of the release and of its backports, beside the system's own, which stay as they are: the
/// options by which apt-get takes them.
fn backports(folder: &Path) -> Result<Vec<String>, String> {
    let mut targets = Command::new("apt-get");
    targets.args(["indextargets", "--format", "$(REPO_URI) $(CODENAME)"]);
    let targets = output(targets.arg("Created-By: Packages"))?;
    let mut releases = targets.lines().filter_map(|line| line.split_once(' '));
    let (from, release) = releases
        .find(|(_, name)| !name.contains('-'))
        .ok_or("apt-get has no sources")?;
    let apt = folder.join("apt");
    let lists = apt.join("lists");
    let sources = apt.join("sources.list");
    let text = format!("deb {from} {release} main\ndeb {from} {release}-backports main\n");
    std::fs::create_dir_all(lists.join("partial"))
        .and_then(|()| std::fs::write(&sources, text))
        .map_err(|e| format!("{}: {e}", apt.display()))?;
    let settings = [
        format!("Dir::Etc::SourceList={}", sources.display()),
        "Dir::Etc::SourceParts=/dev/null".into(),
        format!("Dir::State::Lists={}", lists.display()),
        "Dir::Cache::pkgcache=".into(),
        "Dir::Cache::srcpkgcache=".into(),
        "Debug::NoLocking=1".into(),
    ];
    let options: Vec<String> = settings
        .into_iter()
        .flat_map(|s| ["-o".into(), s])
        .collect();
    let mut update = Command::new("apt-get");
    output(update.args(&options).args(["-qq", "update"]))?;
    Ok(options)
}
