//! A session with a collection, and a driver that applies what is to be applied.

use resourcecache::json::{Feed, JsonResource, Schema};
use resourcecache::{
    CallId, Config, Error, JsonCache, ListCall, Timestamp, VersionOrder, WatchAction, WatchCall,
    WatchConfig, WatchFailure, WatchSession,
};

pub(crate) struct Driven {
    pub(crate) cache: JsonCache,
    pub(crate) session: WatchSession<JsonResource>,
    pub(crate) schema: Schema,
    pub(crate) now: i64,
}

impl Driven {
    pub(crate) fn new(config: WatchConfig) -> Self {
        Self::with(WatchSession::new(config, 1))
    }

    pub(crate) fn with(session: WatchSession<JsonResource>) -> Self {
        let mut config = Config::default();
        config.version_order = VersionOrder::Integer;
        Self {
            cache: JsonCache::new(config),
            session,
            schema: Schema::kubernetes(),
            now: 0,
        }
    }

    /// One that has listed `names`, each of its own version from 1 on, and watches from version 10.
    pub(crate) fn watching(config: WatchConfig, names: &[&str]) -> (Self, CallId) {
        let mut driven = Self::new(config);
        let list = driven.list();
        driven.answer(list.call, &chunk(names, "10", ""));
        let watch = driven.watch();
        driven.session.handle_opened(watch.call, driven.at());
        (driven, watch.call)
    }

    pub(crate) fn at(&self) -> Timestamp {
        Timestamp(self.now)
    }

    /// The next thing that is asked for, when all that is to be applied is.
    pub(crate) fn next(&mut self) -> Option<WatchAction<JsonResource>> {
        let now = self.at();
        loop {
            match self.session.poll(now)? {
                WatchAction::Apply(event) => {
                    let applied = self.cache.apply(*event, now);
                    self.session.handle_applied(applied.as_ref(), now);
                }
                other => return Some(other),
            }
        }
    }

    pub(crate) fn list(&mut self) -> ListCall {
        match self.next() {
            Some(WatchAction::List(list)) => list,
            other => panic!("not a list: {other:?}"),
        }
    }

    pub(crate) fn watch(&mut self) -> WatchCall {
        match self.next() {
            Some(WatchAction::Watch(watch)) => watch,
            other => panic!("not a stream: {other:?}"),
        }
    }

    pub(crate) fn closes(&mut self, call: CallId) {
        assert_eq!(self.next(), Some(WatchAction::Close(call)));
    }

    pub(crate) fn nothing(&mut self) {
        assert_eq!(self.next(), None);
    }

    /// Lets the time come for which the session waits.
    pub(crate) fn wait(&mut self) -> i64 {
        let at = self.session.poll_timeout().expect("it waits for nothing").0;
        let waited = at - self.now;
        self.now = at;
        waited
    }

    pub(crate) fn answer(&mut self, call: CallId, list: &str) {
        let answer = self.schema.list_answer(list.as_bytes());
        self.session.handle_list(call, answer, self.at()).unwrap();
    }

    pub(crate) fn tell(&mut self, call: CallId, message: &str) -> Result<(), Error> {
        let message = self.schema.watch_message(message.as_bytes());
        self.session.handle_message(call, message, self.at())
    }

    pub(crate) fn feed(&mut self, call: CallId, feed: &Feed, message: &str) -> Result<(), Error> {
        let message = feed.message(&self.schema, message.as_bytes());
        self.session.handle_message(call, message, self.at())
    }

    pub(crate) fn fail(&mut self, call: CallId, status: u16) {
        let failure = WatchFailure::status(status, "no");
        self.session.handle_failed(call, failure, self.at());
    }

    pub(crate) fn cut(&mut self, call: CallId) {
        let failure = WatchFailure::network("connection reset");
        self.session.handle_failed(call, failure, self.at());
    }

    pub(crate) fn shown(&self) -> Vec<String> {
        let shown = self.cache.visible();
        shown.map(|item| item.id().to_string()).collect()
    }

    pub(crate) fn version(&self) -> Option<&str> {
        self.session.position()?.version.as_deref()
    }
}

pub(crate) fn object(name: &str, version: &str) -> String {
    format!(r#"{{"metadata":{{"name":"{name}","resourceVersion":"{version}"}}}}"#)
}

/// A list of `names`, each of its own version from 1 on.
pub(crate) fn chunk(names: &[&str], version: &str, token: &str) -> String {
    let items = names
        .iter()
        .zip(1..)
        .map(|(n, v)| object(n, &format!("{v}")));
    let items: Vec<String> = items.collect();
    let items = items.join(",");
    format!(
        r#"{{"metadata":{{"resourceVersion":"{version}","continue":"{token}"}},"items":[{items}]}}"#
    )
}

pub(crate) fn event(kind: &str, name: &str, version: &str) -> String {
    let object = object(name, version);
    format!(r#"{{"type":"{kind}","object":{object}}}"#)
}

pub(crate) fn initial_end(version: &str) -> String {
    format!(
        r#"{{"type":"BOOKMARK","object":{{"metadata":{{"resourceVersion":"{version}",
           "annotations":{{"k8s.io/initial-events-end":"true"}}}}}}}}"#
    )
}

pub(crate) fn status(code: u16, reason: &str) -> String {
    format!(r#"{{"type":"ERROR","object":{{"kind":"Status","code":{code},"reason":"{reason}"}}}}"#)
}
