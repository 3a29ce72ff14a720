//! Files of the package.

use std::fs;
use std::path::{Path, PathBuf};

use crate::run::{Outcome, root};

/// The package's folder.
pub(super) fn folder() -> PathBuf {
    root().join("bindings/swift")
}

/// Reads a file whole; the error names it.
pub(super) fn read(from: &Path) -> Result<Vec<u8>, String> {
    fs::read(from).map_err(|e| format!("{}: {e}", from.display()))
}

/// Copies what is other than before, so that nothing is compiled again for nothing.
pub(super) fn copy(from: &Path, to: &Path) -> Outcome {
    write(to, &read(from)?)
}

/// Writes what is other than before.
pub(super) fn write(to: &Path, text: &[u8]) -> Outcome {
    let failed = |e| format!("{}: {e}", to.display());
    if fs::read(to).is_ok_and(|old| old == text) {
        return Ok(());
    }
    fs::create_dir_all(to.parent().unwrap_or(to)).map_err(failed)?;
    fs::write(to, text).map_err(failed)
}

/// Copies a folder with all that is in it.
pub(super) fn copy_all(from: &Path, to: &Path) -> Outcome {
    for entry in fs::read_dir(from).map_err(|e| format!("{}: {e}", from.display()))? {
        let entry = entry.map_err(|e| format!("{}: {e}", from.display()))?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match from.is_dir() {
            true => copy_all(&from, &to)?,
            false => copy(&from, &to)?,
        }
    }
    Ok(())
}
