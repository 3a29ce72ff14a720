//! Cache keys, and the diagram of the lifecycle.

/// The key under which a collection is kept: a prefix such as `dns-zones`, and what it is of. No two
/// lists of arguments give the same.
#[uniffi::export]
pub fn cache_key(prefix: String, arguments: Vec<String>) -> String {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // The core's prefixes are constants of a program; the key's rest is made by it alone.
    let none = resourcecache::ResourceConfig {
        key_prefix: "",
        identifier: "",
    };
    prefix + &none.cache_key(&arguments)
}

/// The lifecycle of an operation as a Mermaid diagram.
#[uniffi::export]
pub fn lifecycle_diagram() -> String {
    resourcecache::lifecycle_mermaid()
}
