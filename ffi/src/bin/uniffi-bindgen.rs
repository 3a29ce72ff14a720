//! Generates the bindings of a built library: `uniffi-bindgen generate --config uniffi.toml ...`.

fn main() {
    uniffi::uniffi_bindgen_main();
}
