//! Packages of Debian 13 in a folder of their own: downloaded by apt-get, which checks the archive's
//! signature, and unpacked. Nothing on the system changes, and no script of a package runs.
//!
//! Programs run in it by `chroot`. What it needs of the system is mounted in a mount namespace of
//! the command's own: the mounts are seen by nobody else, and end with it, however it ends.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{Outcome, output, root, succeeds};

const SUITE: &str = "trixie";
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// What no root needs.
const DOCUMENTATION: &[&str] = &[
    "./usr/share/doc",
    "./usr/share/man",
    "./usr/share/info",
    "./usr/share/locale",
];

/// What a root is made of.
pub(crate) struct Contents {
    /// What it is called in the user's cache.
    pub(crate) name: &'static str,
    /// Debian's packages; what they need comes with them.
    pub(crate) packages: &'static [&'static str],
    /// What of them is left out beside documentation, as tar's patterns.
    pub(crate) left_out: &'static [&'static str],
    /// How much is downloaded and unpacked, for who waits.
    pub(crate) sizes: (&'static str, &'static str),
}

/// Where the packages come from, and where apt-get keeps what it knows of them: not where the
/// system's does.
const APT: &str = r#"Dir::State "{here}/state";
Dir::State::status "{here}/status";
Dir::Cache "{here}/cache";
Dir::Etc "{here}/etc";
Dir::Etc::SourceList "{here}/etc/sources.list";
Dir::Etc::SourceParts "-";
APT::Install-Recommends "false";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::Languages "none";
Debug::NoLocking "true";
"#;

/// Runs a program in the root `$1`, in the folder `$2`, with the folders up to `--` at the places
/// that they have outside.
const ENTER: &str = r#"
root=$1 folder=$2; shift 2
mount --rbind /proc "$root/proc" && mount --rbind /dev "$root/dev" && mount -t tmpfs tmpfs "$root/tmp" || exit 125
while [ "$1" != -- ]; do
    mkdir -p "$root$1" && mount --bind "$1" "$root$1" || exit 125
    shift
done
shift
exec chroot "$root" /usr/bin/env -i HOME=/tmp LANG=C.UTF-8 PATH=/usr/libexec/swift/bin:/usr/bin:/usr/sbin \
    sh -c 'cd "$0" && exec "$@"' "$folder" "$@"
"#;

/// A folder with packages of Debian 13.
pub(crate) struct Root {
    folder: PathBuf,
}

impl Root {
    /// The one in this user's cache; the first time, it is made.
    pub(crate) fn get(contents: &Contents) -> Result<Self, String> {
        let caches = cache_folder()?;
        let found = Self {
            folder: caches.join(format!("{}-{SUITE}", contents.name)),
        };
        check_tools()?;
        if !found.folder.exists() {
            drop_unfinished(&caches)?;
            let making = caches.join(format!(
                "{}-{SUITE}.{}.unfinished",
                contents.name,
                std::process::id()
            ));
            let made = make(contents, &making, &found.folder);
            if made.is_err() {
                // Nothing is mounted there.
                let _ = fs::remove_dir_all(&making);
            }
            made?;
        }
        if !Self::may_enter() {
            return Err(
                "no mount namespace may be made here (unshare): nothing in it can be run".into(),
            );
        }
        Ok(found)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A program of it, with the project and what cargo builds at their places.
    pub(crate) fn command(&self, program: &str, folder: &Path) -> Command {
        self.command_with(&[], program, folder)
    }

    /// The same, with other folders at their places too.
    pub(crate) fn command_with(&self, folders: &[&Path], program: &str, folder: &Path) -> Command {
        let mut command = Command::new("unshare");
        command.args(unshare_options());
        command.args(["--propagation", "private", "sh", "-c", ENTER, "enter"]);
        command.arg(&self.folder).arg(folder).arg(root());
        command.args(folders).args(["--", program]);
        command
    }

    fn may_enter() -> bool {
        let options = unshare_options();
        succeeds("unshare", &[options, &["true"]].concat())
    }
}

/// Only root may mount without a namespace of users.
fn unshare_options() -> &'static [&'static str] {
    static IS_ROOT: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    let is_root = IS_ROOT
        .get_or_init(|| output(Command::new("id").arg("-u")).is_ok_and(|user| user.trim() == "0"));
    match is_root {
        true => &["--mount"],
        false => &["--user", "--map-root-user", "--mount"],
    }
}

fn check_tools() -> Outcome {
    let tools = ["apt-get", "dpkg-deb", "unshare"];
    if let Some(tool) = tools.iter().find(|tool| !succeeds(tool, &["--version"])) {
        return Err(format!("there is no {tool} to get or run Debian's"));
    }
    match Path::new(KEYS).exists() {
        true => Ok(()),
        false => Err(format!("there are no keys to check Debian's by ({KEYS})")),
    }
}

