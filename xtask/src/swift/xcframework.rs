//! An XCFramework: one library for each of Apple's platforms, and the header to call it by.
//!
//! Its layout is that of `xcodebuild -create-xcframework -library -headers`. It is written here, so that it can be
//! tried where there is no Xcode.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use plist::{Dictionary, Value};
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

use crate::run::Outcome;
use crate::swift::files::{copy, read, write};

/// Its name, as that of the folder in the archive.
pub(super) const NAME: &str = "ResourceCacheFFI.xcframework";
/// The library in each of its slices.
pub(super) const LIBRARY: &str = "libresourcecache_ffi.a";
const HEADERS: &str = "Headers";

/// The library of one platform, for all of its architectures.
pub(super) struct Slice {
    pub(super) folder: &'static str,
    platform: &'static str,
    variant: Option<&'static str>,
    /// Each architecture by Apple's name, and by Rust's target.
    pub(super) architectures: &'static [(&'static str, &'static str)],
}

pub(super) const SLICES: [Slice; 3] = [
    Slice {
        folder: "ios-arm64",
        platform: "ios",
        variant: None,
        architectures: &[("arm64", "aarch64-apple-ios")],
    },
    Slice {
        folder: "ios-arm64_x86_64-simulator",
        platform: "ios",
        variant: Some("simulator"),
        architectures: &[
            ("arm64", "aarch64-apple-ios-sim"),
            ("x86_64", "x86_64-apple-ios"),
        ],
    },
    Slice {
        folder: "macos-arm64_x86_64",
        platform: "macos",
        variant: None,
        architectures: &[
            ("arm64", "aarch64-apple-darwin"),
            ("x86_64", "x86_64-apple-darwin"),
        ],
    },
];

impl Slice {
    fn entry(&self) -> Value {
        let text = |text: &str| Value::String(text.into());
        let names = self.architectures.iter().map(|(name, _)| text(name));
        let mut entry = Dictionary::new();
        entry.insert("BinaryPath".into(), text(LIBRARY));
        entry.insert("HeadersPath".into(), text(HEADERS));
        entry.insert("LibraryIdentifier".into(), text(self.folder));
        entry.insert("LibraryPath".into(), text(LIBRARY));
        entry.insert(
            "SupportedArchitectures".into(),
            Value::Array(names.collect()),
        );
        entry.insert("SupportedPlatform".into(), text(self.platform));
        if let Some(variant) = self.variant {
            entry.insert("SupportedPlatformVariant".into(), text(variant));
        }
        Value::Dictionary(entry)
    }
}

/// Writes the folder: the library of each slice, and the files of `headers`, a header and its module map, beside each.
pub(super) fn assemble(
    folder: &Path,
    headers: &Path,
    library: impl Fn(&Slice) -> PathBuf,
) -> Outcome {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    for slice in &SLICES {
        let place = folder.join(slice.folder);
        copy(&library(slice), &place.join(LIBRARY))?;
        for header in list(headers)? {
            copy(&headers.join(&header), &place.join(HEADERS).join(&header))?;
        }
    }
    let mut info = Dictionary::new();
    info.insert(
        "AvailableLibraries".into(),
        Value::Array(SLICES.iter().map(Slice::entry).collect()),
    );
    info.insert("CFBundlePackageType".into(), "XFWK".into());
    info.insert("XCFrameworkFormatVersion".into(), "1.0".into());
    let mut text = Vec::new();
    Value::Dictionary(info)
        .to_writer_xml(&mut text)
        .map_err(|e| format!("Info.plist: {e}"))?;
    write(&folder.join("Info.plist"), &text)
}

