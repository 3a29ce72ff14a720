//! What a watch session does with streams and their messages.

use crate::error::Error;
use crate::event::{Coverage, Event, Snapshot, WatchEvent};
use crate::ids::{FetchToken, Timestamp};
use crate::resource::Resource;
use crate::watch_action::{CallId, WatchAction, WatchCall};
use crate::watch_config::{BadMessages, Resume};
use crate::watch_failure::WatchFailure;
use crate::watch_initial::Told;
use crate::watch_message::{StreamEvent, WatchMessage};
use crate::watch_position::WatchPosition;
use crate::watch_session::{Purpose, Step, Stream, WatchSession};

impl<R: Resource> WatchSession<R> {
    /// The stream is open: the server has answered, and tells what happens from now on.
    pub fn handle_opened(&mut self, call: CallId, now: Timestamp) {
        self.advance(now);
        let (clock, awaits) = (self.clock, self.config.awaits_ready);
        let Some(stream) = self.stream_of(call) else {
            return;
        };
        let opens = !std::mem::replace(&mut stream.open, true);
        stream.heard = clock;
        stream.ready |= !awaits;
        if opens {
            self.pace.succeed(clock);
        }
    }

    /// Something was heard of the stream that is no message, such as the answer to a ping.
    pub fn handle_heard(&mut self, call: CallId, now: Timestamp) {
        self.advance(now);
        let clock = self.clock;
        if let Some(stream) = self.stream_of(call) {
            stream.heard = clock;
        }
    }

    /// Takes a message of a stream, or that it could not be read.
    ///
    /// # Errors
    ///
    /// The one that was handed in, for the driver to tell: what it leads to is the config's
    /// [`bad_messages`](crate::WatchConfig::bad_messages).
    pub fn handle_message(
        &mut self,
        call: CallId,
        message: Result<WatchMessage<R>, Error>,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.handle_opened(call, now);
        if self.stream_of(call).is_none() {
            return Ok(());
        }
        if self.queue.len() >= self.config.max_waiting {
            self.overflow();
            return Ok(());
        }
        match message {
            Ok(message) => self.take_message(message),
            Err(error) => {
                self.unreadable(&error);
                return Err(error);
            }
        }
        Ok(())
    }

    /// A call failed: a list was not answered, a stream was refused or broke.
    pub fn handle_failed(&mut self, call: CallId, failure: WatchFailure, now: Timestamp) {
        self.advance(now);
        if self.listing(call).is_some() {
            self.list_failed(failure);
        } else if self.stream_of(call).is_some() {
            self.stream_failed(failure);
        }
    }

    /// The server ended the stream in the way that streams end.
    pub fn handle_closed(&mut self, call: CallId, now: Timestamp) {
        self.advance(now);
        let Some(stream) = self.stream_of(call) else {
            return;
        };
        let initial = stream.initial.is_some();
        let healthy = self.pace.is_healthy(self.clock, &self.config);
        let ended = WatchFailure::network("the server ended the stream");
        if healthy && !initial {
            self.stream_gone();
            self.pace.reset();
        } else {
            self.stream_failed(ended);
        }
    }

    pub(crate) fn stream_of(&mut self, call: CallId) -> Option<&mut Stream<R>> {
        self.stream.as_mut().filter(|s| s.call == Some(call))
    }

    /// Asks for the stream, which is to begin with all there is if there is a `told` for it.
    pub(crate) fn ask_for_stream(&mut self, told: Option<Told<R>>) {
        let call = self.next_call();
        let initial = told.is_some();
        let by = |resume: Resume| self.config.resume == resume;
        let watch = WatchCall {
            call,
            version: match initial {
                true => self.version_to_ask(),
                false => self.position.version.clone(),
            }
            .filter(|_| by(Resume::Version)),
            sequence: self.position.sequence.filter(|_| by(Resume::Sequence)),
            bookmarks: self.config.bookmarks,
            initial_events: initial,
        };
        let clock = self.clock;
        if let Some(stream) = &mut self.stream {
            (stream.call, stream.initial) = (Some(call), told);
            (stream.heard, stream.asked) = (clock, clock);
        }
        self.act(WatchAction::Watch(watch));
    }

