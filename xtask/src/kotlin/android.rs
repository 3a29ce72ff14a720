//! The AAR: the library for Android, as one file with the native libraries of its platforms.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::elf::{ABIS, check, stand_in};
use super::{BUILT, copy, jar, library_name, project};
use crate::run::{Outcome, cargo, output, root, succeeds};

/// The least version of Android: from there on its class library has `ConcurrentHashMap.compute` and
/// `CompletableFuture`.
pub(super) const MIN_API: &str = "24";

const LIBRARY: &str = "libresourcecache_ffi.so";

/// Builds the native libraries with Android's NDK, and puts the AAR together.
pub(crate) fn build() -> Outcome {
    let ndk = std::env::var("ANDROID_NDK_HOME").map_err(|_| {
        "ANDROID_NDK_HOME does not say where Android's NDK is (27 or newer): install it by Android \
         Studio's SDK manager, and name its folder"
            .to_string()
    })?;
    let host = match std::env::consts::OS {
        "macos" => "darwin-x86_64",
        "windows" => "windows-x86_64",
        _ => "linux-x86_64",
    };
    let tools = Path::new(&ndk)
        .join("toolchains/llvm/prebuilt")
        .join(host)
        .join("bin");
    let libraries = root().join(BUILT).join("android/jni");
    for abi in &ABIS {
        if !succeeds("rustup", &["target", "add", abi.target]) {
            return Err(format!("rustup has no target {}", abi.target));
        }
        let clang = tools.join(abi.clang).display().to_string();
        let name = abi.target.replace('-', "_");
        let variables = [
            (format!("CC_{name}"), clang.clone()),
            (
                format!("AR_{name}"),
                tools.join("llvm-ar").display().to_string(),
            ),
            (
                format!("CARGO_TARGET_{}_LINKER", name.to_uppercase()),
                clang,
            ),
            (
                format!("CARGO_TARGET_{}_RUSTFLAGS", name.to_uppercase()),
                "-C link-arg=-Wl,-z,max-page-size=16384 -C strip=symbols".into(),
            ),
        ];
        let variables: Vec<(&str, &str)> = variables
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        cargo(
            &[
                "build",
                "--release",
                "--locked",
                "-p",
                "resourcecache-ffi",
                "--target",
                abi.target,
            ],
            &variables,
        )?;
        let built = root()
            .join("target")
            .join(abi.target)
            .join("release")
            .join(LIBRARY);
        let folder = libraries.join(abi.name);
        fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        copy(&built, &folder.join(LIBRARY))?;
    }
    super::maven(&["install", "-DskipTests"])?;
    let aar = assemble(&root().join(BUILT).join("android"))?;
    println!("{}", aar.display());
    Ok(())
}

/// Puts an AAR together from libraries that stand in for those of Android, verifies it, and compiles its
/// classes as an app's build does.
pub(super) fn try_out(dex: impl Fn(&Path, &Path) -> Outcome) -> Outcome {
    let folder = root().join(BUILT).join("android-trial");
    let _ = fs::remove_dir_all(&folder);
    for abi in &ABIS {
        let jni = folder.join("jni").join(abi.name);
        fs::create_dir_all(&jni).map_err(|e| format!("{}: {e}", jni.display()))?;
        fs::write(jni.join(LIBRARY), stand_in(abi)).map_err(|e| e.to_string())?;
    }
    let aar = assemble(&folder)?;
    dex(&folder.join("aar/classes.jar"), &folder)?;
    // A library of this machine's is none of Android's, and is not let in.
    let own = root().join("target/debug").join(library_name());
    copy(&own, &folder.join("jni/x86_64").join(LIBRARY))?;
    match assemble(&folder) {
        Ok(_) => Err("an AAR with a desktop's library was put together".into()),
        Err(problem) => {
            println!(
                "the AAR's layout holds, with stand-ins for the native libraries ({} in {}); its classes \
                 compile for Android from API {MIN_API} on. Refused as it should be: {problem}",
                ABIS.map(|abi| abi.name).join(", "),
                aar.file_name().unwrap_or_default().display()
            );
            Ok(())
        }
    }
}

