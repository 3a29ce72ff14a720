//! Where PowerDNS is: on the system, or unpacked by `cargo xtask test`.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The programs and files that it takes.
#[derive(Clone, Debug)]
pub struct Programs {
    server: PathBuf,
    /// The folder of the backend's library.
    pub(crate) modules: PathBuf,
    /// The tables of a new database.
    pub(crate) schema: PathBuf,
    sqlite3: PathBuf,
    /// The folder of the libraries that were unpacked with it.
    libraries: PathBuf,
}

impl Programs {
    /// Looks for them; the error names what is not there.
    ///
    /// # Errors
    ///
    /// Something is missing.
    pub fn find() -> Result<Self, String> {
        let unpacked = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/pdns");
        let roots = [unpacked, PathBuf::from("/")];
        let find = |name: &str, paths: &[&str]| {
            let all = roots
                .iter()
                .flat_map(|root| paths.iter().map(|path| root.join(path)));
            let mut found = all.flat_map(spelled_out).filter(|path| path.exists());
            found.next().ok_or(format!("{name} is not here"))
        };
        let backend = "pdns/libgsqlite3backend.so";
        let backend = find(
            "PowerDNS's backend for SQLite",
            &[
                &format!("usr/lib/*/{backend}"),
                &format!("usr/lib/{backend}"),
            ],
        )?;
        let above = |path: &Path| path.parent().unwrap_or(path).to_path_buf();
        let modules = above(&backend);
        Ok(Self {
            libraries: above(&modules),
            server: find("pdns_server", &["usr/sbin/pdns_server"])?,
            modules,
            schema: find(
                "the schema of PowerDNS's database",
                &["usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql"],
            )?,
            sqlite3: find("sqlite3", &["usr/bin/sqlite3"])?,
        })
    }

    pub(crate) fn server(&self) -> Command {
        self.command(&self.server)
    }

    pub(crate) fn sqlite3(&self) -> Command {
        self.command(&self.sqlite3)
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env("LD_LIBRARY_PATH", &self.libraries);
        command
    }
}

/// The paths that a path with one `*` stands for: any folder.
fn spelled_out(path: PathBuf) -> Vec<PathBuf> {
    let text = path.display().to_string();
    let Some((before, after)) = text.split_once("*/") else {
        return vec![path];
    };
    let folders = std::fs::read_dir(before).into_iter().flatten().flatten();
    let folders = folders.filter(|entry| entry.path().is_dir());
    folders.map(|entry| entry.path().join(after)).collect()
}
