//! What an app's build does to the library: R8 shrinks and renames it, by the rules in its own jars.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::android::MIN_API;
use super::{BUILT, project};
use crate::run::{Outcome, files, output, root};

const R8: &str = "com.android.tools:r8:9.5.28";
const DEPENDENCY_PLUGIN: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.9.0";

/// R8, with the folder of the example, which has been compiled, and its dependencies' jars.
pub(super) struct Shrinker {
    example: PathBuf,
    r8: PathBuf,
    java: String,
}

impl Shrinker {
    /// Gets R8 and the jars of the example's dependencies.
    pub(super) fn new() -> Result<Self, String> {
        let example = root().join(BUILT).join("example");
        println!("gets R8, and lets it shrink the README's example");
        let maven = |goal: &str, arguments: &[&str]| {
            let mut run = Command::new("mvn");
            run.args(["-q", "-B", "-ntp"])
                .arg(format!("{DEPENDENCY_PLUGIN}:{goal}"));
            output(run.args(arguments).arg("-f").arg(example.join("pom.xml")))
        };
        let _ = fs::remove_dir_all(example.join("lib"));
        maven(
            "copy-dependencies",
            &["-DoutputDirectory=lib", "-DincludeScope=runtime"],
        )?;
        maven(
            "copy",
            &[&format!("-Dartifact={R8}"), "-DoutputDirectory=tools"],
        )?;
        let settings = Command::new("java")
            .args(["-XshowSettings:properties", "-version"])
            .output();
        let settings = settings.map_err(|e| format!("java cannot be started: {e}"))?;
        let settings = String::from_utf8_lossy(&settings.stderr).into_owned();
        let home = settings
            .lines()
            .find_map(|line| line.trim().strip_prefix("java.home = "));
        let java = home.ok_or("java does not say where it is")?.to_string();
        let r8 = PathBuf::from(format!(
            "r8-{}.jar",
            R8.rsplit(':').next().unwrap_or_default()
        ));
        let r8 = example.join("tools").join(r8);
        Ok(Self { example, r8, java })
    }

    fn tool(&self, class: &str) -> Command {
        let mut run = Command::new("java");
        run.arg("-cp")
            .arg(&self.r8)
            .arg(format!("com.android.tools.r8.{class}"));
        run.args(["--release", "--lib", &self.java]);
        run
    }

    fn jars(&self) -> Result<Vec<PathBuf>, String> {
        let folder = format!("{BUILT}/example/lib");
        Ok(files(&folder, "jar")?
            .iter()
            .map(|file| root().join(file))
            .collect())
    }

    /// The README's example is shrunk to a jar that is a fraction of what it was, and runs from that.
    pub(super) fn run_example(&self) -> Outcome {
        let whole = self.example.join("example.jar");
        let classes = self.example.join("target/classes");
        output(
            Command::new("jar")
                .arg("--create")
                .arg("--file")
                .arg(&whole)
                .arg("-C")
                .arg(classes)
                .arg("."),
        )?;
        let shrunk = self.example.join("shrunk.jar");
        let mut jars = self.jars()?;
        jars.push(whole);
        let mut r8 = self.tool("R8");
        r8.args(["--classfile", "--pg-conf"])
            .arg(project().join("android/app.pro"));
        output(r8.arg("--output").arg(&shrunk).args(&jars))?;
        let printed = output(Command::new("java").arg("-cp").arg(&shrunk).arg("MainKt"))?;
        if !printed.lines().any(|line| line == "[b]") {
            return Err(format!(
                "shrunk, the README's Kotlin example printed {printed}"
            ));
        }
        let classes = |jars: &[PathBuf]| {
            jars.iter().try_fold(0, |sum, jar| {
                let listed = output(Command::new("jar").arg("--list").arg("--file").arg(jar))?;
                Ok::<_, String>(
                    sum + listed
                        .lines()
                        .filter(|line| line.ends_with(".class"))
                        .count(),
                )
            })
        };
        let (before, after) = (classes(&jars)?, classes(&[shrunk])?);
        if after * 2 > before {
            return Err(format!(
                "R8 left {after} of {before} classes: the rules keep too much"
            ));
        }
        println!(
            "shrunk by R8 from {before} to {after} classes, the README's Kotlin example printed [b]"
        );
        Ok(())
    }

    /// Compiles classes for Android, as far as that goes without its class library.
    pub(super) fn dex(&self, classes: &Path, into: &Path) -> Outcome {
        let mut d8 = self.tool("D8");
        d8.args(["--min-api", MIN_API]);
        for jar in self.jars()? {
            let name = jar.file_name().unwrap_or_default().display().to_string();
            if !name.starts_with("resourcecache") {
                d8.arg("--classpath").arg(jar);
            }
        }
        output(d8.arg("--output").arg(into).arg(classes))?;
        match into.join("classes.dex").is_file() {
            true => Ok(()),
            false => Err("D8 wrote no classes.dex".into()),
        }
    }
}
