//! Who of several instances sends what a collection has queued.

use resourcecache::{Attempt, Changes, Stored, Timestamp};

use super::{Committed, StoredCache};
use crate::error::{Error, StoreErrorKind};
use crate::lease::{Fence, Leased};

/// The lease of who sends what is queued.
const OUTBOX: &str = "outbox";

/// An attempt to be sent, if there is one, and what handing it out changed.
pub type Polled<R> = (Option<Attempt<R>>, Changes);

/// Who sends what is queued.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outbox {
    /// This instance, alone.
    Own,
    /// One of those who share it: another.
    Followed,
    /// One of those who share it: this one.
    Led(Fence),
}

impl<R: Stored> StoredCache<R> {
    /// Asks to be the one of several instances that sends what is queued, for `ttl_ms`; asked again
    /// before that is over, goes on to be. Answers whether it is. From the first call on,
    /// [`poll_attempt`](Self::poll_attempt) hands out attempts only while it is.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] when the store cannot say.
    pub fn lead(&mut self, holder: &str, ttl_ms: u64) -> Result<bool, Error> {
        let leased = self.store.acquire(&self.key, OUTBOX, holder, ttl_ms);
        self.outbox = match &leased {
            Ok(Leased::Held(fence)) => Outbox::Led(fence.clone()),
            _ => Outbox::Followed,
        };
        leased?;
        Ok(matches!(self.outbox, Outbox::Led(_)))
    }

    /// Leaves the sending to another instance.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] when the store cannot be told: then the lease runs until it expires.
    pub fn step_down(&mut self, holder: &str) -> Result<(), Error> {
        self.outbox = Outbox::Followed;
        self.store.release(&self.key, OUTBOX, holder)?;
        Ok(())
    }

    /// The next attempt that may be sent by `now`, as
    /// [`ResourceCache::poll_attempt`](resourcecache::ResourceCache::poll_attempt); it is committed that it was handed out. `None` as well where
    /// another instance [leads](Self::lead).
    ///
    /// # Errors
    ///
    /// As [`apply`](Self::apply); [`Fenced`](StoreErrorKind::Fenced) when the lease has passed to
    /// another: then nothing was handed out.
    pub fn poll_attempt(&mut self, now: Timestamp) -> Result<Committed<Polled<R>>, Error> {
        let fence = match &self.outbox {
            Outbox::Own => None,
            Outbox::Led(fence) => Some(fence.clone()),
            Outbox::Followed => {
                return Ok(Committed {
                    caught_up: Vec::new(),
                    value: (None, Changes::default()),
                });
            }
        };
        let polled = self.change(true, fence, |cache| cache.poll_attempt(now));
        let fenced = |error: &Error| error.is(StoreErrorKind::Fenced);
        if polled.as_ref().is_err_and(fenced) {
            self.outbox = Outbox::Followed;
        }
        polled
    }

    /// Whether it has attempts that wait to be sent or to be answered.
    pub(crate) fn has_unsent(&self) -> bool {
        self.cache.queued() > 0
    }

    /// Whether its outbox is shared with other instances: it was [led](Self::lead), or may have been.
    pub(crate) fn shares_outbox(&self) -> bool {
        self.outbox != Outbox::Own
    }

    /// From now on attempts are handed out only while it leads.
    pub(crate) fn follow(&mut self) {
        self.outbox = Outbox::Followed;
    }
}
