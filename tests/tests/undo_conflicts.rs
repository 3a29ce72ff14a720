//! What undo and redo change is what the user changed, and what others changed since is left alone
//! and told (H3), whatever fails, lags or is reloaded in between.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use resourcecache::{
    Applied, Config, ConflictReason, Event, Kind, OperationId, Resource, ResourceCache, Retry,
    Snapshot, Timestamp, VersionOrder,
};
use resourcecache_testing::Toy;

const IDS: [&str; 3] = ["a", "b", "c"];

#[derive(Clone, Debug)]
enum Step {
    /// Which fields of which resources, each as a part of one step.
    Edit(Vec<(usize, [bool; 3])>),
    /// Somebody else changes a field.
    Server(usize, usize),
    /// The next call reaches the server and is answered, or is refused.
    Call(bool),
    /// A list that is so many changes old.
    List(usize),
    Undo,
    Redo,
    Reload,
}

fn step() -> impl Strategy<Value = Step> {
    let part = (0..3_usize, any::<[bool; 3]>());
    prop_oneof![
        5 => proptest::collection::vec(part, 1..3).prop_map(Step::Edit),
        3 => (0..3_usize, 0..3_usize).prop_map(|(id, field)| Step::Server(id, field)),
        5 => proptest::bool::weighted(0.8).prop_map(Step::Call),
        3 => (0..4_usize).prop_map(Step::List),
        4 => Just(Step::Undo),
        2 => Just(Step::Redo),
        1 => Just(Step::Reload),
    ]
}

/// A field of a resource, by both their numbers.
type Field = (usize, usize);
type Values = BTreeMap<Field, i64>;

struct World {
    cache: ResourceCache<Toy>,
    queued: bool,
    now: i64,
    /// No value is ever given twice, so that it tells who made it.
    next_value: i64,
    server: Vec<Vec<Toy>>,
    calls: Vec<OperationId>,
    /// By the label of each step and field, the values before and after.
    made: BTreeMap<String, BTreeMap<Field, (i64, i64)>>,
    /// Steps of which a call was refused, or that were undone before.
    touched: BTreeSet<String>,
    steps: BTreeMap<OperationId, String>,
}

impl World {
    fn new(queued: bool) -> Self {
        let mut config = Config::default();
        config.seed = 7;
        config.version_order = VersionOrder::Integer;
        let toys = (0..3).map(|n| {
            let mut toy = Toy::new(IDS[n], [-1, -2, -3].map(|v| v - 10 * n as i64));
            toy.version = Some("0".into());
            toy
        });
        let mut world = Self {
            cache: ResourceCache::new(config),
            queued,
            now: 0,
            next_value: 1,
            server: vec![toys.collect()],
            calls: Vec::new(),
            made: BTreeMap::new(),
            touched: BTreeSet::new(),
            steps: BTreeMap::new(),
        };
        world.list(0);
        world
    }

    fn time(&self) -> Timestamp {
        Timestamp(self.now)
    }

    fn shown(&self) -> Values {
        let body = |n: usize| self.cache.get_one(IDS[n]).unwrap().body().fields;
        let fields = (0..3).flat_map(|n| (0..3).map(move |field| (n, field)));
        fields
            .map(|(n, field)| ((n, field), body(n)[field]))
            .collect()
    }

    fn list(&mut self, age: usize) {
        let at = self.server.len().saturating_sub(age + 1);
        let list = Snapshot::complete(self.server[at].clone());
        self.cache.merge(list, self.time()).unwrap();
    }

    /// What the server has now, with a patch laid over one resource.
    fn change(&mut self, n: usize, patch: &[Option<i64>; 3]) -> Toy {
        let mut toys = self.server.last().unwrap().clone();
        toys[n] = toys[n].apply(patch);
        toys[n].version = Some(self.server.len().to_string());
        let answer = toys[n].clone();
        self.server.push(toys);
        answer
    }

    fn edit(&mut self, parts: &[(usize, [bool; 3])]) -> Result<(), TestCaseError> {
        let shown = self.shown();
        let label = self.next_value.to_string();
        let mut made: BTreeMap<Field, (i64, i64)> = BTreeMap::new();
        let mut events = Vec::new();
        for (n, which) in parts {
            let mut patch = [None; 3];
            for field in (0..3).filter(|field| which[*field]) {
                if made.contains_key(&(*n, field)) {
                    continue;
                }
                patch[field] = Some(self.next_value);
                made.insert((*n, field), (shown[&(*n, field)], self.next_value));
                self.next_value += 1;
            }
            if patch == [None; 3] {
                continue;
            }
            let begin = Event::Begin {
                id: IDS[*n].into(),
                kind: Kind::Update,
                patch: Some(patch),
                min_ttl_ms: None,
            };
            events.push(match self.queued {
                true => Event::Queue {
                    begin: Box::new(begin),
                    send_after_ms: 0,
                },
                false => begin,
            });
        }
        if !events.is_empty() {
            let done = self
                .cache
                .perform(&label, Event::Batch(events), self.time())
                .unwrap();
            self.begun(&label, &done);
            self.made.insert(label, made);
        }
        Ok(())
    }

