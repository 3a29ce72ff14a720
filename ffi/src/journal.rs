//! What happened, written down so that it can be played again.

use resourcecache::json::JsonResource;
use resourcecache::{Event, Timestamp};
use serde::{Deserialize, Serialize};

use crate::applied::{Applied, json};
use crate::cache::JsonCache;
use crate::error::CacheError;

/// One line of a journal.
#[derive(Serialize)]
struct LineRef<'a> {
    now: Timestamp,
    event: &'a Event<JsonResource>,
}

#[derive(Deserialize)]
struct Line {
    now: Timestamp,
    event: Event<JsonResource>,
}

/// The accepted events since the journal was begun or last taken.
#[derive(Default)]
pub(crate) struct Journal {
    text: Option<String>,
}

impl Journal {
    pub(crate) fn is_kept(&self) -> bool {
        self.text.is_some()
    }

    /// The event's line; none when nobody wants it.
    pub(crate) fn line(&self, event: &Event<JsonResource>, now: Timestamp) -> Option<String> {
        self.is_kept().then(|| json(&LineRef { now, event }))
    }

    pub(crate) fn push(&mut self, line: Option<String>) {
        if let (Some(text), Some(line)) = (&mut self.text, line) {
            text.push_str(&line);
            text.push('\n');
        }
    }
}

#[uniffi::export]
impl JsonCache {
    /// Whether every accepted call is written down from now on, for `take_journal`. A cache with the
    /// same settings that started as empty as this one comes to the same state by `replay`.
    pub fn keep_journal(&self, keep: bool) -> Result<(), CacheError> {
        self.change(|inner, _| {
            if inner.journal.is_kept() != keep {
                inner.journal.text = keep.then(String::new);
            }
            Ok(())
        })
    }

    /// What was written down since the last time: one JSON text a line, `now` in milliseconds and
    /// the `event`.
    pub fn take_journal(&self) -> Result<String, CacheError> {
        self.change(|inner, _| {
            let text = inner.journal.text.as_mut();
            Ok(text.map(std::mem::take).unwrap_or_default())
        })
    }

    /// Applies the lines of a journal, each at its own time, whatever the clock shows. Those before
    /// one that is refused stay applied.
    pub fn replay(&self, journal: &[u8]) -> Result<(), CacheError> {
        let lines: Result<Vec<Line>, _> = serde_json::Deserializer::from_slice(journal)
            .into_iter()
            .collect();
        let lines = lines.map_err(|error| CacheError::bad_input("journal", error))?;
        self.change(|inner, _| {
            for Line { now, event } in lines {
                inner.apply(event, now)?;
            }
            Ok(())
        })
    }

    /// Applies one event as a journal writes it: the way to what has no verb, such as a batch of
    /// several verbs.
    pub fn apply_event(&self, event: &[u8]) -> Result<Applied, CacheError> {
        let event =
            serde_json::from_slice(event).map_err(|error| CacheError::bad_input("event", error))?;
        self.event(|_| Ok(event))
    }
}
