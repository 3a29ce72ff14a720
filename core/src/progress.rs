//! Moves an operation through the stages of its plan: by what is reported, and by what the server's
//! copies say.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::event::Retry;
use crate::ids::Timestamp;
use crate::observe::{Observation, compare};
use crate::operation::{Operation, Payload};
use crate::progress_plan::{ProgressPlan, StageEnd};
use crate::resource::Resource;
use crate::row::{Context, Row};
use crate::state::{Kind, State, Trigger};

/// What is known of an operation that nothing completes but a stage that ends it (P4).
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Tracked {
    /// The ending stage that the server's copy named when it began: old while the guard lasts.
    old_end: Option<String>,
    /// The server's copy names the stage that it is in: it does not age.
    confirmed: bool,
    /// What it creates is listed, and goes on at the server (L13).
    pub(crate) listed: bool,
}

/// Which parts of its metadata a report gave.
pub(crate) struct Report {
    pub(crate) old_stage: Option<String>,
    pub(crate) progress: bool,
    pub(crate) within: bool,
    pub(crate) message: bool,
}

impl<R: Resource> Operation<R> {
    /// The answer to a creation that was listed, and is not any more: the lists may lag behind it, so
    /// that it brings its resource along as before.
    pub(crate) fn bring_along(&mut self, answer: &R) {
        if let (Kind::Create, Payload::Mark, Some(tracked)) =
            (self.kind, &self.payload, &mut self.tracked)
        {
            tracked.listed = false;
            (self.payload, self.live) = (Payload::Create(answer.clone()), true);
        }
    }

