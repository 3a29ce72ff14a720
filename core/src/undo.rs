//! Undoes and redoes what the user did (H1 to H5): what was not sent is taken back, what was sent
//! gets its inverse.

use crate::cache::{Done, ResourceCache};
use crate::changes::Settlement;
use crate::conflict::ConflictReason;
use crate::event::Event;
use crate::history::{Part, Step, What};
use crate::ids::{OperationId, ResourceId, RowKey};
use crate::operation::Operation;
use crate::resource::Resource;
use crate::row::{Context, Row, detached};
use crate::state::Kind;

/// Which way a step is taken.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Way {
    Undo,
    Redo,
}

impl Way {
    /// From which values to which it leads.
    fn of<P>(self, before: P, after: P) -> (P, P) {
        match self {
            Self::Undo => (after, before),
            Self::Redo => (before, after),
        }
    }
}

impl<R: Resource> ResourceCache<R> {
    /// Takes the last step back; those that mean nothing any more are dropped (H4).
    pub(crate) fn undo_step(&mut self, cx: &mut Context<'_>, done: &mut Done) {
        while let Some(serial) = self.history.last_done() {
            self.history.set_next(serial);
            if self.take_step(serial, Way::Undo, cx, done) {
                return;
            }
        }
    }

    /// Takes the step again that was taken back last.
    pub(crate) fn redo_step(&mut self, cx: &mut Context<'_>, done: &mut Done) {
        while let Some(serial) = self.history.first_undone() {
            self.history.set_next(serial + 1);
            if self.take_step(serial, Way::Redo, cx, done) {
                return;
            }
        }
    }

    /// Whether it meant anything.
    fn take_step(&mut self, serial: u64, way: Way, cx: &mut Context<'_>, done: &mut Done) -> bool {
        let Some(mut step) = self.history.take(serial) else {
            return false;
        };
        if !self.means(&step, way) {
            return false;
        }
        for at in 0..step.parts.len() {
            let at = match way {
                Way::Undo => step.parts.len() - 1 - at,
                Way::Redo => at,
            };
            self.take_part(&mut step, at, way, cx, done);
        }
        self.history.put(serial, step);
        self.history.bound(self.config.history);
        true
    }

    /// Does what there is to do about one part.
    fn take_part(
        &mut self,
        step: &mut Step<R>,
        at: usize,
        way: Way,
        cx: &mut Context<'_>,
        done: &mut Done,
    ) {
        let part = &mut step.parts[at];
        if std::mem::take(&mut part.skipped) {
            return;
        }
        let did = match (&part.what, way) {
            (What::Edit { .. }, _) => {
                let did = self.take_edit(part, way, cx, done);
                if did {
                    self.lay_bare(step, at, way, cx, done);
                }
                did
            }
            (What::Creation(_), Way::Undo) | (What::Deletion(_), Way::Redo) => {
                self.take_away(step, at, cx, done)
            }
            (What::Creation(_), Way::Redo) | (What::Deletion(_), Way::Undo) => {
                self.bring_back(step, at, cx, done)
            }
        };
        step.parts[at].skipped = !did;
    }

    pub(crate) fn row_of(&self, part: &Part<R>) -> Option<Row<R>> {
        let row = self.draft_of(part.key);
        row.or_else(|| self.draft_of(self.key_of(part.id.as_str())?))
    }

    /// Takes back what was not sent, and what has failed; whether that was all of it.
    fn take_back(&mut self, part: &mut Part<R>, cx: &mut Context<'_>) -> bool {
        let mut all = !part.operations.is_empty();
        for operation in &part.operations {
            let found = self.operation_row(*operation).ok();
            let idle = |o: &Operation<R>| o.awaits_sending() || o.is_unsettled() && o.is_failed();
            match found.filter(|(row, index)| idle(&row.operations[*index])) {
                Some((mut row, index)) => {
                    row.cancel(index, cx);
                    self.put(row);
                }
                None => all = false,
            }
        }
        if all {
            part.moved(Vec::new());
        }
        all
    }

