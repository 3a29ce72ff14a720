//! How a generic server is told from where to go on.

use reqwest::Url;
use resourcecache::WatchCall;

/// Where the version, or the sequence number, from which to watch stands in the request of a stream.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum VersionIn {
    /// Nowhere: a stream begins with what happens next.
    #[default]
    Nowhere,
    /// In this query parameter.
    Query(String),
    /// In the header `Last-Event-ID`, as the standard of server-sent events has it.
    LastEventId,
}

impl VersionIn {
    /// The URL with the version in it.
    pub(crate) fn in_url(&self, url: &Url, from: Option<&str>) -> Url {
        let mut url = url.clone();
        if let (Self::Query(name), Some(from)) = (self, from) {
            url.query_pairs_mut().append_pair(name, from);
        }
        url
    }
}

/// From where a stream goes on, as text.
pub(crate) fn from_where(call: &WatchCall) -> Option<String> {
    let sequence = || call.sequence.map(|number| number.to_string());
    call.version.clone().or_else(sequence)
}