    fn plan<'a>(&self, cx: &Context<'a>) -> Option<&'a ProgressPlan> {
        cx.config.progress.get(&self.kind)
    }

    /// Whether it is accepted or under way, and only an ending stage completes it.
    pub(crate) fn goes_on(&self) -> bool {
        let over = self.is_failed() || self.lingers();
        self.tracked.is_some() && self.is_unsettled() && !over
    }

    /// Whether what it creates is listed, and it goes on.
    pub(crate) fn is_listed(&self) -> bool {
        self.tracked.as_ref().is_some_and(|t| t.listed)
    }

    /// Whether the server's copy says that it goes on.
    pub(crate) fn is_confirmed_to_go_on(&self) -> bool {
        self.tracked.as_ref().is_some_and(|t| t.confirmed)
    }

    /// Until when the end that the server's copy names is that of the last time.
    pub(crate) fn old_end_until(&self) -> Option<Timestamp> {
        let old = self.tracked.as_ref()?.old_end.is_some();
        (old && self.goes_on()).then(|| self.guard_end())
    }

    /// It begins, or its first attempt does: in the first stage, or in the one that the server's copy
    /// names, unless that ends it.
    pub(crate) fn begin_plan(&mut self, base: Option<&R>, cx: &Context<'_>) {
        let Some(plan) = self.plan(cx) else { return };
        let named = base.and_then(|base| plan.stage_of(base));
        let ends = named.filter(|stage| plan.end(stage).is_some());
        let marks = matches!(self.payload, Payload::Mark | Payload::Create(_));
        if marks && self.kind != Kind::Delete && plan.has_end() {
            self.tracked = Some(Tracked {
                old_end: ends.map(Into::into),
                ..Tracked::default()
            });
        }
        let first = plan.stages.first().map(|stage| stage.name.as_str());
        if let Some(stage) = named.filter(|_| ends.is_none()).or(first) {
            self.enter(plan, stage, cx);
        }
    }

    fn enter(&mut self, plan: &ProgressPlan, stage: &str, cx: &Context<'_>) {
        self.meta.stage = Some(stage.into());
        self.meta.stage_progress = None;
        let declared = plan.position(stage).map(|at| &plan.stages[at]);
        if let Some(message) = declared.and_then(|stage| stage.message.clone()) {
            self.meta.message = Some(message);
        }
        self.advance(plan, cx);
    }

    /// The whole is as far as its stage says, and never less far than it was (P1).
    fn advance(&mut self, plan: &ProgressPlan, cx: &Context<'_>) {
        let stage = self.meta.stage.as_deref().unwrap_or_default();
        let percent = plan.overall(stage, self.meta.stage_progress);
        let before = self.meta.progress.unwrap_or(0.0);
        self.meta.progress = percent.map(|p| p.max(before)).or(self.meta.progress);
        self.expect_end(cx);
    }

    /// When it will be done, if its stages take as long as they are said to (P2).
    pub(crate) fn expect_end(&mut self, cx: &Context<'_>) {
        let Some(plan) = self.plan(cx) else { return };
        let stage = self.meta.stage.as_deref().unwrap_or_default();
        let left = plan.left_ms(stage, self.meta.stage_progress);
        let runs = !self.waiting && !self.is_unsent();
        let at = left.filter(|_| runs).map(|ms| cx.now.plus_ms(ms));
        self.meta.expected_at = at.filter(|at| at.is_writable());
    }

    /// Something was heard of it.
    pub(crate) fn hear(&mut self, cx: &Context<'_>) {
        self.heard = cx.clock;
        self.meta.stalled = None;
    }

    /// When it counts as stalled: nothing was heard of it for so long (P5).
    pub(crate) fn stalled_at(&self, plan: Option<&ProgressPlan>) -> Option<Timestamp> {
        let runs = matches!(self.state, State::Running(_)) || self.goes_on();
        let held = self.waiting || self.stale || self.is_queued() && !self.is_under_way();
        if !runs || held || self.retry_at.is_some() || self.meta.stalled == Some(true) {
            return None;
        }
        Some(self.heard.plus_ms(plan?.stalled_after_ms?))
    }

    /// Takes what a copy of the server says; the ending stage that it has come to, if it has.
    fn follow(
        &mut self,
        body: &R,
        versions: Option<Ordering>,
        obs: &Observation,
        cx: &Context<'_>,
    ) -> Option<String> {
        let plan = self.plan(cx).filter(|plan| !plan.rules.is_empty())?;
        let over = self.is_failed() || self.lingers() || !self.is_unsettled();
        if over || self.waiting || self.is_unsent() {
            return None;
        }
        let named = plan.stage_of(body);
        if obs.at < self.begun {
            let end = named.filter(|stage| plan.end(stage).is_some());
            if let Some(tracked) = &mut self.tracked {
                tracked.old_end = end.map(Into::into);
            }
            return None;
        }
        // What is shown once more says nothing new, but that it is not of the last time (P4).
        let waits = self.tracked.as_ref().is_some_and(|t| t.old_end.is_some());
        if obs.again && !waits {
            return None;
        }
        let guarded = obs.at < self.guard_end();
        if let Some(tracked) = &mut self.tracked {
            let old = tracked.old_end.is_some() && tracked.old_end.as_deref() == named;
            if old && guarded {
                return None;
            }
            tracked.old_end = None;
            let lost = tracked.confirmed && named.is_none();
            tracked.confirmed = named.is_some();
            if lost {
                self.hear(cx);
            }
        }
        let (named, now) = (named?, self.meta.stage.as_deref().unwrap_or_default());
        let behind = plan.position(named) < plan.position(now) && plan.position(named).is_some();
        let stays = named == now || behind && versions != Some(Ordering::Less);
        // An end is one, also where the table refused it before.
        if stays && plan.end(named).is_none() {
            return None;
        }
        self.hear(cx);
        self.enter(plan, named, cx);
        plan.end(named).map(|_| named.into())
    }
}

impl<R: Resource> Row<R> {
    /// A copy of the server moves what goes on to the stage that it names, and ends what has come to
    /// its end. An `answer` does not show that what it created is listed.
    pub(crate) fn follow(
        &mut self,
        body: &R,
        answer: bool,
        obs: &Observation,
        cx: &mut Context<'_>,
    ) {
        if cx.config.progress.is_empty() {
            return;
        }
        let held = self.base.as_ref().and_then(R::version);
        let versions = held.zip(body.version());
        let order = cx.config.version_order;
        let versions = versions.and_then(|(old, new)| compare(order, old, new));
        let hidden = self.operations.iter().position(Operation::hides);
        for index in 0..self.operations.len() {
            let operation = &mut self.operations[index];
            let unlisted = operation.creates() && !operation.is_listed();
            // The copy may be of what was deleted before (L6).
            let recreates = unlisted && hidden.is_some_and(|deletion| deletion < index);
            if answer && unlisted || recreates {
                continue;
            }
            if let Some(end) = operation.follow(body, versions, obs, cx) {
                self.end_stage(index, &end, Some(body), cx);
            }
        }
    }

