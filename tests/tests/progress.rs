//! What is told of an operation with a plan, over random reports, lists and silences, is what a
//! naive model says that counts every tenth of a second (P1 to P6).

mod common;

use proptest::prelude::*;
use resourcecache::{
    Change, Config, Event, Kind, MetadataPatch, OperationId, ProgressPlan, ResourceCache,
    Settlement, Snapshot, Stage, Timestamp, VersionOrder,
};
use resourcecache_testing::Toy;

const NAMES: [&str; 5] = ["a", "b", "c", "done", "bad"];
const WEIGHTS: [u64; 5] = [1, 3, 2, 0, 0];
const EXPECTED: [i64; 5] = [1_000, 3_000, 2_000, 0, 0];
const DONE: usize = 3;
const BAD: usize = 4;

const TICK: i64 = 100;
const TTL: i64 = 1_000;
const STALE: i64 = 5_000;
const STALLED: i64 = 1_500;
const COMPLETE_SHOWN: i64 = 200;
const ERROR_SHOWN: i64 = 500;

#[derive(Clone, Debug)]
enum Step {
    Report {
        stage: Option<usize>,
        part: Option<u8>,
        progress: Option<u8>,
    },
    /// The field that the rule looks at.
    List(i64),
    Answer,
    Complete,
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let maybe = |most: u8| proptest::option::of(0..=most);
    let report = (
        proptest::option::of(0..4_usize),
        maybe(100),
        proptest::option::weighted(0.2, 0..=100_u8),
    );
    prop_oneof![
        4 => report.prop_map(|(stage, part, progress)| Step::Report { stage, part, progress }),
        6 => (0..7_i64).prop_map(Step::List),
        1 => Just(Step::Answer),
        1 => (0..12_u8).prop_map(|n| if n == 0 { Step::Complete } else { Step::Wait(TICK) }),
        6 => (1..25_i64).prop_map(|n| Step::Wait(n * TICK)),
    ]
}

