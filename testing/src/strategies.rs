//! Random events and histories of a resource type of your own.
//!
//! [`history`](crate::history()) plays the [`Toy`](crate::Toy) over a simulated server. These know
//! nothing of your server: its lists are random too, so that they are wilder than any server's.
//!
//! ```
//! use proptest::prelude::*;
//! use resourcecache_testing::{Toy, strategies};
//! let bodies = ("[abc]", 0..3_i64).prop_map(|(id, n)| Toy::new(id, [n, 0, 0]));
//! let patches = (0..3_i64).prop_map(|n| [Some(n), None, None]);
//! proptest!(|(history in strategies::history::<Toy>(bodies, patches))| {
//!     let mut stage = strategies::Stage::<Toy>::new(resourcecache_testing::Player::config());
//!     for happening in &history {
//!         stage.play(happening);
//!         prop_assert!(stage.cache.visible().count() <= stage.cache.all().count());
//!     }
//! });
//! ```

use proptest::collection::vec;
use proptest::prelude::*;
use resourcecache::{
    Applied, Change, Config, Coverage, Error, Event, FetchToken, Kind, MetadataPatch, OperationId,
    Resource, ResourceCache, ResourceId, Retry, Snapshot, Timestamp, WatchEvent,
};

pub use crate::promises::hold;

/// One thing that happens to a collection.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // there are few, for a short time
pub enum Happening<R: Resource> {
    /// So many milliseconds pass.
    Wait(i64),
    /// An event.
    Event(Event<R>),
    /// A list call starts.
    Fetch,
    /// One of the list calls under way is answered, the first of them or a later one.
    Answer(usize, Vec<R>),
}

/// The numbers of the operations that a short history begins.
fn operation() -> impl Strategy<Value = OperationId> {
    (1..9_u64).prop_map(OperationId)
}

/// What an app asks for, answers, and observes. Operations are named by small numbers, which a
/// short history begins; ids are those of the bodies.
pub fn event<R: Resource + 'static>(
    bodies: impl Strategy<Value = R> + 'static,
    patches: impl Strategy<Value = R::Patch> + 'static,
) -> impl Strategy<Value = Event<R>> {
    let (bodies, patches) = (bodies.boxed(), patches.boxed());
    prop_oneof![
        6 => asked(&bodies, &patches),
        4 => answered(&bodies, &patches),
        4 => observed(&bodies),
        1 => Just(Event::HandleTimeout),
        1 => prop_oneof![Just(500_u64), Just(3_000)]
            .prop_map(|older_than_ms| Event::CleanupStaleOperations { older_than_ms }),
    ]
}

fn asked<R: Resource + 'static>(
    bodies: &BoxedStrategy<R>,
    patches: &BoxedStrategy<R::Patch>,
) -> BoxedStrategy<Event<R>> {
    let id = bodies.clone().prop_map(|body| ResourceId::from(body.id()));
    let kind = prop::sample::select(&[Kind::Delete, Kind::Process, Kind::Update, Kind::Create][..]);
    let ttl = prop_oneof![3 => Just(None), 1 => Just(Some(2_500_u64))];
    let begin = |id, kind, patch, min_ttl_ms| Event::Begin {
        id,
        kind,
        patch,
        min_ttl_ms,
    };
    prop_oneof![
        6 => (id.clone(), patches.clone()).prop_map(move |(id, p)| begin(id, Kind::Update, Some(p), None)),
        3 => (id.clone(), kind, ttl).prop_map(move |(id, kind, ttl)| begin(id, kind, None, ttl)),
        2 => bodies.clone().prop_map(|resource| Event::Create { resource, min_ttl_ms: None }),
        1 => id.clone().prop_map(|id| Event::Revert { id }),
        1 => id.clone().prop_map(|id| Event::Remove { id }),
        1 => id.clone().prop_map(|id| Event::Complete { id }),
        1 => (id, 0..=100_u8).prop_map(|(id, percent)| {
            let progress = Change::Set(f64::from(percent));
            Event::UpdateMetadata { id, patch: MetadataPatch { progress, ..MetadataPatch::default() } }
        }),
    ]
    .boxed()
}

