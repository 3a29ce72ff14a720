//! The contract notices what is wrong with a store: each case is broken on purpose.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use resourcecache::{Config, Event, SavedKey, Snapshot, Timestamp};
use resourcecache_storage::{
    ChangeVisitor, Commit, CommitId, Leased, MemoryStore, PartVisitor, Since, Store, StoreError,
    StoreErrorKind, StoreRevision, StoredCache, Watch, contract,
};
use resourcecache_testing::Toy;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wrong {
    Nothing,
    DeletesWhatIsNotThere,
    CutsLongBytes,
    DropsEmptyBytes,
    FoldsKeys,
    TrimsKeys,
    CutsKeys,
    IgnoresTheExpectedRevision,
    ErrorsWithoutKey,
    WritesBeforeItRefuses,
    ForgetsIds,
    ForgetsIdsSoon,
    HidesRemovals,
    ChangesFromTheStart,
    ForgetsChangesInSilence,
    PagesWithTheLastKey,
    KeysInAnyOrder,
    IncarnationsAlike,
    DeletesAtAnyRevision,
    GoesOnAfterAnError,
    WritesSomeOfMany,
    LeasesToEveryone,
    TokensAlike,
    ReleasesForAnyone,
    NeverExpires,
    IgnoresFences,
    ChecksAndThenWrites,
    TearsReads,
    TellsNobody,
    TellsAlways,
    TellsOnAndOn,
    HidesNewPlaces,
    LosesPlaces,
    LosesOneInMany,
    RefusesInTheEnd,
}

struct Tampered {
    inner: Arc<MemoryStore>,
    wrong: Wrong,
}

struct Deaf;

impl Watch for Deaf {
    fn wait(&mut self, _: Duration) -> Result<bool, StoreError> {
        Ok(false)
    }
}

struct Noisy;

impl Watch for Noisy {
    fn wait(&mut self, _: Duration) -> Result<bool, StoreError> {
        Ok(true)
    }
}

struct Echoing(Box<dyn Watch>, bool);

impl Watch for Echoing {
    fn wait(&mut self, timeout: Duration) -> Result<bool, StoreError> {
        self.1 = self.1 || self.0.wait(timeout)?;
        Ok(self.1)
    }
}

use Wrong::*;

impl Tampered {
    fn is(&self, wrong: Wrong) -> bool {
        self.wrong == wrong
    }

    fn key(&self, key: &str) -> String {
        match self.wrong {
            FoldsKeys => key.to_lowercase(),
            TrimsKeys => key.trim().into(),
            CutsKeys => key.chars().take(255).collect(),
            _ => key.into(),
        }
    }

    /// A revision as it is told.
    fn out(&self, revision: StoreRevision) -> StoreRevision {
        let incarnation = if self.is(IncarnationsAlike) {
            1
        } else {
            revision.incarnation
        };
        StoreRevision {
            incarnation,
            ..revision
        }
    }

    /// One that was told, as it is.
    fn back(&self, key: &str, told: StoreRevision) -> StoreRevision {
        let now = self.inner.revision(key).ok().flatten();
        match now {
            Some(now) if self.is(IncarnationsAlike) => StoreRevision {
                incarnation: now.incarnation,
                ..told
            },
            _ => told,
        }
    }
}

impl Store for Tampered {
    fn load(
        &self,
        key: &str,
        part: &mut PartVisitor<'_>,
    ) -> Result<Option<StoreRevision>, StoreError> {
        let key = self.key(key);
        let before = self.inner.revision(&key)?;
        if self.is(TearsReads) {
            std::thread::sleep(Duration::from_micros(300));
        }
        let mut failed = Ok(());
        let at = self.inner.load(&key, &mut |name, bytes| {
            let bytes = if self.is(CutsLongBytes) {
                &bytes[..bytes.len().min(65_535)]
            } else {
                bytes
            };
            if self.is(DropsEmptyBytes) && bytes.is_empty() {
                return Ok(());
            }
            match part(name, bytes) {
                Err(error) if self.is(GoesOnAfterAnError) => {
                    failed = Err(error);
                    Ok(())
                }
                visited => visited,
            }
        })?;
        failed?;
        let at = if self.is(TearsReads) {
            before.or(at)
        } else {
            at
        };
        Ok(at.map(|revision| self.out(revision)))
    }

