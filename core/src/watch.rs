//! Watch events: what the server tells of one resource at a time (W1).

use crate::cache::ResourceCache;
use crate::error::Error;
use crate::event::{Named, Retry, WatchEvent};
use crate::ids::{OperationId, RowKey};
use crate::observe::{Observation, Sight, older};
use crate::operation::Operation;
use crate::resource::Resource;
use crate::row::{Context, Row};
use crate::state::Trigger;

impl<R: Resource> ResourceCache<R> {
    pub(crate) fn observe_event(
        &mut self,
        event: WatchEvent<R>,
        cx: &mut Context<'_>,
    ) -> Result<(), Error> {
        let mut obs = Observation {
            added: matches!(event, WatchEvent::Added(_)),
            ..Observation::now(cx)
        };
        match event {
            WatchEvent::Added(item) | WatchEvent::Modified(item) => {
                refuse_empty(item.id())?;
                self.see(&item, &obs, cx);
            }
            WatchEvent::Deleted(item) => {
                refuse_empty(item.id())?;
                self.see_deleted(item.id(), item.uid(), item.version(), &obs, cx);
            }
            WatchEvent::DeletedId { id, version } => {
                refuse_empty(id.as_str())?;
                self.see_deleted(id.as_str(), None, version.as_deref(), &obs, cx);
            }
            WatchEvent::Failed { operation, error } => {
                if let Some(operation) = self.named(&operation) {
                    self.fail_attempt(operation, error, Retry::No, cx)?;
                }
            }
            WatchEvent::Bookmark { version } => {
                obs.list_version = version;
                obs.again = true;
                for key in self.keys_with_operations() {
                    let Some(mut row) = self.draft_of(key) else {
                        continue;
                    };
                    match row.base.clone() {
                        Some(base) => row.observe(Sight::Listed(&base), &obs, cx),
                        // Before the first whole list, nothing is known to be absent.
                        None if self.last_complete == 0 => continue,
                        None => row.observe(Sight::Absent, &obs, cx),
                    }
                    self.put(row);
                }
            }
            WatchEvent::Expired => self.relist = true,
        }
        Ok(())
    }

    /// The server says that it has removed the resource, unless it is another one or the word is old.
    fn see_deleted(
        &mut self,
        id: &str,
        uid: Option<&str>,
        version: Option<&str>,
        obs: &Observation,
        cx: &mut Context<'_>,
    ) {
        let Some(mut row) = self.key_of(id).and_then(|key| self.draft_of(key)) else {
            // A list that was asked for before may still have it (S6).
            self.drop_id(id.into(), obs.seq, cx.clock);
            return;
        };
        let known = row.made_uid().or(row.base.as_ref().and_then(R::uid));
        if known.is_some() && uid.is_some() && known != uid {
            return; // of another resource, which had this id before
        }
        let held = row.base.as_ref().and_then(R::version);
        // The id's earlier resource, where the server gives ids again (G4).
        let made = row.creation().and_then(|o| o.acked.as_ref());
        let made = made.and_then(|acked| acked.version.as_deref());
        if [held, made]
            .iter()
            .any(|known| older(self.config.version_order, version, *known))
        {
            return;
        }
        row.observe(Sight::Deleted, obs, cx);
        self.drop_id(row.id.clone(), obs.seq, cx.clock);
        self.put(row);
    }

    /// The operation that the server means, if it can fail.
    fn named(&self, name: &Named) -> Option<OperationId> {
        let can_fail = |o: &Operation<R>| {
            o.is_unsettled() && !o.awaits_sending() && o.state.next(Trigger::Fail).is_ok()
        };
        let key = match name {
            Named::Id(id) => self.key_of(id.as_str())?,
            Named::Key(key) => match self.row_awaiting(key) {
                Some(row) => row,
                None => self.sent_with(key)?,
            },
        };
        let row = self.draft_of(key)?;
        let meant = |o: &&Operation<R>| match name {
            Named::Id(_) => true,
            Named::Key(key) => o.has_key(key),
        };
        let meant = row.operations.iter().rev().filter(meant);
        meant.filter(|o| can_fail(o)).map(|o| o.id).next()
    }

    /// The row of an unsettled creation with this client token.
    fn row_awaiting(&self, token: &str) -> Option<RowKey> {
        let from = (Box::from(token), RowKey(0));
        let (found, key) = self.by_token.range(from..).next()?;
        (**found == *token).then_some(*key)
    }

    /// The row of an operation that was sent with this idempotency key. Goes through all that is
    /// pending: failures are rare.
    fn sent_with(&self, key: &str) -> Option<RowKey> {
        let keys = self.keys_with_operations();
        let has = |row: &Row<R>| row.operations.iter().any(|o| o.has_key(key));
        let mut rows = keys.into_iter();
        rows.find(|row| self.draft_of(*row).is_some_and(|row| has(&row)))
    }
}

fn refuse_empty(id: &str) -> Result<(), Error> {
    if id.is_empty() {
        return Err(Error::bad_input(
            "watch event",
            "its resource has an empty id",
        ));
    }
    Ok(())
}