    /// The server has no copy any more that says that an operation goes on: it ages again (P6).
    pub(crate) fn lose_copy(&mut self, cx: &Context<'_>) {
        for operation in &mut self.operations {
            let confirmed = operation.tracked.as_mut().map(|t| &mut t.confirmed);
            if confirmed.is_some_and(std::mem::take) {
                operation.hear(cx);
            }
        }
    }

    /// Takes what was reported of an operation, laid over its metadata already.
    pub(crate) fn take_report(&mut self, index: usize, report: &Report, cx: &mut Context<'_>) {
        let operation = &mut self.operations[index];
        let stage = operation.meta.stage.clone();
        let moved = stage.is_some() && stage != report.old_stage;
        if moved || report.within || report.progress {
            operation.hear(cx);
        }
        let Some(plan) = operation.plan(cx).filter(|_| moved || report.within) else {
            return;
        };
        let stage = stage.unwrap_or_default();
        let told = operation.meta.clone();
        if moved {
            operation.enter(plan, &stage, cx);
        }
        if report.within {
            operation.meta.stage_progress = told.stage_progress;
        }
        operation.advance(plan, cx);
        if report.progress {
            operation.meta.progress = told.progress;
        }
        if report.message {
            operation.meta.message = told.message;
        }
        if moved && plan.end(&stage).is_some() {
            self.end_stage(index, &stage, None, cx);
        }
    }

    /// It has come to a stage that ends it (P4). Where the table has no such end, the stage stays a
    /// word.
    fn end_stage(&mut self, index: usize, stage: &str, body: Option<&R>, cx: &mut Context<'_>) {
        let operation = &self.operations[index];
        let Some(end) = operation.plan(cx).and_then(|plan| plan.end(stage)) else {
            return;
        };
        match end {
            StageEnd::Complete if operation.tracked.is_some() => {
                // Refused by the table, it goes on.
                let _ = self.complete(index, cx);
            }
            StageEnd::Complete => {}
            StageEnd::Fail { error_at } => {
                let told = body.zip(error_at.as_deref());
                let told = told.and_then(|(body, at)| body.text_at(at));
                let message = operation.meta.message.clone();
                let error = told.map(String::from).or(message);
                let error = error.unwrap_or_else(|| stage.into());
                // What the server has failed need not be tried again.
                self.run_again(index);
                // Only what runs or is accepted can fail.
                let _ = self.fail(index, &error, Retry::No, cx);
                // Accepted or attempted after all, it has this end behind it.
                if let Some(tracked) = &mut self.operations[index].tracked {
                    tracked.old_end = Some(stage.into());
                }
            }
        }
    }

    /// It is done, and shown as such for a while.
    pub(crate) fn complete(&mut self, index: usize, cx: &mut Context<'_>) -> Result<(), Error> {
        if !self.operations[index].goes_on() || self.operations[index].acked.is_none() {
            let unanswered = self.operations[index].creates_unanswered();
            self.step(index, Trigger::Acknowledge)?;
            if unanswered {
                // Complete, it was accepted: what waits for it goes on (L1).
                self.acknowledge(index, None, cx);
                self.acknowledge_carried(index, None, cx)?;
            }
        }
        let operation = &mut self.operations[index];
        operation.hear(cx);
        operation.attempt_ended();
        operation.outgoing = None;
        operation.retry_at = None;
        operation.waiting = false;
        operation.shown_until = Some(cx.clock.plus_ms(cx.config.completed_shown_ms));
        operation.meta.completed_at = Some(cx.now);
        operation.meta.expected_at = None;
        operation.meta.progress = Some(100.0);
        operation.meta.error = None;
        Ok(())
    }

    /// What it creates is listed: nobody need send it any more, and it goes on until a stage ends it.
    pub(crate) fn goes_on_listed(&mut self, index: usize) {
        self.run_again(index);
        let operation = &mut self.operations[index];
        operation.attempt_ended();
        operation.outgoing = None;
        if let Some(tracked) = &mut operation.tracked {
            tracked.listed = true;
        }
    }

    /// What backs off runs: the server has it.
    fn run_again(&mut self, index: usize) {
        let operation = &mut self.operations[index];
        if let State::Retrying(kind) = operation.state {
            operation.state = State::Running(kind);
            operation.retry_at = None;
        }
    }

    /// The guard of a creation is over: one that goes on does so as a mark (L13).
    pub(crate) fn end_guard(&mut self, index: usize) {
        let operation = &mut self.operations[index];
        if operation.is_unsettled() {
            operation.payload = Payload::Mark;
        } else {
            operation.live = false;
        }
    }
}
