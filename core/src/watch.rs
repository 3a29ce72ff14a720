//! Watch events: what the server tells of one resource at a time (W1).

use crate::cache::ResourceCache;
use crate::error::Error;
use crate::event::WatchEvent;
use crate::observe::{Observation, Sight};
use crate::resource::Resource;
use crate::row::Context;

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
                refuse_empty(&item)?;
                self.see(&item, &obs, cx);
            }
            WatchEvent::Deleted(item) => {
                refuse_empty(&item)?;
                let Some(key) = self.key_of(item.id()) else {
                    return Ok(());
                };
                let Some(mut row) = self.draft_of(key) else {
                    return Ok(());
                };
                let known = row.made_uid().or(row.base.as_ref().and_then(R::uid));
                if known.is_some() && item.uid().is_some() && known != item.uid() {
                    return Ok(()); // of another resource, which had this id before
                }
                let held = row.base.as_ref().and_then(R::version);
                let order = self.config.version_order;
                if let (Some(theirs), Some(held)) = (item.version(), held) {
                    let compared = crate::observe::compare(order, theirs, held);
                    if compared == Some(std::cmp::Ordering::Less) {
                        return Ok(());
                    }
                }
                row.observe(Sight::Deleted, &obs, cx);
                self.dropped.insert(row.id.clone(), obs.seq, cx.clock);
                self.put(row);
            }
            WatchEvent::Bookmark { version } => {
                obs.list_version = version;
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
}

fn refuse_empty<R: Resource>(item: &R) -> Result<(), Error> {
    if item.id().is_empty() {
        return Err(Error::bad_input(
            "watch event",
            "its resource has an empty id",
        ));
    }
    Ok(())
}
