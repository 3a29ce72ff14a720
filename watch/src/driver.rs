//! Runs a watch session: makes its calls, applies its events, and tells a reader what changed.

use std::time::Duration;

use bytes::Bytes;
use resourcecache::{
    CallId, Resource, ResourceCache, Resume, Revision, Timestamp, WatchAction, WatchFailure,
    WatchPosition, WatchSession,
};
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use crate::adapter::Adapter;
use crate::buffer::Buffer;
use crate::clock::{Clock, SystemClock};
use crate::failure::Failure;
use crate::handle::{Command, Handle};
use crate::health::Health;
use crate::polling::Polling;
use crate::reader::Reader;
use crate::transport::{Incoming, Transport};
use crate::update::Update;
use crate::woken::{Pending, Woken, closed, done, next_command, next_message, room};

/// How many commands wait at most; more wait with their senders.
const COMMANDS: usize = 64;
/// How many messages are taken before others are heard: commands, lists, the reader.
const AT_ONCE: usize = 256;

/// Owns a collection and its watch session, and runs them over an adapter.
///
/// The collection is reached by the [`Handle`], and what changes comes over the channel of
/// [`Update`]s: a reader that is slow finds more in the next one, never more of them.
pub struct Driver<R: Resource> {
    cache: ResourceCache<R>,
    session: WatchSession<R>,
    feed: Box<dyn Adapter>,
    reader: Box<dyn Reader<R>>,
    clock: Box<dyn Clock>,
    listing: Pending<Bytes>,
    opening: Pending<Box<dyn Transport>>,
    stream: Option<(CallId, Buffer)>,
    /// How long the server asked us to wait between streams.
    retry: Option<Duration>,
    /// `None` when every handle is gone, or no reader is left.
    commands: Option<mpsc::Receiver<Command<R>>>,
    polling: Polling,
    updates: Option<mpsc::Sender<Update<R>>>,
    told: Option<Revision>,
    health: watch::Sender<Health>,
}

impl<R: Resource> Driver<R> {
    /// A driver that is to be [`run`](Self::run), the handle to it, and the changes of the
    /// collection: first the whole list as it is.
    pub fn new(
        cache: ResourceCache<R>,
        session: WatchSession<R>,
        feed: impl Adapter + 'static,
        reader: impl Reader<R> + 'static,
    ) -> (Self, Handle<R>, mpsc::Receiver<Update<R>>) {
        let (commands, asked) = mpsc::channel(COMMANDS);
        // One: what the reader has not taken yet is told together with what comes meanwhile.
        let (updates, told) = mpsc::channel(1);
        let (health, seen) = watch::channel(Health::default());
        let driver = Self {
            cache,
            session,
            feed: Box::new(feed),
            reader: Box::new(reader),
            clock: Box::new(SystemClock),
            listing: None,
            opening: None,
            stream: None,
            retry: None,
            commands: Some(asked),
            polling: Polling::default(),
            updates: Some(updates),
            told: None,
            health,
        };
        let handle = Handle {
            commands,
            health: seen,
        };
        (driver, handle, told)
    }

    /// The same by another clock, for tests. Waits are tokio's, which tests can pause.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// The same with another pace of lists that are asked for because something is pending; `None` for
    /// none. Default 30 s.
    ///
    /// The stream decides what is pending, as a rule. When the TTL of an operation is over and it has
    /// not, a list is asked for, and again each time that so much has passed, until one decides. Where
    /// a list ends the stream ([`Resume::Version`](resourcecache::Resume::Version)), so much time is
    /// left to the stream's bookmarks first; and an adapter that cannot ask for a list of a version
    /// ([`Adapter::asks_for_versions`]) goes on with its stream.
    #[must_use]
    pub fn polling_every(mut self, every: impl Into<Option<Duration>>) -> Self {
        self.polling.every = every.into();
        self
    }

    /// Runs until it is shut down, or nobody holds a handle or the updates any more.
    ///
    /// The future may be dropped at any time, and run again: the collection is whole between any
    /// two steps, and the connections go on where they were.
    pub async fn run(&mut self) {
        loop {
            self.act();
            if self.commands.is_none() && self.updates.is_none() {
                break;
            }
            let woken = self.woken().await;
            if self.take(woken) {
                break;
            }
        }
        self.close().await;
    }

