//! Who sees what both clients show: the judges and the user; or, in a program that is going to be
//! killed, the one that started it.

use std::io::{BufRead, Write};

use resourcecache_judge::{Flickers, Judge};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::{Api, Error};
use crate::screen::{Screen, Shown};

/// Both screens.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Frame {
    /// The server's time.
    pub(crate) now: u64,
    /// What happened.
    pub(crate) what: String,
    /// The naive client's rows; `None` before it has any list to show.
    pub(crate) naive: Option<Vec<Value>>,
    /// Ours.
    pub(crate) ours: Vec<Shown>,
}

/// What a program tells the one that started it. It goes on when that answers.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Told {
    /// It shows this.
    Shown(Frame),
    /// The user asked for these to be deleted.
    Deletes(Vec<String>),
    /// The server has answered the attempt on this resource; nothing is made of the answer yet.
    Sent(String),
    /// A line for the user.
    Says(String),
    /// It has come to its end.
    Done {
        /// How many operations were confirmed.
        deleted: usize,
        /// How many failed.
        failed: usize,
    },
}

pub(crate) enum Audience {
    Judges(Box<Judges>),
    Parent,
}

impl Audience {
    pub(crate) fn look(&mut self, api: &Api, frame: Frame) -> Result<(), Error> {
        match self {
            Self::Judges(judges) => judges.look(api, &frame),
            Self::Parent => tell(&Told::Shown(frame)),
        }
    }

    pub(crate) fn sent(&mut self, id: &str) -> Result<(), Error> {
        match self {
            Self::Judges(_) => Ok(()),
            Self::Parent => tell(&Told::Sent(id.into())),
        }
    }

    pub(crate) fn user_deletes(&mut self, ids: &[&str]) -> Result<(), Error> {
        match self {
            Self::Judges(judges) => {
                judges.user_deletes(ids);
                Ok(())
            }
            Self::Parent => tell(&Told::Deletes(
                ids.iter().map(ToString::to_string).collect(),
            )),
        }
    }
}

/// Tells the one that started this program, and waits for its answer.
pub(crate) fn tell(what: &Told) -> Result<(), Error> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string(what)?)?;
    out.flush()?;
    let mut answer = String::new();
    if std::io::stdin().lock().read_line(&mut answer)? == 0 {
        return Err(Error::Other("the demo has ended".into()));
    }
    Ok(())
}

/// A judge for each client, and the user's screen.
pub(crate) struct Judges {
    pub(crate) screen: Screen,
    start: u64,
    naive: Judge,
    ours: Judge,
}

impl Judges {
    pub(crate) fn new(screen: Screen, start: u64) -> Self {
        Self {
            screen,
            start,
            naive: Judge::default(),
            ours: Judge::default(),
        }
    }

    pub(crate) fn look(&mut self, api: &Api, frame: &Frame) -> Result<(), Error> {
        let (_, ledger) = api.ledger()?;
        let plain = |body: &Value| Shown {
            body: body.clone(),
            badge: None,
        };
        let rows = frame.naive.as_deref();
        let left: Vec<Shown> = rows.unwrap_or_default().iter().map(plain).collect();
        let bad_left = rows.map(|rows| self.naive.look(rows, &ledger));
        let right = frame.ours.iter().map(|row| &row.body);
        let bad_right = self.ours.look(right, &ledger);
        self.screen.frame(
            frame.now - self.start,
            &frame.what,
            (&left, &bad_left.unwrap_or_default()),
            (&frame.ours, &bad_right),
        )
    }

    pub(crate) fn user_deletes(&mut self, ids: &[&str]) {
        self.naive.user_deletes(ids);
        self.ours.user_deletes(ids);
    }

    /// What was counted: the naive client's, and ours.
    pub(crate) fn flickers(&self) -> (Flickers, Flickers) {
        (self.naive.flickers, self.ours.flickers)
    }
}
