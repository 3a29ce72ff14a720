//! A naive model of the rules: it replays the whole log from nothing each time it is asked, looks
//! through plain vectors, and takes from the core nothing but its inputs.
//!
//! It knows deletions, updates and creations, answered or not, and complete lists of a server
//! without versions, late and out of order. The rest is left to scenarios and other properties.

mod lists;
mod replay;
mod thing;
mod verbs;

use resourcecache::{Config, Event, FetchToken, Timestamp};

use self::replay::Replay;
use crate::toy::{FIELD_COUNT, Toy};

/// What a user sees, by the rules.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// The visible list: id, numbers, the state's word.
    pub rows: Vec<(String, [i64; FIELD_COUNT], &'static str)>,
    /// Outcomes: the operation's number and the settlement's word, sorted.
    pub outcomes: Vec<(u64, &'static str)>,
}

/// The log, and what follows from it.
#[derive(Clone, Debug)]
pub struct Model {
    config: Config,
    log: Vec<(Event<Toy>, Timestamp, Option<FetchToken>)>,
}

impl Model {
    /// An empty log.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            log: Vec::new(),
        }
    }

    /// Notes an accepted event, with the token that it answered.
    pub fn note(&mut self, event: Event<Toy>, now: Timestamp, token: Option<FetchToken>) {
        self.log.push((event, now, token));
    }

    /// What a user sees now.
    pub fn seen(&self) -> Seen {
        let mut replay = Replay::new(&self.config);
        for (event, now, token) in &self.log {
            replay.play(event, now.0, *token);
        }
        replay.seen()
    }
}
