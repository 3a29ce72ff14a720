//! Sees that `uniffi.toml` is in effect: a configuration in the wrong form is ignored, not refused.

use crate::run::{Outcome, cargo_text, root};

/// What each language's code has only by the configuration.
const SIGNS: [(&str, &str, &str); 2] = [
    (
        "kotlin",
        "dev/resourcecache/ffi/resourcecache.kt",
        "package dev.resourcecache.ffi",
    ),
    ("swift", "ResourceCacheFFI.swift", "import resourcecacheFFI"),
];

/// Generates for each language that has settings, and looks for what they lead to.
pub(crate) fn check() -> Outcome {
    let crate_features = ["-p", "resourcecache-ffi", "--features", "bindgen"];
    let build = [&["build", "--quiet", "--locked"], &crate_features[..]].concat();
    cargo_text(&build)?;
    let library = format!(
        "target/debug/{}resourcecache_ffi{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    );
    for (language, file, sign) in SIGNS {
        let out = format!("target/generated/{language}");
        let run = [&["run", "--quiet", "--locked"], &crate_features[..]].concat();
        let generate = [
            "--bin",
            "uniffi-bindgen",
            "--",
            "generate",
            "--no-format",
            "--config",
            "uniffi.toml",
            "--language",
            language,
            "--out-dir",
            &out,
            &library,
        ];
        cargo_text(&[&run[..], &generate].concat())?;
        let path = root().join(&out).join(file);
        let code = std::fs::read_to_string(&path).map_err(|e| format!("{out}/{file}: {e}"))?;
        if !code.contains(sign) {
            return Err(format!(
                "uniffi.toml is not in effect: no {sign:?} in {out}/{file}"
            ));
        }
    }
    println!("uniffi.toml is in effect for Kotlin and Swift");
    Ok(())
}
