//! What the user did, step by step, to be undone and redone (H1 to H5).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::changes::Settlement;
use crate::ids::{OperationId, ResourceId, RowKey};
use crate::resource::Resource;

/// How much of what the user did is kept.
///
/// ```
/// use resourcecache::Config;
/// let mut config = Config::default();
/// config.history.steps = 20;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct HistoryLimits {
    /// How many steps at most. Default 100.
    pub steps: usize,
    /// How many bytes of bodies and values at most, as [`Resource::size`] and
    /// [`Resource::patch_size`] count them. Default 1,048,576. A step that is larger cannot be
    /// undone, nor can those before it.
    pub bytes: usize,
}

impl Default for HistoryLimits {
    fn default() -> Self {
        Self {
            steps: 100,
            bytes: 1 << 20,
        }
    }
}

/// What one step did to one resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(
    serialize = "R: Serialize, R::Patch: Serialize",
    deserialize = "R: Deserialize<'de>, R::Patch: Deserialize<'de>"
))]
pub(crate) struct Part<R: Resource> {
    pub(crate) key: RowKey,
    /// The resource, by the id that it had when it was last looked at.
    pub(crate) id: ResourceId,
    pub(crate) what: What<R>,
    /// Whether the outbox sends it.
    pub(crate) queued: bool,
    pub(crate) min_ttl_ms: Option<u64>,
    /// The operations that last did it, or undid it, and those before them.
    pub(crate) operations: Vec<OperationId>,
    pub(crate) older: Vec<OperationId>,
    /// How the last of `operations` settled.
    pub(crate) settled: Option<Settlement>,
    /// Nothing was done about it the last time, so that there is nothing to be undone.
    pub(crate) skipped: bool,
}

/// What was done, with all that it takes to undo it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(
    serialize = "R: Serialize, R::Patch: Serialize",
    deserialize = "R: Deserialize<'de>, R::Patch: Deserialize<'de>"
))]
pub(crate) enum What<R: Resource> {
    /// The same fields with the values before and after; none before when they were not known.
    Edit {
        before: Option<R::Patch>,
        after: R::Patch,
    },
    Creation(R),
    /// The resource as it was shown, if it was known.
    Deletion(Option<R>),
}

impl<R: Resource> What<R> {
    /// The values of the fields before and after, one by one, of an edit.
    pub(crate) fn values(&self) -> Vec<R::Patch> {
        let Self::Edit { before, after } = self else {
            return Vec::new();
        };
        before.iter().chain([after]).flat_map(R::fields).collect()
    }
}

impl<R: Resource> Part<R> {
    fn size(&self) -> usize {
        let values = match &self.what {
            What::Edit { before, after } => {
                before.as_ref().map_or(0, R::patch_size) + R::patch_size(after)
            }
            What::Creation(body) | What::Deletion(Some(body)) => body.size(),
            What::Deletion(None) => 0,
        };
        size_of::<Self>() + self.id.as_str().len() + values
    }

    /// Whether it came to nothing: it failed, or was taken back.
    pub(crate) fn is_moot(&self) -> bool {
        matches!(
            self.settled,
            Some(Settlement::Failed | Settlement::Cancelled)
        )
    }

    /// Puts the operations of one more undoing or redoing in the place of the last.
    pub(crate) fn moved(&mut self, operations: Vec<OperationId>) {
        self.older = std::mem::replace(&mut self.operations, operations);
        self.settled = None;
    }
}

/// One step: what the user did at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(
    serialize = "R: Serialize, R::Patch: Serialize",
    deserialize = "R: Deserialize<'de>, R::Patch: Deserialize<'de>"
))]
pub(crate) struct Step<R: Resource> {
    pub(crate) label: String,
    pub(crate) parts: Vec<Part<R>>,
}

/// The steps in the order in which they were done; those from `next` on are undone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(
    serialize = "R: Serialize, R::Patch: Serialize",
    deserialize = "R: Deserialize<'de>, R::Patch: Deserialize<'de>"
))]
pub(crate) struct History<R: Resource> {
    steps: BTreeMap<u64, Step<R>>,
    next: u64,
    #[serde(skip)]
    bytes: usize,
    /// In which step, and which part of it, an operation is.
    #[serde(skip)]
    by_operation: BTreeMap<OperationId, (u64, usize)>,
}

