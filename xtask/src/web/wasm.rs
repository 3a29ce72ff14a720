//! The WebAssembly and the JavaScript beside it: compiled for wasm32, generated, and made small.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::debian_root::{Contents, Root};
use crate::run::{Outcome, cargo, output, root, succeeds};
use crate::web::node::Node;

const TARGET: &str = "wasm32-unknown-unknown";
const BUILD: [&str; 7] = [
    "build",
    "--locked",
    "--profile=web",
    "-p",
    "resourcecache-web",
    "--target",
    TARGET,
];

/// Debian's compiler, whose standard library for wasm32 is a package.
const COMPILER: Contents = Contents {
    name: "wasm",
    packages: &[
        "base-files",
        "rustc",
        "cargo",
        "libstd-rust-dev-wasm32",
        "lld",
        "gcc",
        "libc6-dev",
        "coreutils",
        "dash",
    ],
    left_out: &[],
    sizes: ("240 MB", "1 GB"),
};

/// Writes `generated` in the package.
pub(super) fn build(node: &Node, debian: bool) -> Outcome {
    let module = if !debian && has_target() {
        cargo(&BUILD, &[])?;
        module(&root().join("target"))
    } else {
        compile_by_debian()?
    };
    let generated = node.package().join("generated");
    fs::create_dir_all(&generated).map_err(|e| format!("{}: {e}", generated.display()))?;
    let (from, to) = (module.to_string_lossy(), generated.to_string_lossy());
    let tool = [
        "run",
        "--quiet",
        "--locked",
        "-p",
        "resourcecache-web-bindgen",
        "--",
    ];
    cargo(&[&tool[..], &[&from, &to]].concat(), &[])?;
    let bound = generated.join("resourcecache_bg.wasm");
    node.run(
        Command::new("npx")
            .args(["--no-install", "wasm-opt", "-Oz"])
            .args(["--enable-bulk-memory", "--enable-nontrapping-float-to-int"])
            .args(["--enable-sign-ext", "--enable-mutable-globals"])
            .args(["--enable-reference-types", "--enable-multivalue"])
            .args(["--strip-debug", "--strip-producers", "-o"])
            .args([&bound, &bound]),
    )
}

/// Compiles the crate by Debian's compiler, into a folder of its own; where the module lies. The
/// crates come from this machine's cargo.
fn compile_by_debian() -> Result<PathBuf, String> {
    println!("compiles for {TARGET} by Debian's Rust");
    let debian = Root::get(&COMPILER)?;
    let target = root().join("target/debian");
    let home = cargo_home()?;
    cargo(&["fetch", "--locked", "--target", TARGET], &[])?;
    let mut command = debian.command_with(&[&home], "env", &root());
    command
        .arg(format!("CARGO_HOME={}", home.display()))
        .arg(format!("CARGO_TARGET_DIR={}", target.display()))
        .arg("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld")
        // `cc` would be made by a script of the package.
        .arg("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=gcc")
        .arg("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=gcc")
        .arg("cargo")
        .args(BUILD)
        .arg("--offline");
    output(&mut command)?;
    Ok(module(&target))
}

fn module(target: &Path) -> PathBuf {
    target.join(TARGET).join("web/resourcecache_web.wasm")
}

/// Whether this Rust compiles for wasm32; where rustup can get that, it does.
fn has_target() -> bool {
    let found = || {
        let mut rustc = Command::new("rustc");
        let folder = output(rustc.args(["--print", "target-libdir", "--target", TARGET]));
        folder.is_ok_and(|folder| Path::new(folder.trim()).exists())
    };
    if found() {
        return true;
    }
    println!("installs {TARGET} by rustup, if it can");
    succeeds("rustup", &["target", "add", TARGET]) && found()
}

fn cargo_home() -> Result<PathBuf, String> {
    let given = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo"));
    given
        .or_else(home)
        .ok_or_else(|| "neither CARGO_HOME nor HOME says where cargo keeps crates".into())
}