    /// The collection, and from where another session could go on.
    pub fn into_parts(self) -> (ResourceCache<R>, Option<WatchPosition>) {
        let position = self.session.position().cloned();
        (self.cache, position)
    }

    /// Does what the session asks for.
    fn act(&mut self) {
        self.poll_list();
        while let Some(action) = self.session.poll(self.clock.now()) {
            match action {
                WatchAction::Apply(event) => {
                    let now = self.clock.now();
                    let applied = self.cache.apply(*event, now);
                    self.session.handle_applied(applied.as_ref(), now);
                    if let Err(error) = applied {
                        self.failed(&error);
                    }
                }
                WatchAction::List(call) => {
                    self.listing = Some((call.call, self.feed.list(&call)));
                }
                WatchAction::Watch(call) => {
                    self.opening = Some((call.call, self.feed.watch(&call)));
                }
                WatchAction::Close(call) => {
                    self.listing.take_if(|(id, _)| *id == call);
                    self.opening.take_if(|(id, _)| *id == call);
                    self.stream.take_if(|(id, _)| *id == call);
                }
            }
        }
        let (state, synced) = (self.session.state(), self.session.is_synced());
        let failure = self.session.failure().map(ToString::to_string);
        self.health.send_if_modified(|health| {
            let changed = (health.state, health.synced) != (state, synced);
            (health.state, health.synced) = (state, synced);
            let news = health.failure != failure && (failure.is_some() || synced);
            if news {
                health.failure = failure;
            }
            changed || news
        });
    }

    /// Has the session list again, where that is of use.
    fn poll_list(&mut self) {
        let now = self.clock.now();
        if !self.polling.is_due(self.cache.poll_timeout(), now) {
            return;
        }
        // Since when: of what has been of use for a while, the collection would say `now`.
        let since = self.cache.next_poll(Timestamp(i64::MIN));
        let lists = self.polling.decide(since, self.ends_stream(), now);
        if lists && self.can_list() && self.session.is_synced() {
            self.session.relist(now);
        }
    }

    /// Whether the stream ends where a list begins.
    fn ends_stream(&self) -> bool {
        self.session.config().resume == Resume::Version
    }

    /// Whether a list can be asked for that takes nothing back of what the stream has told.
    fn can_list(&self) -> bool {
        !self.ends_stream() || self.feed.asks_for_versions()
    }

    /// Waits for one thing.
    async fn woken(&mut self) -> Woken<R> {
        let wake = self.until_due();
        let behind = self.told != Some(self.cache.revision());
        tokio::select! {
            command = next_command(&mut self.commands) => Woken::Asked(command),
            (call, answer) = done(&mut self.listing) => Woken::Listed(call, answer),
            (call, opened) = done(&mut self.opening) => Woken::Opened(call, opened),
            (call, incoming) = next_message(&mut self.stream) => Woken::Heard(call, incoming),
            () = room(self.updates.as_ref()), if behind => Woken::Room,
            () = closed(self.updates.as_ref()) => Woken::Unread,
            () = sleep(wake) => Woken::Due,
        }
    }

    /// Takes what it was woken by; whether it is to end.
    fn take(&mut self, woken: Woken<R>) -> bool {
        match woken {
            Woken::Asked(command) => return self.obey(command),
            Woken::Listed(call, answer) => self.listed(call, answer),
            Woken::Opened(call, opened) => self.opened(call, opened),
            Woken::Heard(call, incoming) => self.heard(call, incoming),
            Woken::Room => self.tell(),
            Woken::Unread => self.updates = None,
            Woken::Due => {
                if let Err(error) = self.cache.handle_timeout(self.clock.now()) {
                    self.failed(&error);
                }
            }
        }
        false
    }

    /// Tells the reader what it has not seen; there is room for it.
    fn tell(&mut self) {
        let Some(updates) = &self.updates else { return };
        if let Ok(room) = updates.try_reserve() {
            let update = Update::since(&self.cache, self.told);
            self.told = Some(update.revision);
            room.send(update);
        }
    }

