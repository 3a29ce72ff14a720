//! The Kotlin library: gets a JDK and Maven where they are missing, builds what the jar holds, and runs
//! its tests.

mod android;
mod elf;
mod shrunk;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::bench;
use crate::run::{
    Outcome, cargo, files, lagging_server, output, readme_example, root, skipped, succeeds,
};

/// The folder of the Maven project.
const PROJECT: &str = "bindings/kotlin";
/// What is built for it: the generated code, and what goes into the jar as it is.
const BUILT: &str = "target/kotlin";

/// Builds the library, tests it, and puts it into the local Maven repository. Without a JDK and Maven
/// it is skipped; in CI it fails.
pub(crate) fn test() -> Outcome {
    if let Err(problem) = tools() {
        return skipped(problem);
    }
    native("debug", &[])?;
    lagging_server()?;
    maven(&["install"])?;
    example()?;
    let shrinker = shrunk::Shrinker::new()?;
    shrinker.run_example()?;
    android::try_out(|classes, into| shrinker.dex(classes, into))
}

/// Builds the AAR.
pub(crate) fn android() -> Outcome {
    tools()?;
    native("debug", &[])?;
    android::build()
}

/// Makes the documentation's jar as a release does, and looks into it.
pub(crate) fn docs() -> Outcome {
    tools()?;
    native("debug", &[])?;
    maven(&["-P", "release", "-DskipTests", "install"])?;
    let made = files(&format!("{PROJECT}/resourcecache/target"), "jar")?;
    let jar = made.iter().find(|jar| jar.contains("javadoc"));
    let jar = jar.ok_or("Dokka made no jar of the documentation")?;
    let listed = output(Command::new("jar").arg("tf").arg(root().join(jar)))?;
    let pages = listed.lines().filter(|line| line.ends_with(".html"));
    let (mut count, mut has_cache) = (0, false);
    for page in pages {
        count += 1;
        has_cache |= page.ends_with("dev/resourcecache/ResourceCache.html");
    }
    if !has_cache {
        return Err(format!(
            "{jar}: of its {count} pages none is ResourceCache's"
        ));
    }
    println!("{jar} has {count} pages");
    Ok(())
}

/// Times a release beside what one would do without it, and writes docs/kotlin-benchmarks.md.
pub(crate) fn bench() -> Outcome {
    tools()?;
    native("release", &["--release"])?;
    maven(&["install", "-DskipTests", "-pl", "native"])?;
    println!("times it, which takes about a minute");
    let mut run = Command::new("mvn");
    run.args([
        "-q",
        "test-compile",
        "exec:exec",
        "-pl",
        "resourcecache",
        "-f",
    ])
    .arg(project().join("pom.xml"))
    .args(["-Dexec.classpathScope=test", "-Dexec.executable=java"])
    .arg("-Dexec.args=-Xmx2g -cp %classpath dev.resourcecache.SpeedKt");
    let table = output(&mut run)?.replace("\u{1b}[0m", "");
    print!("{table}");
    bench::write_page("Kotlin library", "kotlin", &format!("{}\n", table.trim()))
}

/// The jar that Maven has made of a module.
fn jar(module: &str) -> Result<PathBuf, String> {
    let made = files(&format!("{PROJECT}/{module}/target"), "jar")?;
    let made = made.iter().find(|jar| !jar.contains("sources"));
    made.map(|jar| root().join(jar))
        .ok_or_else(|| format!("Maven made no jar of {module}"))
}

/// Runs the README's example as a project that knows only the installed artifact.
fn example() -> Outcome {
    let code = readme_example("kotlin")?;
    let page = fs::read_to_string(root().join("docs/kotlin.md"));
    if !page
        .map_err(|e| format!("docs/kotlin.md: {e}"))?
        .contains(&code)
    {
        return Err("docs/kotlin.md has another example than README.md".into());
    }
    let folder = root().join(BUILT).join("example");
    fs::create_dir_all(folder.join("src")).map_err(|e| format!("{BUILT}: {e}"))?;
    fs::write(folder.join("src/Main.kt"), code).map_err(|e| format!("{BUILT}: {e}"))?;
    copy(&project().join("example/pom.xml"), &folder.join("pom.xml"))?;
    let mut run = Command::new("mvn");
    run.args([
        "-q",
        "-B",
        "-ntp",
        "-Dkotlin.compiler.daemon=false",
        "compile",
        "exec:java",
        "-f",
    ])
    .arg(folder.join("pom.xml"));
    let printed = output(&mut run)?;
    // Maven resets its colours, also where it has none.
    let printed = printed.replace("\u{1b}[0m", "");
    if !printed.lines().any(|line| line == "[b]") {
        return Err(format!("README.md's Kotlin example printed {printed}"));
    }
    println!("README.md's Kotlin example ran, and printed [b]");
    Ok(())
}

