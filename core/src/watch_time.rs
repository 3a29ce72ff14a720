//! What a watch session does as time goes by.

use crate::event::Event;
use crate::ids::Timestamp;
use crate::resource::Resource;
use crate::watch_action::{CallId, WatchAction};
use crate::watch_config::{Initial, Resume};
use crate::watch_failure::WatchFailure;
use crate::watch_session::{Listing, Purpose, Step, Stream, WatchSession};

impl<R: Resource> WatchSession<R> {
    /// Does all that is due: calls that nobody answered count as failed.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.advance(now);
        let clock = self.clock;
        if self.list_deadline().is_some_and(|at| at <= clock) {
            let ms = self.config.list_timeout_ms;
            if let Some(call) = self.list.as_ref().and_then(|list| list.call) {
                self.close(call);
            }
            let late = WatchFailure::network(format!("the list was not answered within {ms} ms"));
            self.list_failed(late);
        }
        if self.initial_deadline().is_some_and(|at| at <= clock) {
            let ms = self.config.list_timeout_ms;
            self.close_stream();
            self.initial_refused = true;
            let problem = format!("the initial events did not end within {ms} ms");
            self.pace
                .end(WatchFailure::network(problem), clock, &self.config);
        }
        if self.idle_deadline().is_some_and(|at| at <= clock) {
            let ms = self.config.idle_after_ms.unwrap_or_default();
            let silent = WatchFailure::network(format!("nothing was heard for {ms} ms"));
            if let Some(call) = self.stream.as_ref().and_then(|s| s.call) {
                self.act(WatchAction::Close(call));
            }
            self.stream_failed(silent);
        }
    }

    /// Whether there is a network. Offline, every call is ended; online again, nothing waits.
    pub fn set_online(&mut self, online: bool, now: Timestamp) {
        self.advance(now);
        if online && !self.online {
            self.pace.reset();
        }
        if !online && self.online {
            self.close_list();
            self.close_stream();
        }
        self.online = online;
    }

    /// Lists again, as soon as may be: the user asked, or something was missed that the session
    /// cannot know of.
    pub fn relist(&mut self, now: Timestamp) {
        self.advance(now);
        self.want_list();
    }

    /// The session's own time at the caller's `now` (T1).
    pub(crate) fn advance(&mut self, now: Timestamp) {
        let own = now.0.saturating_add(self.skew);
        if !self.started {
            (self.clock, self.started) = (now, true);
        } else if own >= self.clock.0 {
            self.clock = Timestamp(own);
        } else {
            self.skew = self.clock.0.saturating_sub(now.0);
        }
    }

    pub(crate) fn deadlines(&self) -> [Option<Timestamp>; 4] {
        let begins = match (self.would_watch(), self.would_list()) {
            (true, _) => self.pace.until,
            (false, true) => self.pace.until.max(self.next_list.not_before),
            (false, false) => None,
        };
        [
            begins.filter(|at| self.online && *at > self.clock),
            self.list_deadline(),
            self.initial_deadline(),
            self.idle_deadline(),
        ]
    }

    fn list_deadline(&self) -> Option<Timestamp> {
        let list = self.list.as_ref().filter(|list| list.call.is_some())?;
        Some(list.deadline)
    }

    fn initial_deadline(&self) -> Option<Timestamp> {
        let stream = self.stream.as_ref()?;
        stream.call.filter(|_| stream.initial.is_some())?;
        Some(stream.asked.plus_ms(self.config.list_timeout_ms))
    }

    fn idle_deadline(&self) -> Option<Timestamp> {
        let stream = self.stream.as_ref().filter(|s| s.call.is_some())?;
        Some(stream.heard.plus_ms(self.config.idle_after_ms?))
    }

    /// Whether all that is there is to come by the stream.
    pub(crate) fn streams_initial(&self) -> bool {
        self.config.initial == Initial::Stream && !self.initial_refused
    }

    /// Whether a list would be begun, if the time has come.
    fn would_list(&self) -> bool {
        if !self.needs_list || self.list.is_some() || self.streams_initial() {
            return false;
        }
        match self.config.resume {
            Resume::Version => self.stream.is_none(),
            _ => self.stream.as_ref().is_some_and(|stream| stream.ready),
        }
    }

    /// Whether a stream would be begun.
    fn would_watch(&self) -> bool {
        if self.stream.is_some() {
            return false;
        }
        match self.config.resume {
            Resume::Version => self.list.is_none() && (!self.needs_list || self.streams_initial()),
            _ => true,
        }
    }

    /// Begins what is to be begun by now; whether it did.
    pub(crate) fn begin_next(&mut self) -> bool {
        if !self.online || self.pace.is_backing_off(self.clock) {
            return false;
        }
        if self.would_watch() {
            self.begin_stream();
            return true;
        }
        let early = self.next_list.not_before.is_some_and(|at| self.clock < at);
        if self.would_list() && !early {
            self.begin_list();
            return true;
        }
        false
    }

    fn begin_list(&mut self) {
        self.needs_list = false;
        self.next_list.not_before = Some(self.clock.plus_ms(self.config.list_interval_ms));
        self.list = Some(Listing {
            call: None,
            token: None,
            deadline: self.clock,
            items: Vec::new(),
            bad: Vec::new(),
            count: 0,
            chunks: 0,
            version: None,
        });
        self.apply(Event::BeginFetch, Purpose::ListToken);
    }

    fn begin_stream(&mut self) {
        let initial = self.needs_list && self.streams_initial();
        self.stream = Some(Stream {
            call: None,
            heard: self.clock,
            asked: self.clock,
            open: false,
            ready: false,
            initial: None,
            // One that begins with all there is begins its count too.
            sequence: match self.config.resume {
                Resume::Nowhere => None,
                _ => self.position.sequence.filter(|_| !initial),
            },
        });
        if initial {
            self.apply(Event::BeginFetch, Purpose::StreamToken);
        } else {
            self.ask_for_stream(None);
        }
    }

    pub(crate) fn apply(&mut self, event: Event<R>, purpose: Purpose) {
        self.queue.push_back(Step::Apply(Box::new(event), purpose));
    }

    pub(crate) fn act(&mut self, action: WatchAction<R>) {
        self.queue.push_back(Step::Act(action));
    }

    pub(crate) fn next_call(&mut self) -> CallId {
        self.last_call += 1;
        CallId(self.last_call)
    }

    /// Forgets a call that was asked for and not handed out yet; ends one that was.
    pub(crate) fn close(&mut self, call: CallId) {
        let asks = |step: &Step<R>| match step {
            Step::Act(WatchAction::List(list)) => list.call == call,
            Step::Act(WatchAction::Watch(watch)) => watch.call == call,
            _ => false,
        };
        let before = self.queue.len();
        self.queue.retain(|step| !asks(step));
        if self.queue.len() == before {
            self.act(WatchAction::Close(call));
        }
    }
}