    fn begun(&mut self, label: &str, done: &Applied) {
        for operation in &done.operations {
            self.steps.insert(*operation, label.to_string());
            if !self.queued {
                self.calls.push(*operation);
            }
        }
    }

    fn call(&mut self, accepted: bool) {
        let (operation, n, patches) = if self.queued {
            let (attempt, _) = self.cache.poll_attempt(self.time()).unwrap();
            let Some(attempt) = attempt else { return };
            (attempt.operation, attempt.id, attempt.patches)
        } else {
            if self.calls.is_empty() {
                return;
            }
            let Some(request) = self.cache.request_of(self.calls.remove(0)) else {
                return;
            };
            (
                request.operation,
                request.id,
                request.patch.into_iter().collect(),
            )
        };
        let n = IDS.iter().position(|id| *id == n.as_str()).unwrap();
        if accepted {
            let answer = patches
                .iter()
                .fold(None, |_, patch| Some(self.change(n, patch)));
            self.cache
                .acknowledge(operation, answer, self.time())
                .unwrap();
            return;
        }
        let failed = self
            .cache
            .fail(operation, "no", Retry::No, self.time())
            .unwrap();
        for outcome in &failed.changes.outcomes {
            self.touched.insert(self.steps[&outcome.operation].clone());
        }
    }

    fn take(&mut self, undo: bool) -> Result<(), TestCaseError> {
        let label = match undo {
            true => self.cache.undo_label(),
            false => self.cache.redo_label(),
        };
        let label = label.map(str::to_string);
        let before = self.shown();
        let done = match undo {
            true => self.cache.undo(self.time()),
            false => self.cache.redo(self.time()),
        };
        let done = done.unwrap();
        let after = self.shown();
        let Some(label) = label else {
            prop_assert_eq!(&before, &after);
            prop_assert_eq!(done.operations.len(), 0);
            return Ok(());
        };
        self.begun(&label, &done);
        let fresh = undo && !self.touched.contains(&label);
        self.touched.insert(label.clone());
        let told: BTreeSet<String> = done
            .conflicts
            .iter()
            .flat_map(|conflict| match &conflict.reason {
                ConflictReason::Changed { fields } => {
                    let place = |text: &String| text.split(',').position(|f| f.contains("Some"));
                    let names = fields.iter().map(|f| place(f).unwrap());
                    names.map(|f| format!("{} {f}", conflict.id)).collect()
                }
                other => vec![format!("{other:?}")],
            })
            .collect();
        let mut left = BTreeSet::new();
        let has_inverse = |n: &usize| {
            let mut operations = self.cache.operations(IDS[*n]).into_iter();
            operations.any(|o| done.operations.contains(&o.id))
        };
        let inverse: Vec<usize> = (0..3).filter(has_inverse).collect();
        for (field, was) in &before {
            let is = after[field];
            let made = self.made[&label].get(field);
            let (from, to) = match (made, undo) {
                (Some((old, new)), true) => (*new, *old),
                (Some((old, new)), false) => (*old, *new),
                (None, _) => {
                    prop_assert_eq!(*was, is, "{:?} is not the step's", field);
                    continue;
                }
            };
            if *was != is && !inverse.contains(&field.0) {
                // Taken back before it was sent: what the server has shows again.
                let had = |list: &Vec<Toy>| list[field.0].fields[field.1] == is;
                prop_assert!(is == to || self.server.iter().any(had), "{:?}", field);
            } else if *was != is {
                prop_assert_eq!((*was, is), (from, to), "{:?}", field);
            }
            if *was != from && *was != to {
                left.insert(format!("{} {}", IDS[field.0], field.1));
            }
            if fresh {
                prop_assert!(is != from, "{:?} was not undone", field);
            }
        }
        if fresh {
            prop_assert_eq!(told, left);
        } else {
            prop_assert!(told.is_subset(&left), "{:?} of {:?}", told, left);
        }
        Ok(())
    }

    fn play(&mut self, step: &Step) -> Result<(), TestCaseError> {
        self.now += 1;
        match step {
            Step::Edit(parts) => self.edit(parts)?,
            Step::Server(n, field) => {
                let mut patch = [None; 3];
                patch[*field] = Some(self.next_value);
                self.next_value += 1;
                self.change(*n, &patch);
            }
            Step::Call(accepted) => self.call(*accepted),
            Step::List(age) => self.list(*age),
            Step::Undo => self.take(true)?,
            Step::Redo => self.take(false)?,
            Step::Reload => {
                let labels = |cache: &ResourceCache<Toy>| -> Vec<String> {
                    let all = cache.undo_labels().chain(cache.redo_labels());
                    all.map(str::to_string).collect()
                };
                let before = labels(&self.cache);
                let text = serde_json::to_vec(&self.cache.record()).unwrap();
                let record = serde_json::from_slice(&text).unwrap();
                let config = self.cache.config().clone();
                self.cache = ResourceCache::restore(config, record, self.time()).unwrap();
                prop_assert_eq!(labels(&self.cache), before);
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(common::cases(3_000))]

    #[test]
    fn undo_and_redo_change_only_what_the_user_made(
        queued: bool,
        steps in proptest::collection::vec(step(), 1..40),
    ) {
        let mut world = World::new(queued);
        for step in &steps {
            world.play(step)?;
        }
    }
}