    fn commit(&self, key: &str, commit: &Commit) -> Result<StoreRevision, StoreError> {
        let key = self.key(key);
        let mut commit = commit.clone();
        commit.expect = commit.expect.map(|told| self.back(&key, told));
        match self.wrong {
            RefusesInTheEnd if commit.expect.is_some_and(|r| r.number == 20) => {
                let problem = "as the test asks";
                let conflict = StoreErrorKind::Conflict;
                return Err(StoreError::new(conflict, Some(&key), problem));
            }
            IgnoresTheExpectedRevision => commit.expect = self.inner.revision(&key)?,
            ChecksAndThenWrites => {
                let now = self.inner.revision(&key)?;
                std::thread::sleep(Duration::from_micros(300));
                if now == commit.expect {
                    commit.expect = self.inner.revision(&key)?;
                }
            }
            WritesBeforeItRefuses => {
                let now = self.inner.revision(&key)?;
                if now.is_some() && now != commit.expect {
                    let half = Commit {
                        id: CommitId::random()?,
                        expect: now,
                        ..commit.clone()
                    };
                    self.inner.commit(&key, &half)?;
                }
            }
            ForgetsIds => commit.id = CommitId::random()?,
            ForgetsIdsSoon => {
                let now = self.inner.revision(&key)?.map_or(0, |r| r.number);
                let expected = commit.expect.map_or(0, |r| r.number);
                if now > expected + 100 {
                    commit.id = CommitId::random()?;
                }
            }
            WritesSomeOfMany => commit.parts.truncate(10_000),
            IgnoresFences => commit.fence = None,
            LosesPlaces => commit
                .parts
                .retain(|(name, _)| !matches!(name, SavedKey::Place(_))),
            LosesOneInMany if commit.expect.is_some_and(|r| r.number % 16 == 15) => {
                commit.parts.clear();
            }
            _ => {}
        }
        let done = self.inner.commit(&key, &commit).map_err(|mut error| {
            if self.is(ErrorsWithoutKey) {
                error.key = None;
            }
            error
        })?;
        Ok(self.out(done))
    }

    fn changes_since(
        &self,
        key: &str,
        since: StoreRevision,
        part: &mut ChangeVisitor<'_>,
    ) -> Result<Since, StoreError> {
        let key = self.key(key);
        let since = self.back(&key, since);
        let from = match self.inner.revision(&key)? {
            Some(now) if self.is(ChangesFromTheStart) && since != now => StoreRevision {
                number: since.number.min(1),
                ..since
            },
            _ => since,
        };
        let changed = self.inner.changes_since(&key, from, &mut |name, bytes| {
            if self.is(HidesNewPlaces) && matches!(name, SavedKey::Place(_)) {
                return Ok(());
            }
            if self.is(HidesRemovals) && bytes.is_none() {
                return Ok(());
            }
            part(name, bytes)
        })?;
        let now = self.inner.revision(&key)?;
        Ok(match (changed, now) {
            (Since::TooOld, Some(now))
                if self.is(ForgetsChangesInSilence) && since.incarnation == now.incarnation =>
            {
                Since::Changes(now)
            }
            (Since::Changes(at), _) => Since::Changes(self.out(at)),
            (changed, _) => changed,
        })
    }

    fn revision(&self, key: &str) -> Result<Option<StoreRevision>, StoreError> {
        let revision = self.inner.revision(&self.key(key))?;
        Ok(revision.map(|revision| self.out(revision)))
    }

    fn keys(&self, after: Option<&str>, limit: usize) -> Result<Vec<String>, StoreError> {
        let mut keys = self.inner.keys(after, limit)?;
        if self.is(PagesWithTheLastKey) {
            keys.splice(0..0, after.map(String::from));
            keys.truncate(limit);
        }
        if self.is(KeysInAnyOrder) {
            keys.reverse();
        }
        Ok(keys)
    }

