//! What users of the Python package get: an installation from the sources, an sdist, release wheels.

use std::path::PathBuf;
use std::process::Command;

use crate::python::{PACKAGE, finished, folder, program, set_up};
use crate::run::{Outcome, files, output, readme_example, root};

/// Installs from the sources, and from an sdist, into fresh environments, as a user does who has a Rust
/// toolchain and nothing else; in each, the README's example and the demo are to run. The builds take the
/// profile of all tests, and what they built, so that nothing compiles twice but the sdist's own crates.
pub(crate) fn fresh() -> Outcome {
    set_up()?;
    println!("installs the package from its sources");
    let python = installed("sources", &root().join(PACKAGE).display().to_string())?;
    try_out(&python)?;
    println!("makes an sdist, and installs that");
    let sdist = sdist()?;
    let python = installed("sdist", &sdist)?;
    try_out(&python)
}

/// A new environment with the package from there, and the demo's needs; its Python.
fn installed(name: &str, from: &str) -> Result<PathBuf, String> {
    let venv = folder().join("fresh").join(name);
    output(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&venv),
    )?;
    let python = venv.join("bin/python");
    let mut install = Command::new(&python);
    install
        .args(["-m", "pip", "install", "--quiet", "--no-cache-dir"])
        .arg("--disable-pip-version-check")
        .arg(format!("{from}[demo]"))
        .env("MATURIN_PEP517_ARGS", "--profile dev")
        .env("CARGO_TARGET_DIR", root().join("target"));
    finished("pip", &mut install)?;
    Ok(python)
}

/// Runs the README's example, pasted into a file, and the demo, away from the sources.
fn try_out(python: &PathBuf) -> Outcome {
    let away = folder().join("fresh/away");
    std::fs::create_dir_all(&away).map_err(|e| format!("target/python: {e}"))?;
    let example = away.join("example.py");
    std::fs::write(&example, readme_example("python")?)
        .map_err(|e| format!("target/python: {e}"))?;
    let run = |arguments: &[&str]| {
        let mut python = Command::new(python);
        output(
            python
                .current_dir(&away)
                .env_remove("PYTHONPATH")
                .args(arguments),
        )
    };
    run(&["-W", "error", "example.py"])?;
    let drawn = run(&["-m", "resourcecache", "demo", "--fast"])?;
    if !drawn.contains("resourcecache 0") {
        return Err(format!("the demo printed {drawn}"));
    }
    println!("README.md's Python example and the demo ran");
    Ok(())
}

fn sdist() -> Result<String, String> {
    let folder = folder().join("sdist");
    let _ = std::fs::remove_dir_all(&folder);
    let mut make = program("maturin");
    finished("maturin", make.args(["sdist", "--out"]).arg(&folder))?;
    let made = files("target/python/sdist", "gz")?;
    let made = made.first().ok_or("maturin made no sdist")?;
    Ok(root().join(made).display().to_string())
}

/// Builds release wheels: on Linux as manylinux2014, by zig's linker, which is held to the symbols of
/// glibc 2.17; auditwheel reads them back from the library.
pub(crate) fn wheels() -> Outcome {
    set_up()?;
    let tools = ["ziglang==0.15.2", "auditwheel==6.8.2"];
    let mut install = program("python");
    install.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]);
    finished("pip", install.args(tools))?;
    let out = folder().join("release");
    let _ = std::fs::remove_dir_all(&out);
    let mut build = program("maturin");
    build
        .args(["build", "--release", "--locked", "--out"])
        .arg(&out);
    if cfg!(target_os = "linux") {
        // zig comes from the environment, as `python -m ziglang`.
        let path = std::env::var("PATH").unwrap_or_default();
        let own = folder().join("venv/bin");
        build
            .args(["--zig", "--compatibility", "manylinux2014"])
            .env("PATH", format!("{}:{path}", own.display()))
            .env("VIRTUAL_ENV", folder().join("venv"));
    }
    finished("maturin", &mut build)?;
    let wheels = files("target/python/release", "whl")?;
    let wheel = wheels.first().ok_or("maturin built no wheel")?;
    if cfg!(target_os = "linux") {
        let shown = output(program("auditwheel").arg("show").arg(root().join(wheel)))?;
        print!("{shown}");
        if !shown.contains("manylinux_2_17") {
            return Err(format!("{wheel} is no manylinux2014 wheel"));
        }
    }
    println!("{wheel}");
    Ok(())
}