    fn take_message(&mut self, message: WatchMessage<R>) {
        let Some(stream) = &mut self.stream else {
            return;
        };
        if let Some(number) = message.sequence {
            let last = stream.sequence;
            if last.is_some_and(|last| number <= last) {
                // A stream that goes on says so under the number from which it does.
                let ready = |event: &StreamEvent<R>| matches!(event, StreamEvent::Ready);
                stream.ready |= message.events.iter().any(ready);
                return;
            }
            stream.sequence = Some(number);
            if last.is_some_and(|last| number - last > 1) {
                self.want_list();
            }
        }
        let mut version = None;
        for event in message.events {
            if self.stream.is_none() {
                return; // it could not go on
            }
            if let StreamEvent::Observe(event) = &event {
                version = version_of(event).or(version);
            }
            self.take_event(event, message.version.as_deref());
        }
        let Some(stream) = &self.stream else { return };
        if stream.initial.is_none() {
            let reached = WatchPosition {
                version: message.version.or(version),
                sequence: stream.sequence,
            };
            self.reached(reached);
        }
    }

    /// The position is this, once all before it is applied.
    fn reached(&mut self, position: WatchPosition) {
        let named = position.version.filter(|version| !version.is_empty());
        // What was told last, applied or not yet.
        let last = self.queue.iter().rev().find_map(|step| match step {
            Step::Reached(position) => Some(position),
            _ => None,
        });
        let last = last.unwrap_or(&self.position);
        let position = WatchPosition {
            version: named.or_else(|| last.version.clone()),
            sequence: position.sequence.or(last.sequence),
        };
        if position != *last {
            self.queue.push_back(Step::Reached(position));
        }
    }

    fn take_event(&mut self, event: StreamEvent<R>, version: Option<&str>) {
        match event {
            StreamEvent::Observe(WatchEvent::Expired) => {
                self.fail_stream(WatchFailure::status(410, "the stream cannot go on"));
            }
            StreamEvent::Failed(failure) => self.fail_stream(failure),
            StreamEvent::Observe(event) => self.observe(event),
            StreamEvent::Snapshot(snapshot) => {
                let told = self.stream.as_mut().and_then(|s| s.initial.take());
                let token = snapshot.token.or(told.and_then(|told| told.token));
                let list_version = snapshot.list_version.clone();
                self.all_is_told(Snapshot {
                    token,
                    list_version: list_version.or(version.map(Into::into)),
                    ..snapshot
                });
            }
            StreamEvent::InitialEnd => {
                if let Some(told) = self.stream.as_mut().and_then(|s| s.initial.take()) {
                    self.all_is_told(Snapshot {
                        token: told.token,
                        list_version: version.map(Into::into),
                        ..Snapshot::complete(told.into_items())
                    });
                }
            }
            StreamEvent::Touched => self.want_list(),
            StreamEvent::Ready => {
                if let Some(stream) = &mut self.stream {
                    stream.ready = true;
                }
            }
        }
    }

    fn observe(&mut self, event: WatchEvent<R>) {
        let initial = self.stream.as_mut().and_then(|s| s.initial.as_mut());
        let event = match initial {
            Some(told) => told.take(event),
            None => Some(event),
        };
        if let Some(event) = event {
            self.apply(Event::Observe(event), Purpose::Observation);
        }
    }

    fn all_is_told(&mut self, snapshot: Snapshot<R>) {
        debug_assert_eq!(snapshot.coverage, Coverage::Complete);
        self.needs_list = false;
        self.next_list.fresh = false;
        self.apply(Event::Merge(snapshot), Purpose::Initial);
    }

    /// Ends a stream that told why it cannot go on.
    fn fail_stream(&mut self, failure: WatchFailure) {
        if let Some(call) = self.stream.as_ref().and_then(|s| s.call) {
            self.act(WatchAction::Close(call));
        }
        self.stream_failed(failure);
    }

