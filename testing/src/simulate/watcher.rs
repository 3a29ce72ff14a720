//! A client's watch session, and what is known of it from outside: what it has asked for, what it was
//! told, what it has missed.

use std::collections::VecDeque;

use resourcecache::{
    Applied, Backoff, CallId, ListCall, Resource, Resume, Timestamp, WatchAction, WatchCall,
    WatchConfig, WatchFailure, WatchMessage, WatchPosition, WatchSession,
};

/// The driver's side of a watch session.
pub(crate) struct Watcher<R: Resource> {
    pub(crate) session: WatchSession<R>,
    /// The settings of the world; the session's may have been tampered with.
    pub(crate) config: WatchConfig,
    pub(crate) list: Option<Asking>,
    pub(crate) opening: Option<WatchCall>,
    pub(crate) stream: Option<Open<R>>,
    /// Calls that are over.
    pub(crate) over: VecDeque<CallId>,
    /// Something was missed, and no list was asked for since.
    pub(crate) missed: Option<&'static str>,
    pub(crate) pace: Pace,
    /// When all there is was asked for last, and whether it took longer than an answer may take that
    /// is to bring nothing back (S6).
    pub(crate) asked_at: i64,
    pub(crate) was_late: bool,
    /// As it was written down with the state.
    saved: Option<WatchPosition>,
    seed: u64,
}

/// A list call under way.
pub(crate) struct Asking {
    pub(crate) call: ListCall,
    /// The newest change when it was asked for.
    pub(crate) newest: usize,
}

/// An open stream.
pub(crate) struct Open<R> {
    pub(crate) call: CallId,
    pub(crate) replica: usize,
    /// The number of the next change that it tells.
    pub(crate) next: usize,
    /// What it has still to tell of all there is, if it begins with that.
    pub(crate) initial: Option<VecDeque<R>>,
    pub(crate) last: Option<(WatchMessage<R>, usize)>,
    /// The last number that was heard.
    pub(crate) heard: Option<u64>,
    /// The change where the session must stand once all is applied: its number and version.
    pub(crate) stands: Option<(usize, String)>,
}

/// When calls were made, and when they may be.
#[derive(Default)]
pub(crate) struct Pace {
    /// Since the last failure, no call is to be made before.
    pub(crate) not_before: Option<i64>,
    at: i64,
    /// How many calls were made at this time.
    pub(crate) at_once: usize,
    /// How many were made in all.
    pub(crate) calls: usize,
}

impl<R: Resource> Watcher<R> {
    pub(crate) fn new(world: &WatchConfig, config: WatchConfig, seed: u64) -> Self {
        Self {
            session: WatchSession::new(config, seed),
            config: world.clone(),
            list: None,
            opening: None,
            stream: None,
            over: VecDeque::new(),
            missed: None,
            pace: Pace::default(),
            asked_at: 0,
            was_late: false,
            saved: None,
            seed,
        }
    }

    /// Writes down where it stands.
    pub(crate) fn save(&mut self) {
        self.saved = self.session.position().cloned();
    }

    /// Another process goes on from what was written down, if it was.
    pub(crate) fn restart(&mut self) {
        let config = self.session.config().clone();
        self.seed = self.seed.wrapping_add(1);
        self.session = match self.saved.clone() {
            Some(position) => WatchSession::resume(config, self.seed, position),
            None => WatchSession::new(config, self.seed),
        };
        (self.list, self.opening, self.stream) = (None, None, None);
        self.over.clear();
        (self.missed, self.pace) = (None, Pace::default());
    }

    /// Something of a call is missed, unless the session is about to give the call up.
    pub(crate) fn misses(&mut self, call: CallId, what: &'static str, at: Timestamp) {
        if self.ahead(call, at).0 {
            self.missed = Some(what);
        }
    }

    /// What the driver has not done yet: whether the session goes on to want this call, and whether
    /// it has asked for another one.
    fn ahead(&self, call: CallId, at: Timestamp) -> (bool, bool) {
        let mut calls = false;
        let mut other = self.session.clone();
        // As many things as it has to do, and a few calls.
        for _ in 0..1_000 {
            match other.poll(at) {
                Some(WatchAction::Close(closed)) if closed == call => return (false, calls),
                Some(WatchAction::Apply(_)) => other.handle_applied(Ok(&Applied::default()), at),
                Some(WatchAction::Close(_)) => {}
                Some(_) => calls = true,
                None => break,
            }
        }
        (true, calls)
    }

    /// A list call, or a stream that begins with all there is, makes good for what was missed.
    pub(crate) fn asks(&mut self, begins: bool, all: bool, now: i64) {
        if all {
            (self.missed, self.asked_at) = (None, now);
        }
        if begins {
            self.pace.note(now);
        }
    }

    /// A call or a stream came to nothing, and the session is told.
    pub(crate) fn fail(&mut self, call: CallId, failure: WatchFailure, now: i64, at: Timestamp) {
        self.failed(call, &failure, now, at);
        self.session.handle_failed(call, failure, at);
    }

    /// No call is to be made before the wait is over.
    fn failed(&mut self, call: CallId, failure: &WatchFailure, now: i64, at: Timestamp) {
        let (wanted, calls) = self.ahead(call, at);
        if !wanted || calls {
            return;
        }
        let asked = failure.retry_after_ms;
        let again = failure.is_expired() || failure.is_ahead();
        let step = match self.config.backoff {
            Backoff::Linear { step_ms } if !again && !failure.is_refused() => step_ms,
            _ => 0,
        };
        let wait = step.max(asked.unwrap_or(0));
        self.pace.not_before = (wait > 0).then(|| now.saturating_add_unsigned(wait));
    }

    /// A call is over; whether one was under way.
    pub(crate) fn close(&mut self, call: CallId) {
        if self.list.take_if(|l| l.call.call == call).is_some() {
            self.missed = Some("its list was given up");
        }
        let opening = self.opening.take_if(|o| o.call == call);
        let began = opening.is_some_and(|o| o.initial_events);
        let stream = self.stream.take_if(|s| s.call == call);
        let began = began || stream.as_ref().is_some_and(|s| s.initial.is_some());
        if began || stream.is_some() && self.config.resume == Resume::Nowhere {
            self.missed = Some("its stream cannot be gone on with");
        }
        self.is_over(call);
    }

    pub(crate) fn is_over(&mut self, call: CallId) {
        self.over.push_back(call);
        if self.over.len() > 4 {
            self.over.pop_front();
        }
    }
}

impl Pace {
    fn note(&mut self, now: i64) {
        if self.at != now {
            (self.at, self.at_once) = (now, 0);
        }
        self.at_once += 1;
        self.calls += 1;
    }

    /// The network is another: nothing waits.
    pub(crate) fn forget(&mut self) {
        (self.not_before, self.at_once) = (None, 0);
    }
}