/// Puts the AAR together from `jni/ABI/` in this folder and the jars that Maven has made; verifies what is
/// in it. <https://developer.android.com/studio/projects/android-library#aar-contents>
fn assemble(folder: &Path) -> Result<PathBuf, String> {
    let told = |e: std::io::Error| format!("{}: {e}", folder.display());
    let content = folder.join("aar");
    let _ = fs::remove_dir_all(&content);
    for abi in &ABIS {
        let library = folder.join("jni").join(abi.name).join(LIBRARY);
        let bytes = fs::read(&library).map_err(|e| format!("{}: {e}", library.display()))?;
        check(abi, &bytes)?;
        let into = content.join("jni").join(abi.name);
        fs::create_dir_all(&into).map_err(told)?;
        copy(&library, &into.join(LIBRARY))?;
    }
    let classes = folder.join("classes");
    let _ = fs::remove_dir_all(&classes);
    fs::create_dir_all(&classes).map_err(told)?;
    for module in ["native", "resourcecache"] {
        unzip(&jar(module)?, &classes)?;
    }
    // The desktop's library, and what says of which jar it was.
    for extra in [
        super::platform().as_str(),
        "META-INF/maven",
        "META-INF/MANIFEST.MF",
    ] {
        let extra = classes.join(extra);
        let _ = fs::remove_dir_all(&extra);
        let _ = fs::remove_file(&extra);
    }
    let rules = classes.join("META-INF/proguard/resourcecache-native.pro");
    copy(&rules, &content.join("proguard.txt"))?;
    zip(&content.join("classes.jar"), &classes)?;
    copy(
        &project().join("android/AndroidManifest.xml"),
        &content.join("AndroidManifest.xml"),
    )?;
    fs::write(content.join("R.txt"), "").map_err(told)?;
    let aar = folder.join("resourcecache-android-0.1.0.aar");
    zip(&aar, &content)?;
    copy(
        &project().join("android/pom.xml"),
        &aar.with_extension("pom"),
    )?;
    verify(&aar, &content.join("classes.jar"))?;
    Ok(aar)
}

/// Zips what is in a folder.
fn zip(file: &Path, folder: &Path) -> Outcome {
    let _ = fs::remove_file(file);
    let mut make = Command::new("jar");
    make.arg("--create")
        .arg("--no-manifest")
        .arg("--file")
        .arg(file);
    output(make.arg("-C").arg(folder).arg(".")).map(drop)
}

fn unzip(file: &Path, into: &Path) -> Outcome {
    let mut extract = Command::new("jar");
    extract
        .current_dir(into)
        .arg("--extract")
        .arg("--file")
        .arg(file);
    output(&mut extract).map(drop)
}

/// Everything that Android's build looks for is there, and nothing that it would pack twice.
fn verify(aar: &Path, classes: &Path) -> Outcome {
    let list = |file: &Path| output(Command::new("jar").arg("--list").arg("--file").arg(file));
    let inside = list(aar)?;
    let mut wanted: Vec<String> = [
        "AndroidManifest.xml",
        "classes.jar",
        "proguard.txt",
        "R.txt",
    ]
    .map(String::from)
    .into();
    wanted.extend(ABIS.iter().map(|abi| format!("jni/{}/{LIBRARY}", abi.name)));
    for name in &wanted {
        if !inside.lines().any(|line| line == name) {
            return Err(format!("{} lacks {name}", aar.display()));
        }
    }
    let classes = list(classes)?;
    for class in [
        "dev/resourcecache/ResourceCache.class",
        "dev/resourcecache/ffi/JsonCache.class",
    ] {
        if !classes.lines().any(|line| line == class) {
            return Err(format!("classes.jar lacks {class}"));
        }
    }
    match classes.lines().find(|line| line.ends_with(".so")) {
        Some(library) => Err(format!("classes.jar has {library}: a desktop's library")),
        None => Ok(()),
    }
}
