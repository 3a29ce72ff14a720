//! Servers that may not be here: in CI that fails, elsewhere the test is skipped and says so.

/// The server, or `None` and a word of it.
///
/// # Panics
///
/// It is missing in CI.
pub fn found<T>(server: Result<T, String>) -> Option<T> {
    match server {
        Ok(server) => Some(server),
        Err(missing) if std::env::var_os("CI").is_some() => {
            panic!("{missing}; `cargo xtask streams` gets it by apt-get")
        }
        Err(missing) => {
            println!("skipped: {missing}; `cargo xtask streams` gets it by apt-get");
            None
        }
    }
}
