//! A client of the naive server: a session, its collection, and a network that does as the test says.

use resourcecache::json::{Feed, JsonResource, Schema};
use resourcecache::{
    CallId, Config, Initial, JsonCache, ListCall, Resume, Timestamp, VersionOrder, WatchAction,
    WatchCall, WatchConfig, WatchFailure, WatchSession,
};

use crate::server::Server;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mode {
    /// Kubernetes: lists in chunks, then a stream from their version.
    Lists,
    /// Kubernetes: a stream that begins with all there is.
    InitialEvents,
    /// A feed that counts its messages, and goes on from a number.
    Numbered,
    /// A feed that counts its messages, and goes on from nowhere.
    Nowhere,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Put { id: u8, value: u8 },
    Delete { id: u8 },
    Compact { keep: u8 },
    Tell { count: u8 },
    Bookmark,
    Repeat,
    Skip,
    Garble,
    Cut,
    End,
    Refuse,
    Answer { fresh: u8 },
    LoseList,
    Late,
    Wait { much: u8 },
    Online { online: bool },
    Relist,
    Restart,
    MarkDeleting { id: u8 },
    Edit { id: u8 },
}

/// A stream as the server sees it.
struct Stream {
    call: CallId,
    /// All up to this revision is told.
    told: u64,
    /// The initial events that are still to be told, and the revision of their end.
    initial: Option<(Vec<String>, u64)>,
}

pub(crate) struct Client {
    mode: Mode,
    schema: Schema,
    feed: Feed,
    pub(crate) server: Server,
    cache: JsonCache,
    session: WatchSession<JsonResource>,
    config: WatchConfig,
    seed: u64,
    now: i64,
    /// The list that is asked for, and the server's revision at that time.
    list: Option<(ListCall, u64)>,
    stream: Option<Stream>,
    /// The last message, and calls that are over.
    last: Option<String>,
    old: Vec<CallId>,
    /// The user has asked for something.
    marked: bool,
}

impl Client {
    pub(crate) fn new(mode: Mode, versioned: bool, seed: u64) -> Self {
        let mut config = match mode {
            Mode::Lists | Mode::InitialEvents => WatchConfig::kubernetes(),
            Mode::Numbered | Mode::Nowhere => WatchConfig::feed(),
        };
        config.limit = Some(2);
        config.idle_after_ms = Some(45_000);
        match mode {
            Mode::InitialEvents => config.initial = Initial::Stream,
            Mode::Numbered => config.resume = Resume::Sequence,
            _ => {}
        }
        let feed = r#"{"word":"/type","resource":"/object","id":"/name","sequence":"/n"}"#;
        let mut cache = Config::default();
        cache.version_order = VersionOrder::Integer;
        // Kubernetes' objects have versions always.
        let versioned = versioned || matches!(mode, Mode::Lists | Mode::InitialEvents);
        Self {
            mode,
            schema: Schema::kubernetes(),
            feed: serde_json::from_str(feed).unwrap(),
            server: Server {
                versioned,
                ..Server::default()
            },
            cache: JsonCache::new(cache),
            session: WatchSession::new(config.clone(), seed),
            config,
            seed,
            now: 0,
            list: None,
            stream: None,
            last: None,
            old: Vec::new(),
            marked: false,
        }
    }

    fn at(&self) -> Timestamp {
        Timestamp(self.now)
    }

