//! What a client's user takes from what the server shows: lists and watch events.

use resourcecache::{Event, Kind, OperationId, Resource, ResourceCache, VersionOrder, WatchEvent};

use super::memory::{Memory, Taken};
use super::order::{at_or_past, newer};
use super::progress_laws::names_end;
use super::remembered::{Acked, Remembered};

impl<R: Resource> Memory<R> {
    /// A body of the server lets go of what it says something new about (U2, U4, G4).
    pub(super) fn seen(&mut self, body: &R, list_version: Option<&str>, order: VersionOrder) {
        for one in &mut self.operations {
            let token = one.new.as_ref().and_then(R::token);
            one.was_seen |= one.id == body.id() || token.is_some() && token == body.token();
            if one.id != body.id() {
                continue;
            }
            let plan = self.plans.get(&one.kind);
            one.saw_end |= plan.is_some_and(|plan| names_end(plan, body));
            // What began on a new resource is about the one that is seen in its place.
            let begun_on = one.body.as_mut().filter(|b| b.uid().is_none());
            if let Some(begun_on) = begun_on.filter(|_| body.uid().is_some()) {
                begun_on.clone_from(body);
            }
            let known = one.body.as_ref().and_then(R::uid);
            let other = known.is_some() && body.uid().is_some() && known != body.uid();
            if other && one.kind != Kind::Create {
                one.released = true;
            }
            if one.is_other(body) {
                let acked = one.acked.as_ref().and_then(|a| a.version.as_deref());
                one.released |= newer(order, body.version(), acked);
            }
            let Some(acked) = &one.acked else { continue };
            let at = acked.version.as_deref();
            let proof =
                at_or_past(order, body.version(), at) || at_or_past(order, list_version, at);
            for field in &mut one.fields {
                let shown = body.pick(&field.wanted);
                let known = shown == field.wanted || Some(&shown) == field.old.as_ref();
                field.released |= !known || proof;
            }
        }
    }

    /// What was there when it began shows once more: past the guard it is no old end (P4).
    fn shown_again(&mut self) {
        let now = self.clock.now();
        for one in &mut self.operations {
            let plan = self.plans.get(&one.kind).filter(|_| now >= one.guard_end());
            let ends = plan
                .zip(one.body.as_ref())
                .map(|(plan, body)| names_end(plan, body));
            one.saw_end |= ends == Some(true);
        }
    }

    /// A list that is newer than a creation's answer decides about it (C3).
    pub(super) fn outrun(&mut self, list_version: Option<&str>, order: VersionOrder) {
        for one in self.operations.iter_mut().filter(|o| o.new.is_some()) {
            let acked = one.acked.as_ref().and_then(|a| a.version.as_deref());
            one.released |= at_or_past(order, list_version, acked);
        }
    }

    pub(super) fn told(&mut self, event: &WatchEvent<R>) {
        let order = self.order;
        match event {
            WatchEvent::Added(item) | WatchEvent::Modified(item) => {
                self.seen(item, None, order);
                let added = matches!(event, WatchEvent::Added(_));
                let deletions = self
                    .operations
                    .iter_mut()
                    .filter(|o| o.kind == Kind::Delete);
                for one in deletions.filter(|o| added && o.id == item.id()) {
                    let known = one.body.as_ref().and_then(R::version);
                    one.released |= known.is_none() || newer(order, item.version(), known);
                }
            }
            WatchEvent::Deleted(item) => {
                for one in self.operations.iter_mut().filter(|o| o.id == item.id()) {
                    let known = one.uid();
                    let other = known.is_some() && item.uid().is_some() && known != item.uid();
                    one.released |= one.kind != Kind::Delete && !other;
                }
            }
            WatchEvent::DeletedId { id, .. } => {
                let named = self.operations.iter_mut().filter(|o| id == o.id.as_str());
                for one in named {
                    one.released |= one.kind != Kind::Delete;
                }
            }
            WatchEvent::Bookmark { version } => {
                self.outrun(version.as_deref(), order);
                self.shown_again();
            }
            // What fails is told as an outcome.
            WatchEvent::Failed { .. } | WatchEvent::Expired => {}
        }
    }

    /// Follows rows that have got another id, or were made one with another row.
    pub(super) fn follow_rows(&mut self, cache: &ResourceCache<R>) {
        for one in &mut self.operations {
            if let Some(item) = one.key.and_then(|key| cache.row(key)) {
                if item.id() != one.id {
                    one.rename(item.id());
                }
            } else if one.key.is_none() || one.new.is_none() {
                one.key = cache.get_one(&one.id).map(|i| i.key()).or(one.key);
            }
        }
        let creations = self.operations.iter().filter(|o| o.new.is_some());
        let creations: Vec<(OperationId, String)> =
            creations.map(|o| (o.operation, o.id.clone())).collect();
        for one in &mut self.operations {
            // The id is that of a newer resource of ours; of two that we made, nobody knows which.
            one.released |= creations.iter().any(|(operation, id)| {
                let later = *operation > one.operation || one.new.is_some();
                later && *operation != one.operation && *id == one.id
            });
            let namesakes = creations.iter().filter(|(_, id)| *id == one.id).count();
            one.released |= namesakes > 1;
        }
    }
    /// What came along with a creation that was listed before it was answered has come too.
    pub(super) fn came_along(&mut self, taken: &Taken<'_, R>) {
        if !matches!(taken.event, Event::Merge(_) | Event::Observe(_)) {
            return;
        }
        let listed = |o: &&Remembered<R>| o.new.is_some() && o.acked.is_none() && o.was_seen;
        let creations = self.operations.iter().filter(listed);
        let carried = creations.filter_map(|o| o.sending.as_ref());
        let carried: Vec<OperationId> = carried.flat_map(|s| s.carries.clone()).collect();
        for operation in carried {
            if let Some(one) = self.get_mut(operation).filter(|o| o.acked.is_none()) {
                one.was_answered = true;
                one.acked = Some(Acked {
                    answer: None,
                    at: taken.own,
                    version: None,
                });
            }
        }
    }
}
