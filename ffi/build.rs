//! Writes the fingerprint of the sources into the library, and into whatever is generated from it,
//! so that the two can be told apart when they are not of one build.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let here = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let mut hasher = DefaultHasher::new();
    std::env::var("CARGO_PKG_VERSION")?.hash(&mut hasher);
    for folder in ["src", "../core/src", "../storage/src"] {
        println!("cargo::rerun-if-changed={folder}");
        hash_folder(&here.join(folder), &mut hasher)?;
    }
    let build = format!("{:016x}", hasher.finish());
    // A default value is written into the generated code; what a function answers is not.
    let code = format!(
        r#"/// Of which build the generated code is. Compare with `library_build`.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct GeneratedBuild {{
    /// A fingerprint of the sources.
    #[uniffi(default = "{build}")]
    pub fingerprint: String,
}}

/// Of which build the library is: a fingerprint of the sources.
#[uniffi::export]
pub fn library_build() -> String {{
    "{build}".into()
}}
"#
    );
    let out = PathBuf::from(std::env::var("OUT_DIR")?).join("build_of.rs");
    fs::write(out, code)?;
    Ok(())
}

fn hash_folder(folder: &Path, hasher: &mut DefaultHasher) -> std::io::Result<()> {
    let entries: std::io::Result<Vec<_>> = fs::read_dir(folder)?.map(|e| Ok(e?.path())).collect();
    let mut entries = entries?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            hash_folder(&path, hasher)?;
        } else {
            path.file_name().hash(hasher);
            fs::read(&path)?.hash(hasher);
        }
    }
    Ok(())
}
