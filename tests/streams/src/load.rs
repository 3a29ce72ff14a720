//! Load: many resources, a minute of events at full speed in virtual time, operations pending all
//! the while. What an event costs, and what memory there is, at the start and at the end.

use std::time::Instant;

use resourcecache::json::{JsonResource, Schema};
use resourcecache::{
    Config, JsonCache, OperationId, Timestamp, VersionOrder, WatchAction, WatchConfig, WatchSession,
};

/// Events of one second of virtual time.
pub const RATE: usize = 1_000;
/// How long an acknowledged operation is guarded, so that as many come as go after a few seconds.
const TTL_MS: u64 = 2_000;

/// What is played.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// How many resources are listed.
    pub resources: usize,
    /// How many events follow, [`RATE`] to a second.
    pub events: usize,
    /// How many operations are unsettled all the time.
    pub pending: usize,
}

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// Nanoseconds an event in the first and in the last tenth: the median of parts of a hundred.
    pub cost_ns: (f64, f64),
    /// KiB resident after the first tenth and at the end, and the most ever; 0 where the system
    /// does not tell.
    pub memory_kib: (u64, u64, u64),
    /// Operations that were confirmed on the way.
    pub confirmed: usize,
    /// Rows at the end.
    pub rows: usize,
}

impl Load {
    /// A minute of the load that is promised.
    pub const MINUTE: Self = Self {
        resources: 100_000,
        events: 60 * RATE,
        pending: 1_000,
    };

    /// Plays it.
    ///
    /// # Panics
    ///
    /// Anything is refused.
    pub fn play(self) -> Measured {
        let mut player = Player::new(self);
        let tenth = self.events / 10;
        let first = player.play(0..tenth);
        let early = memory_kib("VmRSS:");
        player.play(tenth..self.events - tenth);
        let last = player.play(self.events - tenth..self.events);
        assert_eq!(player.pending.len(), self.pending);
        Measured {
            cost_ns: (first, last),
            memory_kib: (early, memory_kib("VmRSS:"), memory_kib("VmHWM:")),
            confirmed: player.confirmed,
            rows: player.cache.visible().count(),
        }
    }
}

impl Measured {
    /// Says what is not flat: an event at the end costs at most half as much again as at the start,
    /// and memory has grown by a tenth and 8 MiB at most.
    ///
    /// # Errors
    ///
    /// What grew, and how much.
    pub fn flat(&self) -> Result<(), String> {
        let (first, last) = self.cost_ns;
        if last > 1.5 * first {
            return Err(format!(
                "an event cost {first:.0} ns, and {last:.0} ns at the end"
            ));
        }
        let (early, late, _) = self.memory_kib;
        if late > early + early / 10 + (8 << 10) {
            return Err(format!("memory was {early} KiB, and {late} KiB at the end"));
        }
        Ok(())
    }
}

/// The list of this many resources, as a server writes it.
pub fn list(resources: usize) -> String {
    let items: Vec<String> = (0..resources).map(|n| object(n, n, 0, 300)).collect();
    format!(
        r#"{{"metadata":{{"resourceVersion":"{resources}"}},"items":[{}]}}"#,
        items.join(",")
    )
}

/// One resource.
pub fn object(number: usize, version: usize, serial: usize, ttl: usize) -> String {
    format!(
        r#"{{"metadata":{{"name":"zone-{number}","uid":"u{number}","resourceVersion":"{version}"}},"spec":{{"fqdn":"zone-{number}.example","serial":{serial},"ttl":{ttl}}}}}"#
    )
}

