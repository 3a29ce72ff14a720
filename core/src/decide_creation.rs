//! Decides what an observation means for a creation, and for the deletions before a re-creation (C1
//! to C3, L6).

use crate::changes::Settlement;
use crate::observe::{Observation, Sight, at_or_past, older};
use crate::operation::{Operation, Payload};
use crate::resource::Resource;
use crate::row::{Context, Row};
use crate::state::{Kind, Trigger};

impl<R: Resource> Row<R> {
    pub(crate) fn decide_creation(
        &mut self,
        index: usize,
        sight: Sight<'_, R>,
        obs: &Observation,
        cx: &mut Context<'_>,
    ) {
        let operation = &self.operations[index];
        let Payload::Create(new) = &operation.payload else {
            return;
        };
        if !operation.live {
            return;
        }
        let deletion = self.operations[..index].iter().rposition(|o| o.hides());
        // To a list, what is listed and goes on is done.
        let unsettled = operation.is_unsettled() && !operation.is_listed();
        let late = obs.at >= operation.guard_end();
        let acked = operation.acked.as_ref();
        match sight {
            Sight::Listed(body) => {
                if let Some(deletion) = deletion {
                    // What was not sent yet is not what is listed.
                    if operation.is_unsent() {
                        return;
                    }
                    let before = self.base.as_ref().or(self.last.as_ref());
                    let newer_version = self.is_newer_than_all(deletion, before, body, cx);
                    let token = new.token().is_some() && new.token() == body.token();
                    let old = before == Some(body);
                    let guard_over = obs.at >= self.operations[deletion].guard_end();
                    if !(newer_version || token || guard_over || (!old && new == body)) {
                        return;
                    }
                }
                self.end_deletions(index, cx);
                if unsettled {
                    if self.operations[index].tracked.is_some() {
                        self.goes_on_listed(index);
                    } else {
                        self.settle(index, Trigger::Confirm, Settlement::Confirmed, true, cx);
                    }
                    self.release_waiting(cx);
                    // What it carried came with it.
                    let _ = self.acknowledge_carried(index, None, cx);
                } else if late {
                    self.end_guard(index);
                }
            }
            Sight::Deleted => {
                if unsettled && acked.is_some() {
                    self.settle(index, Trigger::Supersede, Settlement::Superseded, false, cx);
                    self.creation_gone(index, cx);
                    self.base = None;
                } else if !unsettled {
                    self.end_guard(index);
                }
            }
            Sight::Absent => {
                let Some(acked) = acked else {
                    if late && !unsettled {
                        self.end_guard(index);
                    }
                    return;
                };
                let proof = at_or_past(
                    cx.config.version_order,
                    obs.list_version.as_deref(),
                    acked.version.as_deref(),
                );
                if !late && !proof {
                    return;
                }
                if !unsettled {
                    self.end_guard(index);
                    return;
                }
                let (trigger, how) = if proof {
                    (Trigger::Confirm, Settlement::Confirmed)
                } else {
                    (Trigger::Expire, Settlement::NotConfirmed)
                };
                self.settle(index, trigger, how, false, cx);
                self.creation_gone(index, cx);
                self.base = None;
            }
        }
    }

    /// Whether a copy is newer than the one before it, and than all that was answered before the
    /// deletion. While an edit before that has no answer, a newer version may be that edit's.
    fn is_newer_than_all(
        &self,
        deletion: usize,
        before: Option<&R>,
        body: &R,
        cx: &Context<'_>,
    ) -> bool {
        let older_ones = self.operations[..deletion].iter();
        let unknown = |o: &Operation<R>| o.kind == Kind::Update && o.acked.is_none();
        if older_ones.clone().any(unknown) {
            return false;
        }
        let answered = older_ones.filter_map(|o| o.acked.as_ref()?.version.as_deref());
        let known: Vec<&str> = before
            .and_then(R::version)
            .into_iter()
            .chain(answered)
            .collect();
        let newer = |version: &&str| older(cx.config.version_order, Some(version), body.version());
        !known.is_empty() && known.iter().all(newer)
    }

    /// The resource that was deleted is gone: another has its place.
    fn end_deletions(&mut self, creation: usize, cx: &mut Context<'_>) {
        for index in 0..creation {
            let operation = &self.operations[index];
            if operation.creates() && operation.live && operation.is_unsettled() {
                // One row was created twice: under an id of its own, and by token.
                self.settle(index, Trigger::Confirm, Settlement::Confirmed, true, cx);
                continue;
            }
            if operation.kind != Kind::Delete {
                continue;
            }
            if operation.is_unsettled() {
                let (trigger, how) = if operation.is_failed() {
                    (Trigger::Supersede, Settlement::Superseded)
                } else {
                    (Trigger::Confirm, Settlement::Confirmed)
                };
                self.settle(index, trigger, how, false, cx);
            }
            self.operations[index].live = false;
        }
    }
}