    /// Brings the fields of an edit back to what they were, or to what it made of them, and leaves
    /// those alone that have been changed since (H3).
    fn take_edit(
        &mut self,
        part: &mut Part<R>,
        way: Way,
        cx: &mut Context<'_>,
        done: &mut Done,
    ) -> bool {
        if self.take_back(part, cx) {
            return true;
        }
        if part.settled == Some(Settlement::Failed) {
            return false;
        }
        let told = part.settled != Some(Settlement::Cancelled);
        let Some(row) = self.row_of(part) else {
            done.conflict(told, &part.id, ConflictReason::Gone);
            return false;
        };
        (part.key, part.id) = (row.key, row.id.clone());
        let What::Edit { before, after } = &part.what else {
            return false;
        };
        let (before, body) = match (before, row.body()) {
            (Some(before), Some(body)) => (before, body),
            (None, _) => {
                done.conflict(told, &row.id, ConflictReason::Unknown);
                return false;
            }
            (_, None) => {
                done.conflict(told, &row.id, ConflictReason::Gone);
                return false;
            }
        };
        let (from, to) = way.of(before, after);
        let Wanted { patches, left } = wanted(body, from, to);
        if !left.is_empty() {
            let fields = left.iter().map(R::field_name).collect();
            done.conflict(told, &row.id, ConflictReason::Changed { fields });
        }
        let begun = self.begin_edits(patches, part.queued, &row.id, cx, done);
        let did = !begun.is_empty();
        if did {
            part.moved(begun);
        }
        did
    }

    /// What was taken back may have lain beneath another edit of its step, or on top of one: where
    /// what such an edit made shows, it takes an edit of its own.
    fn lay_bare(
        &mut self,
        step: &mut Step<R>,
        at: usize,
        way: Way,
        cx: &mut Context<'_>,
        done: &mut Done,
    ) {
        let part = &step.parts[at];
        let row = self.row_of(part);
        let Some(body) = row.as_ref().and_then(Row::body) else {
            return;
        };
        let What::Edit { before, after } = &part.what else {
            return;
        };
        let Some(to) = way.of(before.as_ref(), Some(after)).1 else {
            return;
        };
        let same = step.parts.iter().filter(|other| other.key == part.key);
        let made: Vec<R::Patch> = same.flat_map(|other| other.what.values()).collect();
        let is = |field: &R::Patch| body.pick(field) == *field;
        let own = |field: &R::Patch| made.iter().any(|m| R::overlaps(m, field) && is(m));
        let covered = R::fields(to).into_iter().filter(|f| !is(f) && own(f));
        let (patches, queued, id) = (covered.collect(), part.queued, part.id.clone());
        let begun = self.begin_edits(patches, queued, &id, cx, done);
        if !begun.is_empty() {
            step.parts[at].moved(begun);
        }
    }

    fn begin_edits(
        &mut self,
        patches: Vec<R::Patch>,
        queued: bool,
        id: &ResourceId,
        cx: &mut Context<'_>,
        done: &mut Done,
    ) -> Vec<OperationId> {
        let mut begun = Vec::new();
        for patch in patches {
            let begin = Event::Begin {
                id: id.clone(),
                kind: Kind::Update,
                patch: Some(patch),
                min_ttl_ms: None,
            };
            begun.extend(self.begin_inverse(begin, queued, id, cx, done));
        }
        begun
    }

    /// Takes a resource away that the step brought: its creation where that was not sent, or by a
    /// deletion.
    fn take_away(
        &mut self,
        step: &mut Step<R>,
        at: usize,
        cx: &mut Context<'_>,
        done: &mut Done,
    ) -> bool {
        let part = &mut step.parts[at];
        let shown = self.row_of(part).filter(|row| !row.is_hidden());
        let Some(mut row) = shown.filter(|row| row.body().is_some()) else {
            done.conflict(!part.is_moot(), &part.id, ConflictReason::Gone);
            return false;
        };
        let body = row.body().map(detached);
        part.what = match (&part.what, body) {
            (What::Creation(_), Some(body)) => What::Creation(body),
            (_, body) => What::Deletion(body),
        };
        let idle = |o: &Operation<R>| o.awaits_sending() || o.is_failed();
        let creation = row
            .creation()
            .filter(|o| o.is_unsettled() && idle(o))
            .map(|o| o.id);
        let creation = row.operations.iter().position(|o| Some(o.id) == creation);
        let (key, id) = (row.key, row.id.clone());
        let (queued, min_ttl_ms) = (part.queued, part.min_ttl_ms);
        let did = if let Some(index) = creation {
            row.cancel(index, cx);
            self.put(row);
            part.moved(Vec::new());
            true
        } else {
            let begin = Event::Begin {
                id: id.clone(),
                kind: Kind::Delete,
                patch: None,
                min_ttl_ms,
            };
            let begun = self.begin_inverse(begin, queued, &id, cx, done);
            let did = begun.is_some();
            if did {
                part.moved(begun.into_iter().collect());
            }
            did
        };
        self.follow(step, key, key, &id);
        did
    }

