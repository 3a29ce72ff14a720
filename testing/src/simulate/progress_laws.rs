//! Holds progress to its laws.

use resourcecache::{
    Applied, Change, Event, Kind, OperationInfo, ProgressPlan, Resource, ResourceCache, Settlement,
    StageEnd, State, WatchEvent,
};

use super::client::Client;
use super::law::{Broken, COMPLETE_CLEARED, Expected, PROGRESS_GROWS, STAGE_ENDS};
use super::model::Subject;
use super::shown::Shown;
use crate::coverage::Coverage;

type Checked<R> = Result<(), Broken<R>>;

/// The stage that a copy of the server means: the first rule that knows the value counts.
pub(crate) fn stage_of<'a, R: Resource>(plan: &'a ProgressPlan, body: &R) -> Option<&'a str> {
    plan.rules.iter().find_map(|rule| {
        let value = body.text_at(&rule.at)?;
        rule.stages.get(&*value).map(String::as_str)
    })
}

fn end<'a>(plan: &'a ProgressPlan, stage: &str) -> Option<&'a StageEnd> {
    let stage = plan.stages.iter().find(|declared| declared.name == stage);
    stage.and_then(|declared| declared.end.as_ref())
}

/// Whether a copy of the server says that work by this plan is over.
pub(crate) fn names_end<R: Resource>(plan: &ProgressPlan, body: &R) -> bool {
    stage_of(plan, body).is_some_and(|stage| end(plan, stage).is_some())
}

/// Whether a plan has a stage that ends an operation.
pub(crate) fn has_end(plan: &ProgressPlan) -> bool {
    plan.stages.iter().any(|stage| stage.end.is_some())
}

/// Holds the laws to what an event has made of each row's progress.
pub(crate) fn check<R: Subject>(
    client: &mut Client<R>,
    before: &ResourceCache<R>,
    old: &[Shown<R>],
    event: &Event<R>,
    applied: &Applied,
    own: i64,
    coverage: &mut Coverage,
) -> Checked<R> {
    for row in &client.shown {
        let Some(meta) = &row.meta else { continue };
        let percent = meta.progress;
        if percent.is_some_and(|percent| !(0.0..=100.0).contains(&percent)) {
            let problem = format!("{} is at {percent:?} percent", row.id);
            return Err(client.broken(PROGRESS_GROWS, problem));
        }
        let was = old.iter().find(|was| was.key == row.key);
        let was_meta = was.and_then(|was| was.meta.as_ref());
        let (Some(was), Some(was_meta)) = (was, was_meta) else {
            continue;
        };
        count(event, meta, was_meta, coverage);
        if told(event, row, &client.cache)
            || was_meta.progress.is_none()
            || percent >= was_meta.progress
        {
            continue;
        }
        let (own, now) = (before.operations(&was.id), client.cache.operations(&row.id));
        let same = meta.status.is_some() && meta.status == was_meta.status;
        if same && ids(&own) == ids(&now) && !now.is_empty() {
            let problem = format!(
                "{} is at {percent:?} percent, and was at {:?}",
                row.id, was_meta.progress
            );
            return Err(Broken {
                expected: Box::new(Expected::Progress(row.id.clone(), was_meta.progress)),
                ..client.broken(PROGRESS_GROWS, problem)
            });
        }
    }
    completions(client, own, coverage)?;
    if let Event::Observe(WatchEvent::Bookmark { .. }) = event {
        // The stages of all bodies are read again, as in a list.
        let known = client.memory.operations.iter_mut();
        known.for_each(|one| one.saw_end = true);
    }
    ended_by_stage(client, applied)
}

/// Those that a row's metadata may be of, each with how much of it is over (M7).
fn ids(operations: &[OperationInfo]) -> Vec<(resourcecache::OperationId, u8)> {
    let over = |o: &OperationInfo| match o.state {
        State::Acknowledged(Kind::Create | Kind::Update) => 1,
        State::Failed(_) => 2,
        _ => 0,
    };
    operations.iter().map(|o| (o.id, over(o))).collect()
}

/// Whether the event is a report of the whole's progress on this resource.
fn told<R: Resource>(event: &Event<R>, row: &Shown<R>, cache: &ResourceCache<R>) -> bool {
    match event {
        Event::UpdateMetadata { id, patch } => {
            let about = cache.get_one(id.as_str()).map(|item| item.key());
            about == Some(row.key) && patch.progress != Change::Keep
        }
        _ => false,
    }
}

fn count<R: Resource>(
    event: &Event<R>,
    meta: &resourcecache::Metadata,
    was: &resourcecache::Metadata,
    coverage: &mut Coverage,
) {
    if meta.stage.is_some() {
        coverage.met("P1");
    }
    if meta.expected_at.is_some() {
        coverage.met("P2");
    }
    let seen = matches!(
        event,
        Event::Merge(_) | Event::Observe(_) | Event::Acknowledge { .. }
    );
    if seen && meta.stage != was.stage {
        coverage.met("P3");
    }
    if meta.stalled == Some(true) {
        coverage.met("P5");
    }
}

/// What a stage has completed is shown as such for its time, and no longer.
fn completions<R: Subject>(
    client: &mut Client<R>,
    own: i64,
    coverage: &mut Coverage,
) -> Checked<R> {
    let shown_ms = client.completed_shown_ms;
    for row in &client.shown {
        let newest = client.cache.operations(&row.id).last().map(|o| o.id);
        let State::Acknowledged(kind @ (Kind::Process | Kind::Create)) = row.state else {
            // It may be completed once more.
            newest.and_then(|newest| client.memory.complete.remove(&newest));
            continue;
        };
        let stage = row.meta.as_ref().and_then(|meta| meta.stage.as_deref());
        let plan = client.cache.config().progress.get(&kind);
        let over = plan.zip(stage).and_then(|(plan, stage)| end(plan, stage));
        let (Some(StageEnd::Complete), Some(newest)) = (over, newest) else {
            continue;
        };
        coverage.met("P4");
        let since = *client.memory.complete.entry(newest).or_insert(own);
        if own >= since.saturating_add_unsigned(shown_ms) {
            let problem = format!(
                "{} has been shown as complete for {} ms",
                row.id,
                own - since
            );
            return Err(client.broken(COMPLETE_CLEARED, problem));
        }
    }
    Ok(())
}

/// Where a stage of its plan ends it, only that does, or the user's word.
fn ended_by_stage<R: Subject>(client: &Client<R>, applied: &Applied) -> Checked<R> {
    for outcome in &applied.changes.outcomes {
        let Some(one) = client.memory.get(outcome.operation) else {
            continue;
        };
        let plan = client.memory.plans.get(&one.kind);
        let ends = one.kind == Kind::Process && plan.is_some_and(has_end);
        let well = outcome.settlement == Settlement::Confirmed;
        if ends && well && !one.saw_end && !one.was_completed && !one.released {
            let problem = format!(
                "operation {} on {} is done, and no stage has ended it",
                one.operation, one.id
            );
            return Err(client.broken(STAGE_ENDS, problem));
        }
    }
    Ok(())
}