    fn delete(&self, key: &str, expect: Option<StoreRevision>) -> Result<bool, StoreError> {
        let key = self.key(key);
        let expect = expect.map(|told| self.back(&key, told));
        let expect = expect.filter(|_| !self.is(DeletesAtAnyRevision));
        let was = self.inner.delete(&key, expect)?;
        Ok(was || self.is(DeletesWhatIsNotThere))
    }

    fn acquire(
        &self,
        key: &str,
        lease: &str,
        holder: &str,
        ttl_ms: u64,
    ) -> Result<Leased, StoreError> {
        let holder = if self.is(LeasesToEveryone) {
            "all"
        } else {
            holder
        };
        let ttl_ms = if self.is(NeverExpires) {
            1 << 40
        } else {
            ttl_ms
        };
        let mut leased = self.inner.acquire(key, lease, holder, ttl_ms)?;
        if let (Leased::Held(fence), TokensAlike) = (&mut leased, self.wrong) {
            fence.token = 1;
        }
        Ok(leased)
    }

    fn release(&self, key: &str, lease: &str, holder: &str) -> Result<bool, StoreError> {
        if self.is(ReleasesForAnyone)
            && let Leased::Taken { holder, .. } = self.inner.acquire(key, lease, "nobody", 0)?
        {
            return self.inner.release(key, lease, &holder);
        }
        self.inner.release(key, lease, holder)
    }

    fn watch(&self, key: &str) -> Result<Option<Box<dyn Watch>>, StoreError> {
        match self.wrong {
            TellsNobody => Ok(Some(Box::new(Deaf))),
            TellsAlways => Ok(Some(Box::new(Noisy))),
            TellsOnAndOn => {
                let watch = self.inner.watch(key)?;
                Ok(watch.map(|watch| Box::new(Echoing(watch, false)) as Box<dyn Watch>))
            }
            _ => self.inner.watch(key),
        }
    }
}

/// Which case notices what.
const NOTICED: &[(&str, &[Wrong])] = &[
    (
        "there is nothing before the first commit",
        &[DeletesWhatIsNotThere],
    ),
    (
        "what is committed is loaded, byte for byte",
        &[CutsLongBytes, DropsEmptyBytes, LosesPlaces],
    ),
    ("keys are any text", &[FoldsKeys, TrimsKeys, CutsKeys]),
    (
        "a commit is refused at another revision, and writes nothing",
        &[
            IgnoresTheExpectedRevision,
            WritesBeforeItRefuses,
            ErrorsWithoutKey,
        ],
    ),
    (
        "a commit that is repeated is done once",
        &[ForgetsIds, ForgetsIdsSoon],
    ),
    (
        "changes are what was written since, as it is now",
        &[HidesRemovals, ChangesFromTheStart],
    ),
    (
        "changes are complete, or too old",
        &[ForgetsChangesInSilence],
    ),
    (
        "keys are listed in order, in pages",
        &[PagesWithTheLastKey, KeysInAnyOrder],
    ),
    (
        "what is deleted is gone, and is another when made anew",
        &[IncarnationsAlike, DeletesAtAnyRevision],
    ),
    ("an error of the reader is answered", &[GoesOnAfterAnError]),
    ("large commits are whole", &[WritesSomeOfMany]),
    (
        "one holds a lease, until it expires or is released",
        &[
            LeasesToEveryone,
            TokensAlike,
            ReleasesForAnyone,
            NeverExpires,
        ],
    ),
    (
        "of many who ask at once, one gets a lease",
        &[LeasesToEveryone],
    ),
    (
        "a superseded holder's commits are refused",
        &[IgnoresFences, NeverExpires],
    ),
    (
        "of writers at once, each commit is there exactly once",
        &[ChecksAndThenWrites, LosesOneInMany, RefusesInTheEnd],
    ),
    ("readers see whole commits", &[TearsReads, RefusesInTheEnd]),
    (
        "who watches hears of commits by others",
        &[TellsNobody, TellsAlways, TellsOnAndOn],
    ),
    (
        "two caches that take turns are as one",
        &[LosesPlaces, RefusesInTheEnd],
    ),
    (
        "caches at once lose no event, and do none twice",
        &[IgnoresTheExpectedRevision],
    ),
];

