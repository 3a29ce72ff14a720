//! What can happen to a client's watch session.

use resourcecache::WatchFailure;

/// What happens between a client's watch session, its driver and the server. What speaks of a list
/// or a stream that is not there is nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watching {
    /// Its driver does what it asks for.
    Drive {
        /// So many things at most.
        most: usize,
    },
    /// A replica answers its list call, or the next chunk of it.
    Answer {
        /// Which, from 0; one that may answer so old a list.
        replica: usize,
    },
    /// Its list call fails, or its stream is refused.
    Fail {
        /// Whether it is the list's.
        list: bool,
        /// In which way.
        fault: Fault,
    },
    /// The stream that it asked for is opened.
    Open {
        /// At which replica, from 0.
        replica: usize,
    },
    /// The next message of its stream arrives.
    Tell {
        /// It tells so many changes at most; where messages have numbers, one.
        most: usize,
    },
    /// A message arrives once more.
    Repeat,
    /// A message is lost, where numbers tell of it.
    Skip,
    /// A message arrives that nobody can read, or that the collection refuses.
    Garble {
        /// Whether the collection refuses it.
        refused: bool,
    },
    /// A bookmark arrives.
    Bookmark,
    /// A sign of life that is no message.
    Heard,
    /// Its stream breaks.
    Cut,
    /// The server ends its stream as streams end.
    End,
    /// Its stream tells that it cannot go on.
    Expire,
    /// What comes of calls that are over arrives.
    Late,
    /// The user asks for a list.
    Relist,
    /// It loses the network, or has it again.
    Online {
        /// Whether there is one.
        online: bool,
    },
}

/// Why a call of a watch session comes to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No answer.
    Lost,
    /// The server is too busy.
    Busy {
        /// Its `Retry-After`, in milliseconds, if it has one.
        after_ms: Option<u64>,
    },
    /// What was asked for is no longer known: 410.
    Expired,
    /// What was asked for is not known yet.
    Ahead,
    /// The server does not do such calls: 422.
    Refused,
}

impl Fault {
    /// As the session is told of it.
    pub(crate) fn failure(self) -> WatchFailure {
        match self {
            Self::Lost => WatchFailure::network("no answer"),
            Self::Busy { after_ms } => {
                let busy = WatchFailure::status(503, "busy");
                after_ms.map_or(busy.clone(), |ms| busy.with_retry_after(ms))
            }
            Self::Expired => WatchFailure::status(410, "too old resource version"),
            Self::Ahead => WatchFailure::status(504, "Too large resource version"),
            Self::Refused => WatchFailure::status(422, "no such calls"),
        }
    }
}