/// What was left by a command that was ended.
fn drop_unfinished(caches: &Path) -> Outcome {
    fs::create_dir_all(caches).map_err(|e| format!("{}: {e}", caches.display()))?;
    let entries = fs::read_dir(caches).map_err(|e| format!("{}: {e}", caches.display()))?;
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let parts: Vec<&str> = name.split('.').collect();
        if let [_, process, "unfinished"] = parts[..]
            && !is_running(process)
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}

/// Makes the root in one folder, and moves it to its place when it is whole.
fn make(contents: &Contents, making: &Path, place: &Path) -> Outcome {
    println!(
        "downloads {} and what they need of Debian 13 by apt-get (about {}), and unpacks them into {} (about {}); installs nothing",
        contents.packages.join(", "),
        contents.sizes.0,
        place.display(),
        contents.sizes.1
    );
    let shown = making.display();
    let apt = making.join("apt");
    let unpacked = making.join("root");
    for folder in [
        "state/lists/partial",
        "cache/archives/partial",
        "etc/apt.conf.d",
        "etc/preferences.d",
    ] {
        fs::create_dir_all(apt.join(folder)).map_err(|e| format!("{shown}: {e}"))?;
    }
    fs::create_dir_all(&unpacked).map_err(|e| format!("{shown}: {e}"))?;
    let source = format!("deb [signed-by={KEYS}] {} {SUITE} main\n", mirror()?);
    let settings = APT.replace("{here}", &apt.display().to_string());
    for (file, text) in [
        ("etc/sources.list", &*source),
        ("apt.conf", &settings),
        ("status", ""),
    ] {
        fs::write(apt.join(file), text).map_err(|e| format!("{shown}: {e}"))?;
    }
    let apt_get = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        let command = command.env("APT_CONFIG", apt.join("apt.conf"));
        output(command.args(["-qq", "-y"]).args(arguments)).map(drop)
    };
    apt_get(&["update", "-o", "APT::Update::Error-Mode=any"])?;
    apt_get(&[&["install", "--download-only"][..], contents.packages].concat())?;
    unpack(contents, &apt.join("cache/archives"), &unpacked)?;
    fs::remove_dir_all(&apt).map_err(|e| format!("{shown}: {e}"))?;
    match fs::rename(&unpacked, place) {
        // Another command may have been faster.
        Err(error) if !place.exists() => Err(format!("{}: {error}", place.display())),
        _ => fs::remove_dir_all(making).map_err(|e| format!("{shown}: {e}")),
    }
}

fn unpack(contents: &Contents, archives: &Path, unpacked: &Path) -> Outcome {
    let left_out: Vec<String> = DOCUMENTATION
        .iter()
        .chain(contents.left_out)
        .map(|path| format!("--exclude={path}"))
        .collect();
    for entry in fs::read_dir(archives).map_err(|e| format!("{}: {e}", archives.display()))? {
        let deb = entry.map_err(|e| e.to_string())?.path();
        if deb.extension().is_none_or(|extension| extension != "deb") {
            continue;
        }
        let script = r#"set -o pipefail; deb=$1 root=$2; shift 2
            dpkg-deb --fsys-tarfile "$deb" | tar --extract --directory "$root" --keep-directory-symlink --no-same-owner "$@""#;
        let mut command = Command::new("bash");
        command
            .args(["-c", script, "unpack"])
            .arg(&deb)
            .arg(unpacked);
        output(command.args(&left_out))?;
        // So that the archive and what is in it are never both there whole.
        fs::remove_file(&deb).map_err(|e| format!("{}: {e}", deb.display()))?;
    }
    Ok(())
}

/// Whence this system's apt-get has its packages.
fn mirror() -> Result<String, String> {
    let find = || {
        let mut command = Command::new("apt-get");
        command.args([
            "indextargets",
            "--format",
            "$(ORIGIN)|$(REPO_URI)|$(CODENAME)",
            "Created-By: Packages",
        ]);
        let text = output(&mut command)?;
        let main = text.lines().find_map(|line| {
            let (uri, suite) = line.strip_prefix("Debian|")?.split_once('|')?;
            (!suite.contains('-')).then(|| uri.to_string())
        });
        main.ok_or("apt-get has no source of Debian".to_string())
    };
    find().or_else(|_| {
        println!("runs apt-get update: it has no lists");
        succeeds("apt-get", &["-qq", "update"]);
        find()
    })
}

/// Where this user's caches are.
fn cache_folder() -> Result<PathBuf, String> {
    let absolute = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|p| p.is_absolute())
    };
    let folder = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
    let folder = folder.ok_or("neither XDG_CACHE_HOME nor HOME says where caches are")?;
    Ok(folder.join("resourcecache"))
}

/// Whether a process runs.
fn is_running(process: &str) -> bool {
    Path::new("/proc").join(process).exists()
}