fn answered<R: Resource + 'static>(
    bodies: &BoxedStrategy<R>,
    patches: &BoxedStrategy<R::Patch>,
) -> BoxedStrategy<Event<R>> {
    let id = bodies.clone().prop_map(|body| ResourceId::from(body.id()));
    let answer = prop::option::of(bodies.clone());
    let retry = prop_oneof![
        Just(Retry::No),
        Just(Retry::Backoff),
        Just(Retry::After(700))
    ];
    let failed = |(operation, retry)| Event::Fail {
        operation,
        error: "503".into(),
        retry,
    };
    prop_oneof![
        6 => (operation(), answer).prop_map(|(operation, answer)| Event::Acknowledge { operation, answer }),
        2 => (operation(), retry).prop_map(failed),
        1 => operation().prop_map(|operation| Event::Attempt { operation }),
        1 => operation().prop_map(|operation| Event::Cancel { operation }),
        1 => (id.clone(), patches.clone()).prop_map(|(id, patch)| Event::UpdateInPlace { id, patch }),
        1 => (id, bodies.clone()).prop_map(|(temp_id, resource)| Event::ReplaceCreated { temp_id, resource }),
    ]
    .boxed()
}

fn observed<R: Resource + 'static>(bodies: &BoxedStrategy<R>) -> BoxedStrategy<Event<R>> {
    let list = vec(bodies.clone(), 0..5);
    let some = (vec(bodies.clone(), 0..3), vec(bodies.clone(), 0..3)).prop_map(|(listed, more)| {
        let ids = listed
            .iter()
            .chain(&more)
            .map(|body| ResourceId::from(body.id()));
        let coverage = Coverage::Ids(ids.collect());
        Event::Merge(Snapshot::complete(listed).covering(coverage))
    });
    let told = |make: fn(R) -> WatchEvent<R>| {
        bodies
            .clone()
            .prop_map(move |body| Event::Observe(make(body)))
    };
    prop_oneof![
        6 => list.prop_map(|items| Event::Merge(Snapshot::complete(items))),
        1 => some,
        1 => told(WatchEvent::Added),
        1 => told(WatchEvent::Modified),
        1 => told(WatchEvent::Deleted),
        1 => Just(Event::Observe(WatchEvent::Bookmark { version: None })),
        1 => Just(Event::Observe(WatchEvent::Expired)),
    ]
    .boxed()
}

/// One thing that happens.
pub fn happening<R: Resource + 'static>(
    bodies: impl Strategy<Value = R> + 'static,
    patches: impl Strategy<Value = R::Patch> + 'static,
) -> impl Strategy<Value = Happening<R>> {
    let wait = prop::sample::select(&[1_i64, 50, 200, 450, 1_000, 2_600, 6_000][..]);
    let bodies = bodies.boxed();
    let list = vec(bodies.clone(), 0..5);
    prop_oneof![
        2 => wait.prop_map(Happening::Wait),
        8 => event(bodies, patches).prop_map(Happening::Event),
        1 => Just(Happening::Fetch),
        1 => (0..3_usize, list).prop_map(|(call, items)| Happening::Answer(call, items)),
    ]
}

/// Up to 40 things that happen to one collection.
pub fn history<R: Resource + 'static>(
    bodies: impl Strategy<Value = R> + 'static,
    patches: impl Strategy<Value = R::Patch> + 'static,
) -> impl Strategy<Value = Vec<Happening<R>>> {
    vec(happening(bodies, patches), 0..40)
}

/// Plays histories on a cache.
#[derive(Clone, Debug)]
pub struct Stage<R: Resource> {
    /// The cache.
    pub cache: ResourceCache<R>,
    /// The caller's clock.
    pub now: Timestamp,
    calls: Vec<FetchToken>,
}

/// An event as it was applied, when, and what the cache answered.
pub type Done<R> = (Event<R>, Timestamp, Result<Applied, Error>);

impl<R: Resource> Stage<R> {
    /// An empty cache with these settings.
    pub fn new(config: Config) -> Self {
        Self {
            cache: ResourceCache::new(config),
            now: Timestamp(1_000_000),
            calls: Vec::new(),
        }
    }

    /// Plays one thing: at most one event.
    pub fn play(&mut self, happening: &Happening<R>) -> Option<Done<R>> {
        let event = match happening {
            Happening::Wait(ms) => {
                self.now.0 += ms;
                return None;
            }
            Happening::Event(event) => event.clone(),
            Happening::Fetch => Event::BeginFetch,
            Happening::Answer(..) if self.calls.is_empty() => return None,
            Happening::Answer(call, items) => {
                let token = self.calls.remove(call % self.calls.len());
                Event::Merge(Snapshot::complete(items.clone()).with_token(token))
            }
        };
        Some(self.apply(event))
    }

    /// Applies an event now.
    pub fn apply(&mut self, event: Event<R>) -> Done<R> {
        let answer = self.cache.apply(event.clone(), self.now);
        self.calls
            .extend(answer.iter().filter_map(|applied| applied.token));
        (event, self.now, answer)
    }
}