    /// The stream is at its end: whether another can go on where it stopped.
    fn stream_gone(&mut self) {
        self.stream = None;
        self.needs_list |= match self.config.resume {
            Resume::Version => false,
            Resume::Sequence => self.position.sequence.is_none(),
            Resume::Nowhere => true,
        };
    }

    /// The stream was refused, or broke.
    pub(crate) fn stream_failed(&mut self, failure: WatchFailure) {
        let Some(stream) = &self.stream else { return };
        let initial = stream.initial.is_some();
        self.stream_gone();
        let (expired, ahead) = (failure.is_expired(), failure.is_ahead());
        if expired || ahead {
            // A list that is no older than what is held is asked for first, and the newest only
            // when that is refused.
            self.next_list.fresh |= ahead || initial;
            if self.config.resume == Resume::Sequence {
                self.position.sequence = None;
            }
            if !self.needs_list {
                self.apply(Event::Observe(WatchEvent::Expired), Purpose::Observation);
            }
            self.needs_list = true;
            self.pace.end(failure, self.clock, &self.config);
        } else if initial && failure.is_refused() {
            self.initial_refused = true;
            self.pace.end(failure, self.clock, &self.config);
        } else {
            self.needs_list |= failure.is_refused();
            self.pace.fail(failure, self.clock, &self.config);
        }
    }

    /// Something was missed: lists as soon as may be, and until then goes on as far as that is right.
    pub(crate) fn want_list(&mut self) {
        self.needs_list = true;
        if self.config.resume == Resume::Version || self.streams_initial() {
            self.close_stream();
        }
    }

    /// Ends the stream, which did nothing wrong.
    pub(crate) fn close_stream(&mut self) {
        let Some(stream) = &self.stream else { return };
        if let Some(call) = stream.call {
            self.close(call);
        }
        self.stream_gone();
        self.queue
            .retain(|step| !matches!(step, Step::Apply(_, Purpose::StreamToken)));
    }

    /// Nobody takes what is told fast enough: it is dropped, and a list tells it all at once.
    fn overflow(&mut self) {
        let most = self.config.max_waiting;
        self.close_list();
        let call = self.stream.as_ref().and_then(|s| s.call);
        self.queue.retain(|step| matches!(step, Step::Act(_)));
        if let Some(call) = call {
            self.act(WatchAction::Close(call));
        }
        self.stream_gone();
        self.needs_list = true;
        let failure = WatchFailure::network(format!("{most} events waited to be applied"));
        self.pace.fail(failure, self.clock, &self.config);
    }

    fn unreadable(&mut self, error: &Error) {
        if self.config.bad_messages == BadMessages::Skip {
            return;
        }
        let closes = self.config.resume == Resume::Version || self.streams_initial();
        self.want_list();
        if closes {
            let failure = WatchFailure::network(error.to_string());
            self.pace.end(failure, self.clock, &self.config);
        }
    }

    pub(crate) fn applied(&mut self, purpose: Purpose, token: Option<FetchToken>) {
        match purpose {
            Purpose::ListToken => self.list_token_taken(token),
            Purpose::StreamToken if self.stream.is_some() => {
                self.ask_for_stream(Some(Told::new(token)));
            }
            Purpose::List(version) => self.list_merged(version),
            Purpose::Initial | Purpose::StreamToken | Purpose::Observation => {}
        }
    }

    pub(crate) fn refused(&mut self, purpose: Purpose, error: &Error) {
        let failure = WatchFailure::network(error.to_string());
        match purpose {
            Purpose::ListToken | Purpose::List(_) => self.list_failed(failure),
            Purpose::StreamToken | Purpose::Initial => {
                self.needs_list = true;
                self.fail_stream(failure);
            }
            Purpose::Observation => self.unreadable(error),
        }
    }
}

/// The version of what an event tells.
fn version_of<R: Resource>(event: &WatchEvent<R>) -> Option<String> {
    match event {
        WatchEvent::Added(item) | WatchEvent::Modified(item) | WatchEvent::Deleted(item) => {
            item.version().map(Into::into)
        }
        WatchEvent::DeletedId { version, .. } | WatchEvent::Bookmark { version } => version.clone(),
        WatchEvent::Failed { .. } | WatchEvent::Expired => None,
    }
}