    pub(crate) fn play(&mut self, step: Step) {
        self.drive();
        let name = |id: u8| format!("r{id}");
        match step {
            Step::Put { id, value } => self.server.change(&name(id), Some(value)),
            Step::Delete { id } => self.server.change(&name(id), None),
            Step::Compact { keep } => self.server.compact(keep.into()),
            Step::Tell { count } => (0..count).for_each(|_| self.tell()),
            Step::Bookmark => self.bookmark(),
            Step::Repeat => self.repeat(),
            Step::Skip => self.skip(),
            Step::Garble => self.garble(),
            Step::Cut => self.end_stream(Some(WatchFailure::network("cut"))),
            Step::Refuse => self.end_stream(Some(WatchFailure::status(403, "not now"))),
            Step::End => self.end_stream(None),
            Step::Answer { fresh } => self.answer(fresh.into()),
            Step::LoseList => {
                if let Some((list, _)) = self.list.take() {
                    let lost = WatchFailure::status(503, "not now");
                    self.session.handle_failed(list.call, lost, self.at());
                }
            }
            Step::Late => self.late(),
            Step::Wait { much } => self.now += [10, 900, 20_000, 70_000][usize::from(much)],
            Step::Online { online } => self.session.set_online(online, self.at()),
            Step::Relist => self.session.relist(self.at()),
            Step::Restart => self.restart(),
            Step::MarkDeleting { id } => {
                self.marked = true;
                let _ = self.cache.mark_as_deleting(name(id), None, self.at());
            }
            Step::Edit { id } => {
                self.marked = true;
                let patch = self.schema.merge_patch(br#"{"value":9}"#).unwrap();
                let _ = self.cache.mark_as_updating(name(id), patch, self.at());
            }
        }
        self.drive();
    }

    /// Does what the session asks for.
    fn drive(&mut self) {
        let now = self.at();
        let mut steps = 0;
        while let Some(action) = self.session.poll(now) {
            steps += 1;
            assert!(steps < 1_000, "it asks for ever");
            match action {
                WatchAction::Apply(event) => {
                    let applied = self.cache.apply(*event, now);
                    self.session.handle_applied(applied.as_ref(), now);
                }
                WatchAction::List(list) => {
                    assert!(self.list.is_none(), "two lists at a time");
                    self.list = Some((list, self.server.revision()));
                }
                WatchAction::Watch(watch) => self.open(&watch),
                WatchAction::Close(call) => self.close(call),
            }
        }
    }

    fn close(&mut self, call: CallId) {
        self.old.push(call);
        if self
            .list
            .as_ref()
            .is_some_and(|(list, _)| list.call == call)
        {
            self.list = None;
        }
        if self.stream.as_ref().is_some_and(|s| s.call == call) {
            self.stream = None;
        }
    }

    fn open(&mut self, watch: &WatchCall) {
        assert!(self.stream.is_none(), "two streams at a time");
        let from = watch.version.as_ref().map(|v| v.parse().unwrap());
        let from = from.or(watch.sequence);
        let revision = self.server.revision();
        let now = self.at();
        if watch.initial_events {
            let all = self.server.at(revision);
            let event = |(id, (value, revision)): (&String, &(u8, u64))| {
                let body = self.server.body(id, *value, *revision);
                format!(r#"{{"type":"ADDED","object":{body}}}"#)
            };
            self.stream = Some(Stream {
                call: watch.call,
                told: revision,
                initial: Some((all.iter().map(event).collect(), revision)),
            });
        } else if from.is_some_and(|from| from < self.server.compacted) {
            let gone = WatchFailure::status(410, "compacted");
            self.session.handle_failed(watch.call, gone, now);
            return;
        } else {
            self.stream = Some(Stream {
                call: watch.call,
                told: from.unwrap_or(revision),
                initial: None,
            });
        }
        self.session.handle_opened(watch.call, now);
        if matches!(self.mode, Mode::Numbered | Mode::Nowhere) {
            // Before a number is known, nobody can know what is lost.
            let told = from.unwrap_or(revision);
            let hello = format!(r#"{{"type":"heartbeat","n":{told}}}"#);
            let message = self.feed.message(&self.schema, hello.as_bytes());
            self.session
                .handle_message(watch.call, message, now)
                .unwrap();
        }
    }

    fn hand_in(&mut self, text: &str) {
        let Some(call) = self.stream.as_ref().map(|s| s.call) else {
            return;
        };
        let message = match self.mode {
            Mode::Lists | Mode::InitialEvents => self.schema.watch_message(text.as_bytes()),
            Mode::Numbered | Mode::Nowhere => self.feed.message(&self.schema, text.as_bytes()),
        };
        let _ = self.session.handle_message(call, message, self.at());
        self.drive();
    }

    /// The next message of the stream.
    fn tell(&mut self) {
        let Some(text) = self.next_message() else {
            return;
        };
        self.last = Some(text.clone());
        self.hand_in(&text);
    }

    fn next_message(&mut self) -> Option<String> {
        let stream = self.stream.as_mut()?;
        if let Some((events, end)) = &mut stream.initial {
            if !events.is_empty() {
                return Some(events.remove(0));
            }
            let end = *end;
            stream.initial = None;
            return Some(format!(
                r#"{{"type":"BOOKMARK","object":{{"metadata":{{"resourceVersion":"{end}",
                   "annotations":{{"k8s.io/initial-events-end":"true"}}}}}}}}"#
            ));
        }
        if stream.told >= self.server.revision() {
            return None;
        }
        stream.told += 1;
        let number = stream.told;
        let changed = self.server.changed(number);
        let feed = matches!(self.mode, Mode::Numbered | Mode::Nowhere);
        let (word, body) = match (changed.value, changed.was) {
            (Some(value), false) => ("ADDED", self.server.body(&changed.id, value, number)),
            (Some(value), true) => ("MODIFIED", self.server.body(&changed.id, value, number)),
            (None, _) => ("DELETED", self.server.body(&changed.id, 0, number)),
        };
        Some(match (feed, changed.value) {
            (false, _) => format!(r#"{{"type":"{word}","object":{body}}}"#),
            (true, None) => {
                format!(
                    r#"{{"type":"deleted","n":{number},"name":"{}"}}"#,
                    changed.id
                )
            }
            (true, Some(_)) => {
                let word = word.to_lowercase();
                format!(r#"{{"type":"{word}","n":{number},"object":{body}}}"#)
            }
        })
    }

    fn bookmark(&mut self) {
        let initial = self.stream.as_ref().is_none_or(|s| s.initial.is_some());
        let told = self.stream.as_ref().map_or(0, |s| s.told);
        match self.mode {
            Mode::Lists | Mode::InitialEvents if !initial => self.hand_in(&format!(
                r#"{{"type":"BOOKMARK","object":{{"metadata":{{"resourceVersion":"{told}"}}}}}}"#
            )),
            _ => {}
        }
    }

    /// The last message of the same stream once more.
    fn repeat(&mut self) {
        let Some(text) = self.last.clone() else {
            return;
        };
        // A stream that starts from nowhere has not numbered what it did not tell.
        let known = self.stream.as_ref().is_some_and(|s| s.initial.is_none());
        if known && !text.contains("initial-events-end") {
            self.hand_in(&text);
        }
    }

    /// A message is lost on the way: only numbers tell.
    fn skip(&mut self) {
        if matches!(self.mode, Mode::Numbered | Mode::Nowhere) {
            let _ = self.next_message();
        }
    }

    fn garble(&mut self) {
        // What cannot be read stands for a message that matters.
        let initial = self.stream.as_ref().is_some_and(|s| s.initial.is_some());
        if !initial && self.next_message().is_some() {
            self.hand_in(r#"{"type":"ADDED","n":"#);
        }
    }

    fn end_stream(&mut self, failure: Option<WatchFailure>) {
        let Some(stream) = self.stream.take() else {
            return;
        };
        self.old.push(stream.call);
        self.last = None;
        match failure {
            Some(failure) => self.session.handle_failed(stream.call, failure, self.at()),
            None => self.session.handle_closed(stream.call, self.at()),
        }
    }

    /// Answers the list from a replica that is as new as it must be, and perhaps newer.
    fn answer(&mut self, fresh: u64) {
        let Some((list, asked)) = self.list.take() else {
            return;
        };
        let now = self.at();
        let (revision, after) = match &list.continue_token {
            Some(token) => {
                let (revision, after) = token.split_once(':').unwrap();
                (revision.parse().unwrap(), Some(after))
            }
            None => {
                let least = list.not_older_than.as_ref().map(|v| v.parse().unwrap());
                let least = least.unwrap_or(asked).max(self.server.compacted);
                ((least + fresh).min(self.server.revision()).max(least), None)
            }
        };
        if revision < self.server.compacted {
            let gone = WatchFailure::status(410, "the token is too old");
            self.session.handle_failed(list.call, gone, now);
            return;
        }
        let text = self.server.list(revision, after, list.limit);
        let schema = self.schema.clone();
        let response = self
            .session
            .handle_response(list.call, &schema, text.as_bytes(), now);
        if let Some(response) = response.unwrap() {
            let merged = self.cache.merge_response(response, now);
            self.session.handle_applied(merged.as_ref(), now);
        }
    }

    /// What comes of calls that are over changes nothing.
    fn late(&mut self) {
        let now = self.at();
        for call in self.old.clone() {
            let before = self.session.position().cloned();
            let body = self.server.body("late", 7, 1_000);
            let text = format!(r#"{{"type":"ADDED","object":{body}}}"#);
            let message = self.schema.watch_message(text.as_bytes());
            self.session.handle_message(call, message, now).unwrap();
            self.session
                .handle_failed(call, WatchFailure::status(410, "late"), now);
            self.session.handle_closed(call, now);
            let answer = self.schema.list_answer(br#"{"items":[]}"#);
            self.session.handle_list(call, answer, now).unwrap();
            assert_eq!(self.session.position(), before.as_ref());
        }
    }

    /// The state and the position are saved, and another process goes on.
    fn restart(&mut self) {
        let saved = self
            .session
            .position()
            .map(|p| serde_json::to_string(p).unwrap());
        self.seed += 1;
        let config = self.config.clone();
        self.session = match saved {
            None => WatchSession::new(config, self.seed),
            Some(saved) => {
                let position = serde_json::from_str(&saved).unwrap();
                WatchSession::resume(config, self.seed, position)
            }
        };
        self.list = None;
        self.stream = None;
        self.last = None;
        self.old.clear();
    }

    /// Whatever happened: it has something to wait for, and says that it is right only when it is.
    pub(crate) fn check(&self) {
        let waits = self.list.is_some() || self.stream.is_some();
        let offline = self.session.state() == resourcecache::WatchState::Offline;
        assert!(
            waits || offline || self.session.poll_timeout().is_some(),
            "it hangs"
        );
    }

    /// Nothing changes any more, and all is answered and told.
    pub(crate) fn rest(&mut self) {
        self.session.set_online(true, self.at());
        self.server.change("last", Some(1));
        for round in 0..120 {
            for _ in 0..30 {
                self.drive();
                self.answer(100);
                self.tell();
            }
            if let Some(stream) = &self.stream {
                self.session.handle_heard(stream.call, self.at());
            }
            // The guards of what was pending are over by then; another list decides. Where nothing
            // was, no list hides what the stream did.
            if round == 80 && self.marked {
                self.session.relist(self.at());
            }
            self.now += 10_000;
        }
        assert!(self.session.is_synced());
    }

    pub(crate) fn shown(&self) -> Vec<String> {
        let mut shown: Vec<String> = self
            .cache
            .visible()
            .map(|item| item.body().body().to_string())
            .collect();
        shown.sort();
        shown
    }
}