/// The stage that a field means.
fn named(field: i64) -> Option<usize> {
    usize::try_from(field - 1)
        .ok()
        .filter(|stage| *stage < NAMES.len())
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Life {
    Running,
    Complete(i64),
    Failed(i64),
    Over,
}

/// What is known by counting: one operation, begun at 0.
#[derive(Debug)]
struct Naive {
    now: i64,
    life: Life,
    answered: bool,
    stage: usize,
    part: Option<u8>,
    /// Every number that progress has come to since it was last set.
    percents: Vec<u64>,
    /// Tenths of a second of silence.
    silence: i64,
    silence_to_stale: i64,
    guard_end: i64,
    old_end: Option<usize>,
    at_work: bool,
    copy: i64,
    expected_at: Option<i64>,
    versions: bool,
    outcomes: Vec<Settlement>,
}

impl Naive {
    fn new(field: i64, versions: bool) -> Self {
        let mut naive = Self {
            now: 0,
            life: Life::Running,
            answered: false,
            stage: 0,
            part: None,
            percents: vec![0],
            silence: 0,
            silence_to_stale: 0,
            guard_end: TTL,
            old_end: named(field).filter(|stage| *stage >= DONE),
            at_work: false,
            copy: field,
            expected_at: None,
            versions,
            outcomes: Vec::new(),
        };
        let first = named(field).filter(|stage| *stage < DONE).unwrap_or(0);
        naive.enter(first);
        naive
    }

    fn enter(&mut self, stage: usize) {
        (self.stage, self.part) = (stage, None);
        self.count();
    }

    fn count(&mut self) {
        let done: u64 = WEIGHTS[..self.stage].iter().sum();
        let part = u64::from(self.part.unwrap_or(0));
        match self.stage {
            DONE => self.percents.push(100),
            BAD => {}
            stage => self.percents.push((done * 100 + WEIGHTS[stage] * part) / 6),
        }
        let left: i64 = EXPECTED[self.stage..].iter().sum();
        let own = EXPECTED[self.stage] * i64::try_from(part).unwrap() / 100;
        self.expected_at = Some(self.now + left - own);
    }

    fn hear(&mut self) {
        (self.silence, self.silence_to_stale) = (0, 0);
    }

    fn tick(&mut self) {
        self.now += TICK;
        self.silence += TICK;
        self.silence_to_stale += TICK;
        match self.life {
            Life::Complete(since) if self.now >= since + COMPLETE_SHOWN => {
                self.life = Life::Over;
                self.outcomes.push(Settlement::Confirmed);
            }
            Life::Failed(since) if self.now >= since + ERROR_SHOWN => self.life = Life::Over,
            Life::Running
                if self.silence_to_stale >= STALE
                    && self.now >= self.guard_end
                    && !self.at_work =>
            {
                self.life = Life::Over;
                self.outcomes.push(Settlement::Stale);
            }
            _ => {}
        }
    }

    fn end(&mut self) {
        match self.stage {
            DONE => {
                self.life = Life::Complete(self.now);
                self.percents = vec![100];
                self.expected_at = None;
            }
            BAD => {
                self.life = Life::Failed(self.now);
                self.outcomes.push(Settlement::Failed);
                self.expected_at = None;
            }
            _ => {}
        }
    }

    fn report(&mut self, stage: Option<usize>, part: Option<u8>, progress: Option<u8>) {
        // After its end the words are still taken.
        let moved = stage.filter(|stage| *stage != self.stage);
        self.hear();
        if let Some(stage) = moved {
            self.enter(stage);
        }
        if part.is_some() {
            self.part = part;
            self.count();
        }
        if let Some(progress) = progress {
            self.percents = vec![progress.into()];
        }
        if moved.is_some() {
            self.end();
        }
    }

    fn list(&mut self, field: i64) {
        let named = named(field);
        // The same copy again is no news, but for an old end whose guard is over.
        let again = self.copy == field && !self.versions && self.old_end.is_none();
        self.copy = field;
        if again {
            return;
        }
        if self.old_end.is_some() && self.old_end == named && self.now < self.guard_end {
            return;
        }
        self.old_end = None;
        if self.at_work && named.is_none() {
            self.silence_to_stale = 0;
            // What it works on is not known any more: that is no silence yet.
            self.silence = 0;
        }
        self.at_work = named.is_some();
        let Some(stage) = named else { return };
        if stage > self.stage || stage < self.stage && self.versions {
            self.hear();
            self.enter(stage);
            self.end();
        }
    }
}

/// The core and the model, side by side.
struct Pair {
    cache: ResourceCache<Toy>,
    naive: Naive,
    operation: OperationId,
    outcomes: Vec<Settlement>,
    lists: u64,
}

impl Pair {
    fn new(field: i64, versions: bool) -> Self {
        let mut config = Config::default();
        (config.ttl_ms, config.stale_after_ms) = (TTL as u64, STALE as u64);
        config.completed_shown_ms = COMPLETE_SHOWN as u64;
        config.error_shown_ms = ERROR_SHOWN as u64;
        config.version_order = VersionOrder::Integer;
        let stages = (0..5).map(|i| {
            let stage = Stage::new(NAMES[i])
                .weight(WEIGHTS[i] as u32)
                .expected_ms(EXPECTED[i] as u64);
            match i {
                DONE => stage.completes(),
                BAD => stage.fails(None),
                _ => stage,
            }
        });
        let plan = ProgressPlan::new(stages)
            .rule(
                "0",
                [
                    ("1", "a"),
                    ("2", "b"),
                    ("3", "c"),
                    ("4", "done"),
                    ("5", "bad"),
                ],
            )
            .stalled_after_ms(STALLED as u64);
        config.progress.insert(Kind::Process, plan);
        let mut pair = Self {
            cache: ResourceCache::new(config),
            naive: Naive::new(field, versions),
            operation: OperationId(0),
            outcomes: Vec::new(),
            lists: 0,
        };
        pair.list(field);
        let begun = pair
            .cache
            .mark_as_processing("x", Kind::Process, Timestamp(0))
            .unwrap();
        pair.operation = begun.operation().unwrap();
        pair
    }

    fn apply(&mut self, event: Event<Toy>) {
        let applied = self.cache.apply(event, Timestamp(self.naive.now)).unwrap();
        let told = applied
            .changes
            .outcomes
            .iter()
            .map(|outcome| outcome.settlement);
        self.outcomes.extend(told);
    }

    fn list(&mut self, field: i64) {
        self.lists += 1;
        let mut toy = Toy::new("x", [field, 0, 0]);
        toy.version = self.naive.versions.then(|| self.lists.to_string());
        self.apply(Event::Merge(Snapshot::complete(vec![toy])));
    }

    fn play(&mut self, step: &Step) {
        let running = self.naive.life == Life::Running;
        match *step {
            Step::Wait(ms) => (0..ms / TICK).for_each(|_| self.naive.tick()),
            Step::List(field) => {
                self.list(field);
                if running {
                    self.naive.list(field);
                }
            }
            Step::Report {
                stage,
                part,
                progress,
            } if running => {
                let percent = |p: Option<u8>| p.map_or(Change::Keep, |p| Change::Set(p.into()));
                let patch = MetadataPatch {
                    stage: stage.map_or(Change::Keep, |s| Change::Set(NAMES[s].into())),
                    stage_progress: percent(part),
                    progress: percent(progress),
                    ..MetadataPatch::default()
                };
                self.apply(Event::UpdateMetadata {
                    id: "x".into(),
                    patch,
                });
                if stage.is_some() || part.is_some() || progress.is_some() {
                    self.naive.report(stage, part, progress);
                }
            }
            Step::Answer if running && !self.naive.answered => {
                let operation = self.operation;
                self.apply(Event::Acknowledge {
                    operation,
                    answer: None,
                });
                self.naive.answered = true;
                self.naive.guard_end = self.naive.now + TTL;
                self.naive.hear();
            }
            Step::Complete if running => {
                self.apply(Event::Complete { id: "x".into() });
                self.naive.life = Life::Complete(self.naive.now);
                self.naive.percents = vec![100];
                self.naive.expected_at = None;
            }
            _ => {}
        }
        self.apply(Event::HandleTimeout);
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let naive = &self.naive;
        prop_assert_eq!(&self.outcomes, &naive.outcomes);
        let meta = self.cache.get_one("x").unwrap().meta();
        if naive.life == Life::Over {
            prop_assert_eq!(meta, None);
            return Ok(());
        }
        let meta = meta.unwrap();
        prop_assert_eq!(meta.stage.as_deref(), Some(NAMES[naive.stage]));
        prop_assert_eq!(meta.stage_progress, naive.part.map(f64::from));
        let most = naive.percents.iter().max().copied();
        prop_assert_eq!(meta.progress.map(|p| p as u64), most);
        let expected = naive.expected_at.map(Timestamp);
        prop_assert_eq!(meta.expected_at, expected);
        let stalled = naive.life == Life::Running && naive.silence >= STALLED;
        prop_assert_eq!(meta.stalled == Some(true), stalled);
        prop_assert_eq!(meta.completed_at.is_some(), naive.life != Life::Running);
        Ok(())
    }
}

proptest! {
    #![proptest_config(common::cases(4_000))]

    #[test]
    fn what_is_told_of_progress_is_what_the_model_says(
        field in 0..7_i64,
        versions: bool,
        steps in proptest::collection::vec(step(), 1..40),
    ) {
        let mut pair = Pair::new(field, versions);
        pair.check()?;
        for step in &steps {
            let before = pair.naive.percents.iter().max().copied();
            pair.play(step);
            pair.check()?;
            let told = matches!(step, Step::Report { progress: Some(_), .. });
            prop_assert!(told || pair.naive.percents.iter().max().copied() >= before);
        }
    }
}
