//! A watch: when to list, when to watch and from where, when to wait. It opens no connection and
//! holds no collection; its driver does.

use std::collections::VecDeque;

use crate::changes::Applied;
use crate::error::Error;
use crate::event::{BadItem, Event};
use crate::ids::{FetchToken, Timestamp};
use crate::resource::Resource;
use crate::watch_action::{CallId, WatchAction};
use crate::watch_config::{Resume, WatchConfig};
use crate::watch_failure::WatchFailure;
use crate::watch_initial::Told;
use crate::watch_pace::Pace;
use crate::watch_position::WatchPosition;

/// What a watch session is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WatchState {
    /// It learns all that is there: by a list, or by the events with which a stream begins.
    Listing,
    /// A stream tells what changes, or is being opened.
    Watching,
    /// It waits after a failure.
    BackingOff,
    /// There is no network.
    Offline,
}

/// Keeps a collection right by lists and a stream of events: decides when to list, from where to
/// watch, and when to try again. Pure: the driver makes the calls, applies the events, and hands in
/// what comes of both, with the time.
///
/// - *Getters* take `&self`.
/// - `poll` tells what to do next: call it until it answers none, after every other call, and at
///   each [`poll_timeout`](Self::poll_timeout).
/// - `handle_*` takes what the world did.
///
/// Handed in late, early or twice, everything is as when handed in on time; what comes of a call
/// that is closed is passed over.
#[derive(Clone, Debug)]
pub struct WatchSession<R: Resource> {
    pub(crate) config: WatchConfig,
    pub(crate) pace: Pace,
    /// The session's own clock, which never steps back (T1).
    pub(crate) clock: Timestamp,
    /// The own clock less the caller's.
    pub(crate) skew: i64,
    pub(crate) started: bool,
    pub(crate) queue: VecDeque<Step<R>>,
    /// What the event was for that is being applied.
    pub(crate) applying: Option<Purpose>,
    pub(crate) list: Option<Listing<R>>,
    pub(crate) stream: Option<Stream<R>>,
    /// All up to here is applied.
    pub(crate) position: WatchPosition,
    /// Something was missed, or nothing is known yet.
    pub(crate) needs_list: bool,
    /// What is to be known of the next list.
    pub(crate) next_list: NextList,
    /// The server does not begin streams with all there is.
    pub(crate) initial_refused: bool,
    pub(crate) online: bool,
    pub(crate) last_call: u64,
}

/// One thing to be done, in order.
#[derive(Clone, Debug)]
pub(crate) enum Step<R: Resource> {
    Act(WatchAction<R>),
    Apply(Box<Event<R>>, Purpose),
    /// All before it is applied: the position is this by now.
    Reached(WatchPosition),
}

/// What an event is applied for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Purpose {
    /// To have a token for the list.
    ListToken,
    /// To have a token for the stream that begins with all there is.
    StreamToken,
    /// A whole list, of this version.
    List(Option<String>),
    /// All there is, as the stream told it.
    Initial,
    /// One observation.
    Observation,
}

/// A list call under way, from the taking of its token to its merging.
#[derive(Clone, Debug)]
pub(crate) struct Listing<R> {
    pub(crate) call: Option<CallId>,
    pub(crate) token: Option<FetchToken>,
    pub(crate) deadline: Timestamp,
    pub(crate) items: Vec<R>,
    pub(crate) bad: Vec<BadItem>,
    /// How many items came, bad ones included.
    pub(crate) count: usize,
    pub(crate) chunks: usize,
    pub(crate) version: Option<String>,
}

/// A stream, from the taking of its token to its end.
#[derive(Clone, Debug)]
pub(crate) struct Stream<R> {
    pub(crate) call: Option<CallId>,
    /// When it was last heard of, or asked for.
    pub(crate) heard: Timestamp,
    pub(crate) asked: Timestamp,
    pub(crate) open: bool,
    pub(crate) ready: bool,
    /// What it tells of all there is, up to its end.
    pub(crate) initial: Option<Told<R>>,
    /// The last number heard, applied or not.
    pub(crate) sequence: Option<u64>,
}