/// Sees that a folder is an XCFramework of a static library with one module: what Xcode reads of its Info.plist is
/// there. Written apart from `assemble`, after what `xcodebuild` makes.
pub(super) fn check(folder: &Path, module: &str) -> Outcome {
    let info = Value::from_file(folder.join("Info.plist"))
        .map_err(|e| format!("{}: Info.plist: {e}", folder.display()))?;
    let field = |value: &Value, name: &str| -> Result<String, String> {
        let text = value.as_dictionary().and_then(|d| d.get(name)?.as_string());
        text.map(Into::into)
            .ok_or(format!("Info.plist has no {name}"))
    };
    for (name, expected) in [
        ("CFBundlePackageType", "XFWK"),
        ("XCFrameworkFormatVersion", "1.0"),
    ] {
        if field(&info, name)? != expected {
            return Err(format!("Info.plist: {name} is not {expected}"));
        }
    }
    let libraries = info
        .as_dictionary()
        .and_then(|d| d.get("AvailableLibraries")?.as_array());
    let libraries = libraries.ok_or("Info.plist has no AvailableLibraries")?;
    let mut found = Vec::new();
    for library in libraries {
        let place = folder.join(field(library, "LibraryIdentifier")?);
        let archive = read(&place.join(field(library, "LibraryPath")?))?;
        if archive.is_empty() || field(library, "BinaryPath")? != field(library, "LibraryPath")? {
            return Err(format!("{}: there is no library", place.display()));
        }
        let headers = place.join(field(library, "HeadersPath")?);
        let map = String::from_utf8_lossy(&read(&headers.join("module.modulemap"))?).into_owned();
        let header = map
            .split('"')
            .nth(1)
            .ok_or("the module map names no header")?;
        read(&headers.join(header))?;
        if !map.starts_with(&format!("module {module} {{")) {
            return Err(format!("{}: the module is not {module}", place.display()));
        }
        let architectures = library
            .as_dictionary()
            .and_then(|d| d.get("SupportedArchitectures")?.as_array());
        let architectures = architectures
            .into_iter()
            .flatten()
            .filter_map(Value::as_string);
        let platform = field(library, "SupportedPlatform")?;
        let variant = field(library, "SupportedPlatformVariant").unwrap_or_default();
        for architecture in architectures {
            found.push(
                format!("{platform} {architecture} {variant}")
                    .trim_end()
                    .to_string(),
            );
        }
    }
    let wanted = [
        "ios arm64",
        "ios arm64 simulator",
        "ios x86_64 simulator",
        "macos arm64",
        "macos x86_64",
    ];
    match found == wanted {
        true => Ok(()),
        false => Err(format!("the XCFramework is for {found:?}, not {wanted:?}")),
    }
}

/// Packs the folder; the same files lead to the same bytes.
pub(super) fn pack(folder: &Path, archive: &Path) -> Outcome {
    let failed = |e: &dyn std::fmt::Display| format!("{}: {e}", archive.display());
    let file = File::create(archive).map_err(|e| failed(&e))?;
    let mut zip = zip::ZipWriter::new(file);
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::default())
        .unix_permissions(0o644);
    for name in files(folder, Path::new(NAME))? {
        let inside = name.strip_prefix(NAME).map_err(|e| failed(&e))?;
        zip.start_file(name.display().to_string(), options)
            .map_err(|e| failed(&e))?;
        zip.write_all(&read(&folder.join(inside))?)
            .map_err(|e| failed(&e))?;
    }
    zip.finish().map_err(|e| failed(&e)).map(drop)
}

/// The names in a folder, sorted.
fn list(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |e| format!("{}: {e}", folder.display());
    let entries = fs::read_dir(folder).map_err(failed)?;
    let mut names = entries
        .map(|entry| entry.map(|entry| PathBuf::from(entry.file_name())))
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    names.sort();
    Ok(names)
}

/// Every file below a folder, by its path below `shown`.
fn files(folder: &Path, shown: &Path) -> Result<Vec<PathBuf>, String> {
    let mut all = Vec::new();
    for name in list(folder)? {
        let (place, shown) = (folder.join(&name), shown.join(&name));
        match place.is_dir() {
            true => all.extend(files(&place, &shown)?),
            false => all.push(shown),
        }
    }
    Ok(all)
}
