//! Under which key a collection is kept, and what identifies its resources: the document's
//! `ResourceCacheConfig`.

/// One sort of collection: the prefix of its cache keys, and the path of a resource's identifier.
///
/// ```
/// use resourcecache::{DNS_ZONES, ResourceConfig};
/// assert_eq!(DNS_ZONES.cache_key(&["project-1"]), "dns-zones:project-1");
/// const BUCKETS: ResourceConfig = ResourceConfig { key_prefix: "buckets", identifier: "/metadata/name" };
/// assert_eq!(BUCKETS.cache_key(&["eu", "a:b"]), "buckets:eu:a%3Ab");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ResourceConfig {
    /// What every key of this sort starts with.
    pub key_prefix: &'static str,
    /// The JSON pointer (RFC 6901) to a resource's identifier.
    pub identifier: &'static str,
}

impl ResourceConfig {
    /// The key of one collection. No two lists of arguments give the same: `%` and `:` within an
    /// argument are percent-encoded.
    pub fn cache_key(&self, arguments: &[&str]) -> String {
        let mut key = self.key_prefix.to_string();
        for argument in arguments {
            key.push(':');
            for c in argument.chars() {
                match c {
                    '%' => key.push_str("%25"),
                    ':' => key.push_str("%3A"),
                    c => key.push(c),
                }
            }
        }
        key
    }

    /// The schema of this sort's JSON resources.
    ///
    /// # Errors
    ///
    /// The identifier is no JSON pointer.
    pub fn schema(&self) -> Result<crate::json::Schema, crate::Error> {
        Ok(crate::json::Schema {
            id: self.identifier.parse()?,
            ..crate::json::Schema::default()
        })
    }
}

/// Projects of an organisation, by name.
pub const PROJECTS: ResourceConfig = ResourceConfig {
    key_prefix: "projects",
    identifier: "/name",
};
/// DNS zones of a project, by id.
pub const DNS_ZONES: ResourceConfig = ResourceConfig {
    key_prefix: "dns-zones",
    identifier: "/id",
};
/// Domains of a project, by id.
pub const DOMAINS: ResourceConfig = ResourceConfig {
    key_prefix: "domains",
    identifier: "/id",
};
/// DNS records of a project's zone, by id.
pub const DNS_RECORDS: ResourceConfig = ResourceConfig {
    key_prefix: "dns-records",
    identifier: "/id",
};