    /// How long there is nothing to do by itself.
    fn until_due(&self) -> Duration {
        const LONG: Duration = Duration::from_secs(3_600);
        let due = [
            self.session.poll_timeout(),
            self.cache.poll_timeout(),
            self.polling.at(),
        ];
        let due = due.into_iter().flatten().min();
        let Some(due) = due else { return LONG };
        let ms = due.0.saturating_sub(self.clock.now().0);
        Duration::from_millis(ms.max(1).unsigned_abs()).min(LONG)
    }

    fn obey(&mut self, command: Option<Command<R>>) -> bool {
        let now = self.clock.now();
        match command {
            Some(Command::With(act)) => {
                act(&mut self.cache, now);
                self.polling.look_at(now);
            }
            Some(Command::Relist(answer)) => {
                let can = self.can_list();
                if can {
                    self.session.relist(now);
                }
                // Nobody may wait for it any more.
                let _ = answer.send(can);
            }
            Some(Command::SetOnline(online)) => {
                self.session.set_online(online, now);
                if let Err(error) = self.cache.set_online(online, now) {
                    self.failed(&error);
                }
            }
            Some(Command::Shutdown) => return true,
            None => self.commands = None,
        }
        false
    }

    fn listed(&mut self, call: CallId, answer: Result<Bytes, Failure>) {
        let now = self.clock.now();
        match answer {
            Ok(bytes) => {
                self.health.send_modify(|health| health.lists += 1);
                let read = self.reader.list(&bytes);
                if let Err(error) = self.session.handle_list(call, read, now) {
                    self.failed(&error);
                }
            }
            Err(failure) => self.broke(call, &failure),
        }
    }

    fn opened(&mut self, call: CallId, opened: Result<Box<dyn Transport>, Failure>) {
        match opened {
            Ok(transport) => {
                self.health.send_modify(|health| health.streams += 1);
                self.stream = Some((call, Buffer::new(transport, &self.feed.limits())));
                self.session.handle_opened(call, self.clock.now());
            }
            Err(failure) => self.broke(call, &failure),
        }
    }

    /// Takes what a stream brings, and what waits behind it.
    fn heard(&mut self, call: CallId, first: Option<Result<Incoming, Failure>>) {
        let mut next = Some(first);
        let mut messages = 0;
        while let Some(incoming) = next {
            match incoming {
                Some(Ok(Incoming::Message(bytes))) => {
                    messages += 1;
                    let read = self.reader.message(&bytes);
                    let now = self.clock.now();
                    if let Err(error) = self.session.handle_message(call, read, now) {
                        self.failed(&error);
                    }
                    self.act();
                }
                Some(Ok(Incoming::Retry(after))) => self.retry = Some(after),
                Some(Err(failure)) => self.broke(call, &failure),
                None => self.ended(call),
            }
            let stream = self.stream.as_mut().filter(|(id, _)| *id == call);
            let more = messages < AT_ONCE;
            next = stream
                .filter(|_| more)
                .and_then(|(_, s)| s.try_next().map(Some));
        }
        self.health
            .send_modify(|health| health.messages += messages as u64);
    }

    /// The stream has ended as streams end.
    fn ended(&mut self, call: CallId) {
        self.stream = None;
        let now = self.clock.now();
        match self.retry {
            None => self.session.handle_closed(call, now),
            Some(after) => {
                let ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
                let ended = WatchFailure::network("the server ended the stream");
                self.session
                    .handle_failed(call, ended.with_retry_after(ms), now);
            }
        }
    }

    /// A call or a stream broke.
    fn broke(&mut self, call: CallId, failure: &Failure) {
        self.stream.take_if(|(id, _)| *id == call);
        let mut told = failure.to_session();
        let asked = self.retry.filter(|_| told.retry_after_ms.is_none());
        if let Some(after) = asked {
            told.retry_after_ms = u64::try_from(after.as_millis()).ok();
        }
        self.session.handle_failed(call, told, self.clock.now());
        self.failed(failure);
    }

    fn failed(&mut self, error: &dyn std::error::Error) {
        self.health.send_modify(|health| {
            health.failures += 1;
            health.failure = Some(error.to_string());
        });
    }

    /// Says goodbye to the server.
    async fn close(&mut self) {
        (self.listing, self.opening) = (None, None);
        if let Some((call, stream)) = self.stream.take() {
            let ended = WatchFailure::network("the watch was shut down");
            let now: Timestamp = self.clock.now();
            self.session.handle_failed(call, ended, now);
            stream.close().await;
        }
    }
}