/// What was learnt of lists.
#[derive(Clone, Debug, Default)]
pub(crate) struct NextList {
    /// The version held is of no use to ask by: ask for the newest.
    pub(crate) fresh: bool,
    /// A continued list expired: ask for all at once.
    pub(crate) whole: bool,
    /// When it may begin at the earliest.
    pub(crate) not_before: Option<Timestamp>,
}

impl<R: Resource> WatchSession<R> {
    /// A session that knows nothing yet: it begins with all there is. `seed` is for the waits: a
    /// random number, so that clients that failed together do not come back together.
    pub fn new(config: WatchConfig, seed: u64) -> Self {
        Self {
            config,
            pace: Pace::new(seed),
            clock: Timestamp(0),
            skew: 0,
            started: false,
            queue: VecDeque::new(),
            applying: None,
            list: None,
            stream: None,
            position: WatchPosition::default(),
            needs_list: true,
            next_list: NextList::default(),
            initial_refused: false,
            online: true,
            last_call: 0,
        }
    }

    /// A session that goes on from a position that was saved with the collection's state, no later
    /// than it: it begins with the stream, if the config says from where a stream goes on.
    pub fn resume(config: WatchConfig, seed: u64, position: WatchPosition) -> Self {
        let known = match config.resume {
            Resume::Version => position.version.is_some(),
            Resume::Sequence => position.sequence.is_some(),
            Resume::Nowhere => false,
        };
        let mut session = Self::new(config, seed);
        (session.needs_list, session.position) = (!known, position);
        session
    }

    /// What it is about.
    pub fn state(&self) -> WatchState {
        let initial = self.stream.as_ref().is_some_and(|s| s.initial.is_some());
        if !self.online {
            WatchState::Offline
        } else if self.pace.is_backing_off(self.clock) {
            WatchState::BackingOff
        } else if self.needs_list || self.list.is_some() || initial {
            WatchState::Listing
        } else {
            WatchState::Watching
        }
    }

    /// Whether all that the server has told so far is in the collection, and nothing was missed.
    pub fn is_synced(&self) -> bool {
        self.position().is_some() && self.stream.as_ref().is_some_and(|s| s.open)
    }

    /// From where another session could go on, with the collection as it is now; `None` when it would
    /// have to begin with a list.
    pub fn position(&self) -> Option<&WatchPosition> {
        let initial = self.stream.as_ref().is_some_and(|s| s.initial.is_some());
        let known = !self.needs_list && self.list.is_none() && !initial;
        known.then_some(&self.position)
    }

    /// Why it last failed, until something goes well.
    pub fn failure(&self) -> Option<&WatchFailure> {
        self.pace.failure.as_ref()
    }

    /// The settings.
    pub fn config(&self) -> &WatchConfig {
        &self.config
    }

    /// What to do next; `None` when there is nothing to do before something is handed in, or the time
    /// of [`poll_timeout`](Self::poll_timeout) has come.
    #[must_use]
    pub fn poll(&mut self, now: Timestamp) -> Option<WatchAction<R>> {
        self.handle_timeout(now);
        loop {
            if self.applying.is_some() {
                return None;
            }
            match self.queue.pop_front() {
                Some(Step::Act(action)) => return Some(action),
                Some(Step::Apply(event, purpose)) => {
                    self.applying = Some(purpose);
                    return Some(WatchAction::Apply(event));
                }
                Some(Step::Reached(position)) => self.position = position,
                None if self.begin_next() => {}
                None => return None,
            }
        }
    }

    /// When to call [`poll`](Self::poll) again at the latest, by the caller's clock.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let own = self.deadlines().into_iter().flatten().min()?;
        Some(Timestamp(own.0.saturating_sub(self.skew)))
    }

    /// Takes what came of the event that [`poll`](Self::poll) had applied. One that the collection
    /// refused is treated as a list that failed, or as a message that cannot be read.
    pub fn handle_applied(&mut self, applied: Result<&Applied, &Error>, now: Timestamp) {
        self.advance(now);
        let Some(purpose) = self.applying.take() else {
            return;
        };
        match applied {
            Ok(applied) => self.applied(purpose, applied.token),
            Err(error) => self.refused(purpose, error),
        }
    }
}