/// The event that tells of a resource.
pub fn event(kind: &str, object: &str) -> String {
    format!(r#"{{"type":"{kind}","object":{object}}}"#)
}

struct Player {
    load: Load,
    schema: Schema,
    cache: JsonCache,
    session: WatchSession<JsonResource>,
    call: resourcecache::CallId,
    /// The unsettled operations, the oldest first, each with its resource.
    pending: std::collections::VecDeque<(OperationId, usize)>,
    begun: usize,
    confirmed: usize,
}

/// Operations are on every 97th resource, which the other events leave alone.
const APART: usize = 97;

impl Player {
    fn new(load: Load) -> Self {
        let mut config = Config::default();
        config.version_order = VersionOrder::Integer;
        config.ttl_ms = TTL_MS;
        let mut watching = WatchConfig::kubernetes();
        watching.limit = None;
        let mut player = Self {
            load,
            schema: Schema::kubernetes(),
            cache: JsonCache::new(config),
            session: WatchSession::new(watching, 1),
            call: resourcecache::CallId::default(),
            pending: std::collections::VecDeque::new(),
            begun: 0,
            confirmed: 0,
        };
        player.act(Timestamp(0));
        for _ in 0..load.pending {
            player.begin(Timestamp(0));
        }
        player
    }

    /// Does what the session asks for.
    fn act(&mut self, now: Timestamp) {
        while let Some(action) = self.session.poll(now) {
            match action {
                WatchAction::Apply(event) => {
                    let applied = self.cache.apply(*event, now);
                    self.session.handle_applied(applied.as_ref(), now);
                    let outcomes = applied.expect("an event that is taken").changes.outcomes;
                    self.confirmed += outcomes.len();
                }
                WatchAction::List(call) => {
                    let list = self.schema.snapshot(list(self.load.resources).as_bytes());
                    let taken = self
                        .session
                        .handle_list(call.call, list.map(Into::into), now);
                    taken.expect("a list");
                }
                WatchAction::Watch(call) => {
                    self.call = call.call;
                    self.session.handle_opened(call.call, now);
                }
                WatchAction::Close(call) => panic!("{call:?} is closed"),
            }
        }
    }

    /// The user edits one more resource.
    fn begin(&mut self, now: Timestamp) {
        let number = self.begun * APART % self.load.resources;
        self.begun += 1;
        let patch = format!(r#"{{"spec":{{"ttl":{}}}}}"#, 1_000 + self.begun);
        let patch = self.schema.merge_patch(patch.as_bytes()).expect("a patch");
        let begun = self
            .cache
            .mark_as_updating(format!("zone-{number}"), patch, now);
        let operation = begun.expect("an edit").operation().expect("an operation");
        self.pending.push_back((operation, number));
    }

    /// Plays these events; the median cost of one.
    fn play(&mut self, events: std::ops::Range<usize>) -> f64 {
        const PART: usize = 100;
        let mut parts = Vec::new();
        let mut at = events.start;
        while at < events.end {
            let start = Instant::now();
            let until = (at + PART).min(events.end);
            for number in at..until {
                self.one(number);
            }
            parts.push(start.elapsed().as_nanos() as f64 / (until - at) as f64);
            at = until;
        }
        parts.sort_by(f64::total_cmp);
        parts[parts.len() / 2]
    }

    fn one(&mut self, number: usize) {
        let now = Timestamp((number * 1_000 / RATE) as i64);
        let version = self.load.resources + number + 1;
        let text = match number % 60 {
            // The server has the oldest edit, and the user makes another.
            0 => {
                let (operation, resource) = self.pending.pop_front().expect("one is pending");
                let done = self.cache.acknowledge(operation, None, now);
                done.expect("an acknowledgement");
                let ttl = 1_001 + self.begun - self.load.pending;
                self.begin(now);
                event("MODIFIED", &object(resource, version, number, ttl))
            }
            20 => event("DELETED", &object(self.other(number), version, number, 300)),
            21 => event(
                "ADDED",
                &object(self.other(number - 1), version, number, 300),
            ),
            40 if number % 1_000 < 60 => event(
                "BOOKMARK",
                &format!(r#"{{"metadata":{{"resourceVersion":"{version}"}}}}"#),
            ),
            _ => event(
                "MODIFIED",
                &object(self.other(number), version, number, 300),
            ),
        };
        let message = self.schema.watch_message(text.as_bytes());
        let taken = self.session.handle_message(self.call, message, now);
        taken.expect("a message");
        self.act(now);
    }

    /// A resource on which there is no operation.
    fn other(&self, number: usize) -> usize {
        let other = number * 7_919 % self.load.resources;
        other + usize::from(other.is_multiple_of(APART))
    }
}

/// A figure of the process's memory, in KiB.
fn memory_kib(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(field));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
