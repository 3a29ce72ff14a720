//! What this machine has.

use std::process::{Command, Stdio};

/// The version of the Swift on the `PATH`. Other programs are called `swift` too.
pub(super) fn swift_version() -> Option<(u32, u32)> {
    let mut command = Command::new("swift");
    let out = command.arg("--version").stderr(Stdio::null()).output();
    read_version(&String::from_utf8_lossy(&out.ok()?.stdout))
}

/// The version in what `swift --version` prints.
fn read_version(text: &str) -> Option<(u32, u32)> {
    let version = text.split("Swift version ").nth(1)?;
    let mut numbers = version.split(|c: char| !c.is_ascii_digit());
    let mut next = || numbers.next()?.parse().ok();
    Some((next()?, next()?))
}

#[cfg(test)]
mod tests {
    use super::read_version;

    #[test]
    fn the_version_is_read_from_what_each_platform_prints() {
        let linux = "Swift version 6.0.3 (swift-6.0.3-RELEASE)\nTarget: x86_64-pc-linux-gnu\n";
        let apple = "swift-driver version: 1.115 Apple Swift version 5.10 (swiftlang-5.10.0.13)\n";
        assert_eq!(read_version(linux), Some((6, 0)));
        assert_eq!(read_version(apple), Some((5, 10)));
        // OpenStack's client.
        assert_eq!(read_version("python-swiftclient 4.6.0\n"), None);
    }
}
