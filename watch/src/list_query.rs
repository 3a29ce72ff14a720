//! How a generic server is asked for a list.

use std::fmt;
use std::sync::Arc;

use reqwest::Url;
use resourcecache::ListCall;

use crate::connection::shown;
use crate::failure::Failure;

type Query = dyn Fn(&ListCall) -> Vec<(String, String)> + Send + Sync;

/// The query parameters of a list call, as the user says; none said, a plain `GET`, which can ask for
/// a whole list only, and for no version.
#[derive(Clone, Default)]
pub(crate) struct ListQuery(Option<Arc<Query>>);

impl fmt::Debug for ListQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ListQuery").field(&self.0.is_some()).finish()
    }
}

impl ListQuery {
    pub(crate) fn new(
        query: impl Fn(&ListCall) -> Vec<(String, String)> + Send + Sync + 'static,
    ) -> Self {
        Self(Some(Arc::new(query)))
    }

    /// Whether the user has said how lists are asked for.
    pub(crate) fn is_said(&self) -> bool {
        self.0.is_some()
    }

    /// The URL of a list call. A limit may be passed over: it asks for no more than that.
    pub(crate) fn in_url(&self, url: &Url, call: &ListCall) -> Result<Url, Failure> {
        let mut url = url.clone();
        if let Some(query) = &self.0 {
            let pairs = query(call);
            if !pairs.is_empty() {
                url.query_pairs_mut().extend_pairs(pairs);
            }
            return Ok(url);
        }
        let cannot = |what: String, instead: &str| Failure::CannotAsk {
            url: shown(&url),
            problem: format!("{what}: say by `listing` how it is asked for, or {instead}"),
        };
        if call.continue_token.is_some() {
            let what = "the list goes on, and nothing says how its next chunk is asked for";
            return Err(cannot(what.into(), "read no continue token from it"));
        }
        // `0` takes any version.
        if let Some(version) = call.not_older_than.as_ref().filter(|v| *v != "0") {
            let what = format!("the list must not be older than version {version}");
            return Err(cannot(
                what,
                "by `listing(|_| Vec::new())` that any list will do, or resume by Sequence or from \
                 Nowhere",
            ));
        }
        Ok(url)
    }
}
