//! What happened, written down so that it can be played again.

use resourcecache::json::JsonResource;
use resourcecache::{Event, Timestamp};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::applied::json;
use crate::cache::{Answer, Cache, read};
use crate::error::Refusal;

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

#[wasm_bindgen]
impl Cache {
    /// Whether every accepted call is written down from now on.
    pub fn keep_journal(&mut self, keep: bool) {
        if self.journal.is_kept() != keep {
            self.journal.text = keep.then(String::new);
        }
    }

    /// What was written down since the last time: one JSON text a line.
    pub fn take_journal(&mut self) -> String {
        let text = self.journal.text.as_mut();
        text.map(std::mem::take).unwrap_or_default()
    }

    /// Applies the lines of a journal, each at its own time. Those before one that is refused stay
    /// applied.
    pub fn replay(&mut self, journal: &str) -> Result<(), Refusal> {
        let lines = journal.lines().filter(|line| !line.trim().is_empty());
        let lines: Result<Vec<Line>, _> = lines.map(|line| read(line, "journal")).collect();
        for Line { now, event } in lines? {
            let line = self.journal.line(&event, now);
            self.cache.apply(event, now)?;
            self.journal.push(line);
        }
        Ok(())
    }

    /// Applies one event as a journal writes it.
    pub fn apply_event(&mut self, event: &str, now: f64) -> Answer {
        self.event(read(event, "event")?, now)
    }
}