/// A JDK of 17 or newer, and Maven; installed from the distribution's packages where they are missing.
fn tools() -> Outcome {
    let are_here = || java_version().is_some_and(|v| v >= 17) && succeeds("mvn", &["--version"]);
    if are_here() {
        return Ok(());
    }
    let missing = "a JDK of 17 or newer, and Maven, are not here";
    if !succeeds("apt-get", &["--version"]) {
        return Err(format!("{missing}, nor is apt-get to get them"));
    }
    for jdk in ["openjdk-17-jdk-headless", "default-jdk-headless"] {
        println!("installs {jdk} and maven by apt-get");
        let install = [
            "-qq",
            "-y",
            "install",
            "--no-install-recommends",
            jdk,
            "maven",
        ];
        if !succeeds("apt-get", &install) {
            println!("runs apt-get update: its lists may be old");
            succeeds("apt-get", &["-qq", "update"]);
            succeeds("apt-get", &install);
        }
        if are_here() {
            return Ok(());
        }
    }
    Err(format!(
        "{missing}, and apt-get did not install them (it must run as root)"
    ))
}

/// The version of the compiler, since a runtime alone is of no use.
fn java_version() -> Option<u32> {
    let text = output(Command::new("javac").arg("-version")).ok()?;
    text.split_whitespace()
        .nth(1)?
        .split('.')
        .next()?
        .parse()
        .ok()
}

/// Builds the native library and generates the code that calls it.
pub(crate) fn native(profile: &str, arguments: &[&str]) -> Outcome {
    println!("builds the native library and generates the code that calls it");
    let build = ["build", "--quiet", "--locked", "-p", "resourcecache-ffi"];
    // The generator is built as for tests, which is quick; the library as asked.
    cargo(&[&build[..], &["--features", "bindgen"]].concat(), &[])?;
    if !arguments.is_empty() {
        cargo(&[&build[..], arguments].concat(), &[])?;
    }
    let built = root().join("target").join(profile).join(library_name());
    let out = root().join(BUILT);
    let generated = out.join("generated");
    fs::create_dir_all(&generated).map_err(|e| format!("{BUILT}: {e}"))?;
    let mut generate = Command::new(root().join("target/debug/uniffi-bindgen"));
    generate
        .args(["generate", "--language", "kotlin", "--no-format"])
        .args(["--config", "uniffi.toml", "--out-dir"])
        .arg(&generated)
        .arg(root().join("target/debug").join(library_name()));
    output(&mut generate)?;
    let folder = out.join("resources").join(platform());
    fs::create_dir_all(&folder).map_err(|e| format!("{BUILT}: {e}"))?;
    copy(&built, &folder.join(library_name()))
}

fn copy(from: &Path, to: &Path) -> Outcome {
    fs::copy(from, to)
        .map(drop)
        .map_err(|e| format!("{} to {}: {e}", from.display(), to.display()))
}

fn library_name() -> String {
    let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    format!("{prefix}resourcecache_ffi{suffix}")
}

/// The folder in a jar in which JNA looks for this machine's library.
fn platform() -> String {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        "windows" => "win32",
        other => other,
    };
    let processor = match std::env::consts::ARCH {
        "x86_64" => "x86-64",
        other => other,
    };
    format!("{system}-{processor}")
}

/// Runs Maven in the project; prints its closing lines, and all of it when it fails.
pub(crate) fn maven(arguments: &[&str]) -> Outcome {
    println!(
        "runs Maven: artifacts come from Maven Central, each in the version that the project names"
    );
    let mut command = Command::new("mvn");
    command
        .args(arguments)
        .current_dir(project())
        .stderr(Stdio::inherit());
    let done = command
        .output()
        .map_err(|error| format!("mvn cannot be started: {error}"))?;
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    if !done.status.success() {
        println!("{text}");
        return Err(format!("mvn ended with {}", done.status));
    }
    for line in text.lines().filter(|line| is_of_interest(line)) {
        println!(
            "{}",
            line.trim_start_matches("[INFO] ")
                .trim_start_matches("[WARNING] ")
        );
    }
    Ok(())
}

/// What the runner counted, class by class and in all, and what the tests themselves say.
fn is_of_interest(line: &str) -> bool {
    line.contains("Tests run:") || line.starts_with("Kotlin, ") || line.contains("SUCCESS [")
}

fn project() -> PathBuf {
    root().join(PROJECT)
}
