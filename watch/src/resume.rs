//! How a generic server is told from where to go on.

use reqwest::Url;

/// Where the version from which to watch stands in the request of a stream.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Resume {
    /// Nowhere: a stream begins with what happens next.
    #[default]
    No,
    /// In this query parameter.
    Query(String),
    /// In the header `Last-Event-ID`, as the standard of server-sent events has it.
    LastEventId,
}

impl Resume {
    /// The URL with the version in it.
    pub(crate) fn in_url(&self, url: &Url, version: Option<&str>) -> Url {
        let mut url = url.clone();
        if let (Self::Query(name), Some(version)) = (self, version) {
            url.query_pairs_mut().append_pair(name, version);
        }
        url
    }
}
