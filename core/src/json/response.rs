//! A response that is merged as it is read.

use crate::JsonCache;
use crate::changes::Applied;
use crate::error::Error;
use crate::event::Coverage;
use crate::ids::{FetchToken, Timestamp};
use crate::json::schema::Schema;
use crate::merge::Asked;

/// The bytes of a list call's answer, and what they cover. Made by
/// [`Schema::response`](crate::json::Schema::response).
#[derive(Clone, Debug)]
pub struct Response<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) bytes: &'a [u8],
    pub(crate) asked: Asked,
}

impl Response<'_> {
    /// The same, of a part only.
    #[must_use]
    pub fn covering(mut self, coverage: Coverage) -> Self {
        self.asked.coverage = coverage;
        self
    }

    /// The same, for the call that this token was taken for.
    #[must_use]
    pub fn with_token(mut self, token: FetchToken) -> Self {
        self.asked.token = Some(token);
        self
    }
}

impl JsonCache {
    /// Takes the answer of a list call from its bytes. It leads to the same as
    /// [`merge`](Self::merge) of its [`snapshot`](Schema::snapshot), and is much faster: an item
    /// whose bytes are as they were is passed over by comparing them, and only what differs is
    /// read, checked and copied. The bytes are not needed afterwards.
    ///
    /// ```
    /// use resourcecache::{Config, JsonCache, Timestamp, json::Schema};
    /// let schema = Schema::default();
    /// let mut cache = JsonCache::new(Config::default());
    /// cache.merge_response(schema.response(br#"[{"id":"a","n":1}]"#), Timestamp(0))?;
    /// let merged = cache.merge_response(schema.response(br#"[{"id":"a","n":2}]"#), Timestamp(1))?;
    /// assert_eq!(merged.changes.upserted[0].id, "a");
    /// # Ok::<(), resourcecache::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::BadSnapshot`] for anything but valid JSON with an array in the list's place, and
    /// for items that are no resources, unless the config says to skip them. Nothing is changed
    /// then.
    pub fn merge_response(
        &mut self,
        response: Response<'_>,
        now: Timestamp,
    ) -> Result<Applied, Error> {
        let Response {
            schema,
            bytes,
            asked,
        } = response;
        schema.read_list(bytes, |split| self.merge_source(split, &asked, now))
    }
}
