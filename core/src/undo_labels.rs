//! Which steps can be undone and redone, by their labels (H4).

use crate::cache::ResourceCache;
use crate::changes::Settlement;
use crate::history::{Part, Step, What};
use crate::ids::OperationId;
use crate::resource::Resource;
use crate::row::Row;
use crate::undo::{Way, wanted};

impl<R: Resource> ResourceCache<R> {
    /// Whether it is still something that can be taken this way (H4).
    pub(crate) fn means(&self, step: &Step<R>, way: Way) -> bool {
        step.parts.iter().any(|part| {
            let means = match way {
                Way::Undo => self.can_be_undone(part),
                Way::Redo => part.settled != Some(Settlement::Failed),
            };
            !part.skipped && means
        })
    }

    fn can_be_undone(&self, part: &Part<R>) -> bool {
        let shown = || {
            let row = self.row_of(part);
            row.is_some_and(|row| row.body().is_some() && !row.is_hidden())
        };
        let shows = match &part.what {
            What::Edit { before, after } if before.as_ref() == Some(after) => return false,
            What::Edit { .. } => self.edit_shows(part),
            What::Creation(_) => shown(),
            What::Deletion(_) => !shown(),
        };
        shows || !part.is_moot()
    }

    /// Whether an edit that came to nothing shows nevertheless: kept as failed, or in what was brought
    /// back after it.
    fn edit_shows(&self, part: &Part<R>) -> bool {
        let kept = part.operations.iter().any(|o| self.is_kept(*o));
        let row = self.row_of(part);
        let body = row.as_ref().and_then(Row::body);
        let values = match (&part.what, part.settled, body) {
            (
                What::Edit {
                    before: Some(before),
                    after,
                },
                Some(Settlement::Cancelled),
                Some(body),
            ) => !wanted(body, after, before).patches.is_empty(),
            _ => false,
        };
        kept || values
    }

    /// Whether it has failed, and still shows (V5).
    fn is_kept(&self, operation: OperationId) -> bool {
        let found = self.operation_row(operation).ok();
        found.is_some_and(|(row, index)| row.operations[index].is_kept(&self.config))
    }

    /// The label of the step that [`undo`](Self::undo) would undo; `None` when there is none.
    pub fn undo_label(&self) -> Option<&str> {
        self.undo_labels().next()
    }

    /// The label of the step that [`redo`](Self::redo) would redo; `None` when there is none.
    pub fn redo_label(&self) -> Option<&str> {
        self.redo_labels().next()
    }

    /// The labels of the steps that can be undone, the newest first.
    pub fn undo_labels(&self) -> impl Iterator<Item = &str> {
        let steps = self
            .history
            .done()
            .filter(|step| self.means(step, Way::Undo));
        steps.map(|step| step.label.as_str())
    }

    /// The labels of the steps that can be redone, the next first.
    pub fn redo_labels(&self) -> impl Iterator<Item = &str> {
        let steps = self
            .history
            .undone()
            .filter(|step| self.means(step, Way::Redo));
        steps.map(|step| step.label.as_str())
    }
}
