//! What holds of the sources themselves.

use std::fs;
use std::path::Path;

/// The lint that forbids it elsewhere cannot be set here, for the sake of what wasm-bindgen generates.
#[test]
fn only_generated_code_is_unsafe() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = 0;
    for entry in fs::read_dir(sources).expect("the sources are there") {
        let path = entry.expect("an entry").path();
        let code = fs::read_to_string(&path).expect("a source");
        let code = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        let found: Vec<&str> = code.filter(|line| line.contains("unsafe")).collect();
        assert!(found.is_empty(), "{}: {found:?}", path.display());
        files += 1;
    }
    assert!(files > 5, "only {files} sources");
}
