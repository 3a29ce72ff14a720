//! What a native library for Android must be, read from the file itself.

use goblin::elf::Elf;
use goblin::elf::header::{EM_AARCH64, EM_ARM, EM_X86_64};
use goblin::elf::program_header::PT_LOAD;

/// One of Android's platforms.
pub(crate) struct Abi {
    /// Its name, which is that of its folder.
    pub(crate) name: &'static str,
    /// Rust's name for it.
    pub(crate) target: &'static str,
    /// The clang of Android's NDK that links for it, at the least version of Android that is supported.
    pub(crate) clang: &'static str,
    machine: u16,
    /// How much of an app it may be, stripped.
    budget: usize,
}

const MIB: usize = 1 << 20;

pub(crate) const ABIS: [Abi; 3] = [
    Abi {
        name: "arm64-v8a",
        target: "aarch64-linux-android",
        clang: "aarch64-linux-android24-clang",
        machine: EM_AARCH64,
        budget: 5 * MIB,
    },
    Abi {
        name: "armeabi-v7a",
        target: "armv7-linux-androideabi",
        clang: "armv7a-linux-androideabi24-clang",
        machine: EM_ARM,
        budget: 4 * MIB,
    },
    Abi {
        name: "x86_64",
        target: "x86_64-linux-android",
        clang: "x86_64-linux-android24-clang",
        machine: EM_X86_64,
        budget: 5 * MIB,
    },
];

/// Devices have pages of 4 or of 16 KB; a library that is aligned to less than a page is not loaded.
/// <https://developer.android.com/guide/practices/page-sizes>
const PAGE: u64 = 16 * 1024;

/// What every Android has.
const SYSTEM: [&str; 4] = ["libc.so", "libm.so", "libdl.so", "liblog.so"];

/// Whether it can be loaded by every Android of its kind; what is wrong otherwise.
pub(crate) fn check(abi: &Abi, bytes: &[u8]) -> Result<(), String> {
    let elf = Elf::parse(bytes).map_err(|error| format!("{}: no ELF file: {error}", abi.name))?;
    let mut wrong = Vec::new();
    if elf.header.e_machine != abi.machine {
        wrong.push(format!("it is for machine {}", elf.header.e_machine));
    }
    let loads = elf.program_headers.iter().filter(|h| h.p_type == PT_LOAD);
    let aligned: Vec<u64> = loads.map(|header| header.p_align).collect();
    if aligned.is_empty() {
        wrong.push("nothing of it is loaded".into());
    }
    // Those of 32 bits are never loaded by a device with large pages.
    if elf.is_64
        && aligned
            .iter()
            .any(|align| *align < PAGE || align % PAGE != 0)
    {
        wrong.push(format!(
            "its segments are aligned to {aligned:?}: link with -z max-page-size={PAGE}"
        ));
    }
    for library in &elf.libraries {
        if !SYSTEM.contains(library) {
            wrong.push(format!("it needs {library}, which Android has not"));
        }
    }
    if bytes.len() > abi.budget {
        wrong.push(format!(
            "it has {} bytes, and may have {}",
            bytes.len(),
            abi.budget
        ));
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(format!("{}: {}", abi.name, wrong.join("; ")))
    }
}

/// The least file that passes: headers, and one segment. It stands in where Android's toolchain is not at
/// hand, so that what is done with libraries can be tried.
pub(crate) fn stand_in(abi: &Abi) -> Vec<u8> {
    made(abi.machine, PAGE)
}

/// A header of 64 bits, or of 32 for a machine that has those, and one segment.
fn made(machine: u16, align: u64) -> Vec<u8> {
    let is_64 = machine != EM_ARM;
    let word = |value: u64| {
        let bytes = value.to_le_bytes();
        if is_64 {
            bytes.to_vec()
        } else {
            bytes[..4].to_vec()
        }
    };
    let (header, segment) = if is_64 { (64_u16, 56_u16) } else { (52, 32) };
    let size = u64::from(header) + u64::from(segment);
    let mut file = vec![0x7f, b'E', b'L', b'F', if is_64 { 2 } else { 1 }, 1, 1, 0];
    file.resize(16, 0);
    file.extend(3_u16.to_le_bytes()); // a shared object
    file.extend(machine.to_le_bytes());
    file.extend(1_u32.to_le_bytes());
    file.extend(word(0)); // no entry
    file.extend(word(u64::from(header))); // where the segments are told of
    file.extend(word(0)); // no sections
    file.extend(0_u32.to_le_bytes());
    for half in [header, segment, 1, 0, 0, 0] {
        file.extend(half.to_le_bytes());
    }
    file.extend(PT_LOAD.to_le_bytes());
    let flags = 4_u32.to_le_bytes();
    if is_64 {
        file.extend(flags);
    }
    for value in [0, 0, 0, size, size] {
        file.extend(word(value));
    }
    if !is_64 {
        file.extend(flags);
    }
    file.extend(word(align));
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_in_passes_for_its_own_platform_alone() {
        for abi in &ABIS {
            for other in &ABIS {
                let passes = check(abi, &stand_in(other)).is_ok();
                assert_eq!(
                    passes,
                    abi.name == other.name,
                    "{} as {}",
                    other.name,
                    abi.name
                );
            }
        }
    }

    #[test]
    fn segments_are_aligned_to_the_largest_pages() {
        let arm64 = &ABIS[0];
        for (align, passes) in [
            (4096, false),
            (16_384, true),
            (65_536, true),
            (20_480, false),
        ] {
            assert_eq!(
                check(arm64, &made(EM_AARCH64, align)).is_ok(),
                passes,
                "{align}"
            );
        }
        // No device of 32 bits has them.
        assert_eq!(check(&ABIS[1], &made(EM_ARM, 4096)), Ok(()));
    }

    #[test]
    fn a_library_of_a_desktop_is_refused() {
        let me = std::env::current_exe().and_then(std::fs::read);
        let me = me.expect("a test can be read by itself");
        let said = check(&ABIS[2], &me).expect_err("it is linked with the desktop's C library");
        #[cfg(target_os = "linux")]
        assert!(said.contains("libc.so.6, which Android has not"), "{said}");
        assert!(check(&ABIS[0], b"not a library").is_err(), "{said}");
    }

    #[test]
    fn a_library_that_has_grown_is_told() {
        let mut large = stand_in(&ABIS[0]);
        large.resize(ABIS[0].budget + 1, 0);
        let said = check(&ABIS[0], &large).expect_err("it is over its budget");
        assert!(said.contains("may have"), "{said}");
    }
}