    /// Brings a resource back that the step took away: its deletion is taken back where that was not
    /// sent, or it is created once more.
    fn bring_back(
        &mut self,
        step: &mut Step<R>,
        at: usize,
        cx: &mut Context<'_>,
        done: &mut Done,
    ) -> bool {
        let part = &mut step.parts[at];
        let row = self.row_of(part);
        if let Some(mut row) = row {
            if row.body().is_some() && !row.is_hidden() {
                done.conflict(!part.is_moot(), &row.id, ConflictReason::Exists);
                return false;
            }
            let unsent = |o: &Operation<R>| {
                part.operations.contains(&o.id) && o.hides() && o.awaits_sending()
            };
            if let Some(index) = row.operations.iter().rposition(unsent) {
                row.cancel(index, cx);
                self.put(row);
                part.moved(Vec::new());
                return true;
            }
            // What comes back has the values of all edits; those that were not sent are spent.
            for index in 0..row.operations.len() {
                let edit = &row.operations[index];
                if edit.kind == Kind::Update && edit.awaits_sending() {
                    row.cancel(index, cx);
                }
            }
            self.put(row);
        }
        let (What::Creation(body) | What::Deletion(Some(body))) = &part.what else {
            done.conflict(true, &part.id, ConflictReason::Unknown);
            return false;
        };
        let (key, resource) = (part.key, body.anew());
        let id = ResourceId::from(resource.id());
        let create = Event::Create {
            resource,
            min_ttl_ms: None,
        };
        let Some(operation) = self.begin_inverse(create, part.queued, &id, cx, done) else {
            return false;
        };
        part.moved(vec![operation]);
        if let Some(new) = self.key_of(id.as_str()) {
            self.follow(step, key, new, &id);
        }
        true
    }

    /// What was about one row, in this step and in all others, is about another from now on.
    fn follow(&mut self, step: &mut Step<R>, old: RowKey, new: RowKey, id: &ResourceId) {
        for part in step.parts.iter_mut().filter(|part| part.key == old) {
            part.key = new;
            part.id.clone_from(id);
        }
        self.history.follow(old, new, id);
    }

    /// Begins an operation as the step's own was; what the cache refuses is a conflict.
    fn begin_inverse(
        &mut self,
        begin: Event<R>,
        queued: bool,
        id: &ResourceId,
        cx: &mut Context<'_>,
        done: &mut Done,
    ) -> Option<OperationId> {
        let before = done.operations.len();
        let begun = if queued {
            self.begin_queued(begin, 0, cx, done)
        } else {
            self.dispatch(begin, cx, done)
        };
        if let Err(error) = begun {
            done.conflict(true, id, ConflictReason::Refused(error.to_string()));
            return None;
        }
        done.operations.get(before).copied()
    }
}

/// What it takes to bring the fields of `from` to `to`.
pub(crate) struct Wanted<P> {
    pub(crate) patches: Vec<P>,
    /// The fields that are neither.
    left: Vec<P>,
}

pub(crate) fn wanted<R: Resource>(body: &R, from: &R::Patch, to: &R::Patch) -> Wanted<R::Patch> {
    let is = |field: &R::Patch| body.pick(field) == *field;
    let targets = R::fields(to);
    let there = |field: &R::Patch| {
        let mut meant = targets.iter().filter(|target| R::overlaps(target, field));
        meant.all(is)
    };
    let from = R::fields(from);
    let left: Vec<_> = from.into_iter().filter(|f| !is(f) && !there(f)).collect();
    if left.is_empty() {
        let patches = if targets.iter().all(is) {
            Vec::new()
        } else {
            vec![to.clone()]
        };
        return Wanted { patches, left };
    }
    let free = |target: &R::Patch| !is(target) && !left.iter().any(|l| R::overlaps(l, target));
    let patches = targets.iter().filter(|t| free(t)).cloned().collect();
    Wanted { patches, left }
}
