//! What ends operations from this side: revert, remove, cleanup of what is stale.

use crate::cache::ResourceCache;
use crate::changes::Settlement;
use crate::ids::ResourceId;
use crate::operation::Operation;
use crate::resource::Resource;
use crate::row::{Context, detached};
use crate::state::Trigger;

impl<R: Resource> ResourceCache<R> {
    pub(crate) fn revert_all(&mut self, id: &ResourceId, cx: &mut Context<'_>) {
        let mut row = self.draft(id);
        if row.operations.is_empty() && row.base.is_none() {
            return;
        }
        for index in (0..row.operations.len()).rev() {
            row.cancel(index, cx);
        }
        self.put(row);
    }

    pub(crate) fn remove_row(&mut self, id: &ResourceId, cx: &mut Context<'_>) {
        let mut row = self.draft(id);
        if row.is_empty() {
            return;
        }
        let newest = row.operations.iter().rposition(Operation::is_unsettled);
        match newest.filter(|i| row.operations[*i].hides()) {
            Some(index) => {
                row.supersede_before(index, cx);
                row.last = row.body().map(detached);
                row.settle(index, Trigger::Confirm, Settlement::Confirmed, true, cx);
                row.operations[index].stale = false;
            }
            None => {
                for index in 0..row.operations.len() {
                    if row.operations[index].is_unsettled() {
                        row.settle(index, Trigger::Remove, Settlement::Cancelled, false, cx);
                    }
                    let tombstone = row.operations[index].is_tombstone();
                    row.operations[index].live &= tombstone;
                }
            }
        }
        row.base = None;
        self.put(row);
    }

    pub(crate) fn cleanup(&mut self, older_than_ms: u64, cx: &mut Context<'_>) {
        for key in self.keys_with_operations() {
            let Some(mut row) = self.draft_of(key) else {
                continue;
            };
            if row.unsettled().next().is_none() {
                continue;
            }
            for index in 0..row.operations.len() {
                let o = &row.operations[index];
                let old = cx.clock.ms_since(o.heard) > older_than_ms;
                // What the outbox drives does not age, nor what is complete (K1, K2).
                let ages = o.is_unsettled() && !o.is_queued() && !o.lingers();
                if ages && old && cx.clock >= o.guard_end() {
                    row.go_stale(index, true, cx);
                }
            }
            self.put(row);
        }
    }
}