fn check(case: contract::Case, wrong: Wrong) -> bool {
    let inner = Arc::new(MemoryStore::new());
    let open = move || -> Arc<dyn Store> {
        let inner = inner.clone();
        Arc::new(Tampered { inner, wrong })
    };
    catch_unwind(AssertUnwindSafe(|| case.check(&open))).is_ok()
}

#[test]
fn each_case_notices_what_is_wrong() {
    let cases: Vec<contract::Case> = contract::cases().collect();
    let names: Vec<&str> = cases.iter().map(|case| case.name).collect();
    let known: Vec<&str> = NOTICED.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, known, "each case is broken by something");
    let mut passed = Vec::new();
    let mut tried = BTreeSet::new();
    for (case, (name, wrongs)) in cases.iter().zip(NOTICED) {
        if !check(*case, Nothing) {
            passed.push(format!("{name}: refuses a store in order"));
        }
        for wrong in *wrongs {
            tried.insert(*wrong);
            if check(*case, *wrong) {
                passed.push(format!("{name}: does not notice {wrong:?}"));
            }
        }
    }
    println!(
        "contract: {} cases notice {} faults",
        cases.len(),
        tried.len()
    );
    assert_eq!(passed, [""; 0]);
}

/// No case passes without having asked the store.
#[test]
fn a_store_that_fails_is_noticed_by_every_case() {
    struct Failing;
    fn no<T>() -> Result<T, StoreError> {
        Err(StoreError::new(
            StoreErrorKind::Other,
            None,
            "as the test asks",
        ))
    }
    impl Store for Failing {
        fn load(
            &self,
            _: &str,
            _: &mut PartVisitor<'_>,
        ) -> Result<Option<StoreRevision>, StoreError> {
            no()
        }
        fn commit(&self, _: &str, _: &Commit) -> Result<StoreRevision, StoreError> {
            no()
        }
        fn changes_since(
            &self,
            _: &str,
            _: StoreRevision,
            _: &mut ChangeVisitor<'_>,
        ) -> Result<Since, StoreError> {
            no()
        }
        fn revision(&self, _: &str) -> Result<Option<StoreRevision>, StoreError> {
            no()
        }
        fn keys(&self, _: Option<&str>, _: usize) -> Result<Vec<String>, StoreError> {
            no()
        }
        fn delete(&self, _: &str, _: Option<StoreRevision>) -> Result<bool, StoreError> {
            no()
        }
        fn acquire(&self, _: &str, _: &str, _: &str, _: u64) -> Result<Leased, StoreError> {
            no()
        }
        fn release(&self, _: &str, _: &str, _: &str) -> Result<bool, StoreError> {
            no()
        }
    }
    for case in contract::cases() {
        let open = || -> Arc<dyn Store> { Arc::new(Failing) };
        let checked = catch_unwind(AssertUnwindSafe(|| case.check(&open)));
        assert!(checked.is_err(), "{}", case.name);
    }
}

type Cache = StoredCache<Toy>;

fn cache(store: Arc<dyn Store>) -> Cache {
    Cache::open(store, "zones", Config::default(), Timestamp(0)).unwrap()
}

fn list(ids: std::ops::Range<u32>) -> Event<Toy> {
    let items = ids.map(|id| Toy::new(format!("z{id}"), [0, 0, 0]));
    Event::Merge(Snapshot::complete(items.collect()))
}

/// Changes that do not follow on what is in memory are not taken for the whole: all is read anew.
#[test]
fn changes_with_a_gap_lead_to_reading_all() {
    let inner = Arc::new(MemoryStore::new());
    let wrong = HidesNewPlaces;
    let mut here = cache(Arc::new(Tampered {
        inner: inner.clone(),
        wrong,
    }));
    let mut there = cache(inner);
    there.apply(list(0..3), Timestamp(1)).unwrap();
    here.sync().unwrap();
    there.apply(list(1..5), Timestamp(2)).unwrap();
    let changes = here.sync().unwrap();
    assert_eq!((changes.upserted.len(), changes.removed.len()), (2, 1));
    assert_eq!(here.cache().record(), there.cache().record());
    assert_eq!(here.revision(), there.revision());
}