impl<R: Resource> Default for History<R> {
    fn default() -> Self {
        Self {
            steps: BTreeMap::new(),
            next: 0,
            bytes: 0,
            by_operation: BTreeMap::new(),
        }
    }
}

impl<R: Resource> History<R> {
    pub(crate) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// A step that was just done: what was undone before cannot be redone any more.
    pub(crate) fn push(&mut self, step: Step<R>, limits: HistoryLimits) {
        while let Some(serial) = self.first_undone() {
            self.take(serial);
        }
        self.put(self.next, step);
        self.next += 1;
        self.bound(limits);
    }

    /// Lets the oldest go, and what only they lead to.
    pub(crate) fn bound(&mut self, limits: HistoryLimits) {
        while self.steps.len() > limits.steps || self.bytes > limits.bytes {
            let Some(first) = self.steps.keys().next().copied() else {
                return;
            };
            self.take(first);
        }
    }

    pub(crate) fn take(&mut self, serial: u64) -> Option<Step<R>> {
        let step = self.steps.remove(&serial)?;
        self.bytes -= size(&step);
        for part in &step.parts {
            for operation in part.operations.iter().chain(&part.older) {
                self.by_operation.remove(operation);
            }
        }
        Some(step)
    }

    pub(crate) fn put(&mut self, serial: u64, step: Step<R>) {
        self.bytes += size(&step);
        for (index, part) in step.parts.iter().enumerate() {
            for operation in part.operations.iter().chain(&part.older) {
                self.by_operation.insert(*operation, (serial, index));
            }
        }
        self.steps.insert(serial, step);
    }

    /// As it was saved, with all that is not.
    pub(crate) fn indexed(self) -> Self {
        Self::of(self.steps, self.next)
    }

    pub(crate) fn of(steps: BTreeMap<u64, Step<R>>, next: u64) -> Self {
        let mut history = Self {
            next,
            ..Self::default()
        };
        for (serial, step) in steps {
            history.put(serial, step);
        }
        history
    }

    pub(crate) fn steps(&self) -> &BTreeMap<u64, Step<R>> {
        &self.steps
    }

    /// The serial of the next step.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// The steps that can be undone, the newest first.
    pub(crate) fn done(&self) -> impl Iterator<Item = &Step<R>> {
        self.steps.range(..self.next).rev().map(|(_, step)| step)
    }

    /// The steps that can be redone, the next first.
    pub(crate) fn undone(&self) -> impl Iterator<Item = &Step<R>> {
        self.steps.range(self.next..).map(|(_, step)| step)
    }

    pub(crate) fn last_done(&self) -> Option<u64> {
        Some(*self.steps.range(..self.next).next_back()?.0)
    }

    pub(crate) fn first_undone(&self) -> Option<u64> {
        Some(*self.steps.range(self.next..).next()?.0)
    }

    /// From here on the steps are undone.
    pub(crate) fn set_next(&mut self, next: u64) {
        self.next = next;
    }

    /// Does something with the part that this operation did or undid, told whether its step is done.
    pub(crate) fn with_part<T>(
        &mut self,
        operation: OperationId,
        act: impl FnOnce(&mut Part<R>, bool) -> T,
    ) -> Option<T> {
        let (serial, index) = *self.by_operation.get(&operation)?;
        let part = self.steps.get_mut(&serial)?.parts.get_mut(index)?;
        let before = part.size();
        let acted = act(part, serial < self.next);
        self.bytes = self.bytes - before + part.size();
        Some(acted)
    }

    /// What was about one row is about another from now on: its resource is back.
    pub(crate) fn follow(&mut self, old: RowKey, new: RowKey, id: &ResourceId) {
        let parts = self.steps.values_mut().flat_map(|step| &mut step.parts);
        for part in parts.filter(|part| part.key == old) {
            part.key = new;
            part.id.clone_from(id);
        }
        self.bytes = self.steps.values().map(size).sum();
    }
}

fn size<R: Resource>(step: &Step<R>) -> usize {
    step.label.len() + step.parts.iter().map(Part::size).sum::<usize>()
}
