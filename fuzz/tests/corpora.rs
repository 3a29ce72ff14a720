//! Replays every input that fuzzing found worth keeping: a plain test, without a fuzzer.

use std::path::{Path, PathBuf};

use resourcecache_fuzz::TARGETS;

/// All corpora together are no larger than this, in bytes.
const MOST: u64 = 200_000;

fn inputs(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpora")
        .join(target);
    let entries =
        std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|e| e.expect("an entry").path()).collect();
    files.sort();
    files
}

#[test]
fn every_kept_input_holds() {
    let mut bytes = 0;
    for (target, run) in TARGETS {
        let files = inputs(target);
        assert!(files.len() >= 10, "{target}: only {} inputs", files.len());
        for file in &files {
            let input = std::fs::read(file).expect("an input");
            bytes += input.len() as u64;
            if std::panic::catch_unwind(|| run(&input)).is_err() {
                panic!("{target} breaks on {}", file.display());
            }
        }
        println!("corpus of {target}: {} inputs hold", files.len());
    }
    assert!(
        bytes <= MOST,
        "{bytes} bytes of corpora; {MOST} are allowed"
    );
}
