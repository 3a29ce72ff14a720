//! A naive model of the rules: it replays the whole log from nothing each time it is asked, looks
//! through plain vectors, and takes from the core nothing but its inputs.
//!
//! It knows deletions, updates and creations, answered or not, and complete lists of a server
//! without versions, late and out of order. The rest is left to scenarios and other properties.

use resourcecache::{Config, Event, FetchToken, Kind, OperationId, Retry, Timestamp};

use crate::toy::{FIELD_COUNT, Toy};

/// What a user sees, by the rules.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// The visible list: id, numbers, the state's word.
    pub rows: Vec<(String, [i64; FIELD_COUNT], &'static str)>,
    /// Outcomes: the operation's number and the settlement's word, sorted.
    pub outcomes: Vec<(u64, &'static str)>,
}

type Values = [Option<i64>; FIELD_COUNT];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Running,
    Acked,
    Retrying,
    Failed,
    Settled,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Hold {
    No,
    Ours(i64),
    Server,
}

#[derive(Clone, Debug)]
struct Op {
    number: u64,
    kind: Kind,
    phase: Phase,
    /// Settled, does it still guard? Unsettled, always.
    guards: bool,
    begun: i64,
    heard: i64,
    ttl: i64,
    until: i64,
    acked: Option<(i64, usize)>,
    settled: i64,
    shown: Option<i64>,
    waiting: bool,
    stale: bool,
    /// A new resource, for a creation that is no mark.
    new: Option<Toy>,
    patch: Option<Values>,
    hold: [Hold; FIELD_COUNT],
    /// Values that each field had: they are old.
    old: [Vec<i64>; FIELD_COUNT],
}

impl Op {
    fn open(&self) -> bool {
        self.phase != Phase::Settled
    }
    fn guard_end(&self) -> i64 {
        (self.acked.map_or(self.begun, |a| a.0.max(self.begun)) + self.ttl).max(self.until)
    }
    fn hides(&self) -> bool {
        self.kind == Kind::Delete && self.guards && self.phase != Phase::Failed
    }
    fn creates(&self) -> bool {
        self.new.is_some()
    }
    fn lingers(&self) -> bool {
        self.phase == Phase::Acked && self.shown.is_some()
    }
    fn stale_at(&self, config: &Config) -> Option<i64> {
        let ages = self.open()
            && !self.waiting
            && !self.stale
            && self.phase != Phase::Failed
            && !self.lingers();
        ages.then(|| (self.heard + ms(config.stale_after_ms)).max(self.guard_end()))
    }
}

fn ms(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

/// One resource.
#[derive(Clone, Debug, Default)]
struct Thing {
    /// Its ids, the present one last.
    ids: Vec<String>,
    base: Option<Toy>,
    last: Option<Toy>,
    taken: usize,
    ops: Vec<Op>,
}

impl Thing {
    fn hidden(&self) -> bool {
        let newest_creation = self
            .ops
            .iter()
            .rposition(|o| o.creates() && o.guards)
            .unwrap_or(0);
        self.ops[newest_creation..].iter().any(Op::hides)
    }

    fn body(&self, config: &Config) -> Option<Toy> {
        let mut start = self.base.clone();
        if let Some(at) = self.ops.iter().rposition(|o| o.creates() && o.guards)
            && (start.is_none() || self.ops[..at].iter().any(Op::hides))
        {
            start.clone_from(&self.ops[at].new);
        }
        if start.is_none() && self.hidden() {
            start.clone_from(&self.last);
        }
        let mut body = start?;
        body.id.clone_from(self.ids.last()?);
        let kept = config.on_failure == resourcecache::OnFailure::Keep;
        let shows =
            |o: &Op| o.kind == Kind::Update && o.guards && (o.phase != Phase::Failed || kept);
        for (at, op) in self.ops.iter().enumerate().filter(|(_, o)| shows(o)) {
            for field in 0..FIELD_COUNT {
                // What the server told beside lies beneath an older edit without an answer.
                let awaits = |o: &Op| {
                    let named = o.patch.is_some_and(|p| p[field].is_some());
                    shows(o) && o.acked.is_none() && named
                };
                let beside = op.acked.is_some() && op.patch.is_none_or(|p| p[field].is_none());
                if beside && self.ops[..at].iter().any(awaits) {
                    continue;
                }
                match (op.hold[field], &self.base) {
                    (Hold::Ours(value), _) => body.fields[field] = value,
                    (Hold::Server, Some(base)) => body.fields[field] = base.fields[field],
                    _ if op.acked.is_none() && op.hold == [Hold::No; FIELD_COUNT] => {
                        let value = op.patch.unwrap_or_default()[field];
                        body.fields[field] = value.unwrap_or(body.fields[field]);
                    }
                    _ => {}
                }
            }
        }
        Some(body)
    }

    fn word(&self) -> &'static str {
        let creation = self
            .ops
            .iter()
            .rposition(|o| o.creates() && o.guards)
            .unwrap_or(0);
        let current =
            |(at, o): &(usize, &Op)| o.open() && (o.kind != Kind::Delete || *at >= creation);
        let told =
            |o: &Op| !(o.phase == Phase::Acked && matches!(o.kind, Kind::Create | Kind::Update));
        let open: Vec<&Op> = self
            .ops
            .iter()
            .enumerate()
            .filter(current)
            .map(|(_, o)| o)
            .collect();
        let leading = open.iter().rfind(|o| told(o)).or(open.last());
        let Some(op) = leading else { return "idle" };
        match (op.phase, op.kind) {
            (Phase::Running, Kind::Create) => "creating",
            (Phase::Running, Kind::Update) => "updating",
            (Phase::Running, Kind::Process) => "processing",
            (Phase::Running, Kind::Delete) => "deleting",
            (Phase::Acked, Kind::Create) => "created",
            (Phase::Acked, Kind::Update) => "updated",
            (Phase::Acked, Kind::Process) => "processed",
            (Phase::Acked, Kind::Delete) => "deleted",
            (Phase::Retrying, _) => "retrying",
            (Phase::Failed, _) => "failed",
            (Phase::Settled, _) => "idle",
        }
    }

    /// The server's values, and those of every edit of ours: all are old to an edit that begins now.
    fn history(&self, shown: Option<Toy>) -> [Vec<i64>; FIELD_COUNT] {
        if self.base.is_none() {
            return std::array::from_fn(|i| shown.iter().map(|toy| toy.fields[i]).collect());
        }
        let mut old: [Vec<i64>; FIELD_COUNT] = Default::default();
        for (field, values) in old.iter_mut().enumerate() {
            values.extend(self.base.as_ref().map(|b| b.fields[field]));
            for op in self.ops.iter().filter(|o| o.kind == Kind::Update) {
                values.extend(op.patch.and_then(|p| p[field]));
                values.extend(match op.hold[field] {
                    Hold::Ours(value) => Some(value),
                    _ => None,
                });
                values.extend(&op.old[field]);
            }
        }
        old
    }
}

/// The log, and what follows from it.
#[derive(Clone, Debug)]
pub struct Model {
    config: Config,
    log: Vec<(Event<Toy>, Timestamp, Option<FetchToken>)>,
}

struct Replay<'a> {
    config: &'a Config,
    things: Vec<Thing>,
    /// The order of the list: listed ones, then new ones.
    listed: Vec<usize>,
    new: Vec<usize>,
    time: i64,
    event: usize,
    next: u64,
    complete: usize,
    fetches: Vec<(FetchToken, usize, i64)>,
    outcomes: Vec<(u64, &'static str)>,
}

impl Model {
    /// An empty log.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            log: Vec::new(),
        }
    }

    /// Notes an accepted event, with the token that it answered.
    pub fn note(&mut self, event: Event<Toy>, now: Timestamp, token: Option<FetchToken>) {
        self.log.push((event, now, token));
    }

    /// What a user sees now.
    pub fn seen(&self) -> Seen {
        let mut replay = Replay::new(&self.config);
        for (event, now, token) in &self.log {
            replay.play(event, now.0, *token);
        }
        replay.seen()
    }
}

impl<'a> Replay<'a> {
    fn new(config: &'a Config) -> Self {
        Self {
            config,
            things: Vec::new(),
            listed: Vec::new(),
            new: Vec::new(),
            time: i64::MIN,
            event: 0,
            next: 0,
            complete: 0,
            fetches: Vec::new(),
            outcomes: Vec::new(),
        }
    }

    fn seen(mut self) -> Seen {
        let order: Vec<usize> = self.listed.iter().chain(&self.new).copied().collect();
        let mut rows = Vec::new();
        for thing in order.into_iter().map(|i| &self.things[i]) {
            if let (Some(body), false) = (thing.body(self.config), thing.hidden()) {
                rows.push((body.id, body.fields, thing.word()));
            }
        }
        self.outcomes.sort_unstable();
        Seen {
            rows,
            outcomes: self.outcomes,
        }
    }

    fn play(&mut self, event: &Event<Toy>, now: i64, token: Option<FetchToken>) {
        self.pass(now);
        self.place();
        self.event += 1;
        match event {
            Event::Begin {
                id,
                kind,
                patch,
                min_ttl_ms,
            } => self.begin(id.as_str(), *kind, *patch, *min_ttl_ms),
            Event::Create { resource, .. } => self.create(resource),
            Event::Acknowledge { operation, answer } => {
                self.acknowledge(*operation, answer.as_ref())
            }
            Event::Fail {
                operation, retry, ..
            } => self.fail(*operation, *retry == Retry::No),
            Event::Attempt { operation } => self.attempt(*operation),
            Event::Cancel { operation } => self.cancel(*operation),
            Event::BeginFetch => self
                .fetches
                .extend(token.map(|t| (t, self.event, self.time))),
            Event::Merge(snapshot) => {
                let fetch = snapshot
                    .token
                    .and_then(|t| self.fetches.iter().find(|f| f.0 == t));
                let (event, at) = fetch.map_or((self.event, self.time), |f| (f.1, f.2));
                self.merge(&snapshot.items, event, at);
            }
            _ => {}
        }
        self.pass(now);
        self.place();
    }

    /// Does what is due until `now`, the earliest first.
    fn pass(&mut self, now: i64) {
        loop {
            let mut due: Option<(i64, usize, usize)> = None;
            for (t, thing) in self.things.iter().enumerate() {
                for (o, op) in thing.ops.iter().enumerate() {
                    let forgotten = op.settled + ms(self.config.stale_after_ms);
                    let forget = (!op.open() && !op.guards).then_some(forgotten);
                    let guards_nothing = !op.open() && op.guards && thing.base.is_none();
                    let guard_end = match op.kind {
                        Kind::Delete if guards_nothing => Some(op.guard_end()),
                        Kind::Update if guards_nothing => Some(op.guard_end().max(forgotten)),
                        _ => None,
                    };
                    for at in [op.shown, op.stale_at(self.config), guard_end, forget]
                        .into_iter()
                        .flatten()
                    {
                        if at <= now && due.is_none_or(|d| at < d.0) {
                            due = Some((at, t, o));
                        }
                    }
                }
            }
            let Some((at, t, o)) = due else { break };
            self.time = self.time.max(at);
            self.expire(t, o);
        }
        self.time = self.time.max(now);
    }

    fn expire(&mut self, t: usize, o: usize) {
        let op = &self.things[t].ops[o];
        if !op.open() && !op.guards {
            self.things[t].ops.remove(o);
        } else if !op.open() {
            self.things[t].ops[o].guards = false;
        } else if op.shown.is_some() {
            self.settle(t, o, None, false);
            if self.things[t].ops[o].creates() {
                self.creation_gone(t, o);
            }
        } else if op.kind == Kind::Delete {
            self.tell(t, o, "stale");
            self.things[t].ops[o].stale = true;
        } else {
            let acked = op.acked.is_some();
            self.settle(t, o, Some("stale"), acked);
            if self.things[t].ops[o].creates() && !acked {
                self.creation_gone(t, o);
            }
            self.let_go(t);
        }
    }

    fn tell(&mut self, t: usize, o: usize, word: &'static str) {
        let number = self.things[t].ops[o].number;
        self.outcomes.push((number, word));
    }

    fn settle(&mut self, t: usize, o: usize, word: Option<&'static str>, guards: bool) {
        let op = &mut self.things[t].ops[o];
        let told = op.phase == Phase::Failed && word != Some("confirmed") || op.stale;
        (op.phase, op.guards, op.settled, op.shown) = (Phase::Settled, guards, self.time, None);
        if let (Some(word), false) = (word, told) {
            self.tell(t, o, word);
        }
    }

    fn creation_gone(&mut self, t: usize, creation: usize) {
        for o in creation..self.things[t].ops.len() {
            if o > creation && self.things[t].ops[o].creates() {
                return; // what follows is about the re-creation
            }
            let op = &self.things[t].ops[o];
            let decides = op.kind == Kind::Delete && !op.waiting;
            if op.open() && op.kind != Kind::Create && !decides {
                self.settle(t, o, Some("cancelled"), false);
            }
            if self.things[t].ops[o].kind != Kind::Delete {
                self.things[t].ops[o].guards = false;
            }
        }
    }

    fn release(&mut self, t: usize) {
        for op in self.things[t].ops.iter_mut().filter(|o| o.waiting) {
            (op.waiting, op.begun, op.heard, op.until) = (false, self.time, self.time, self.time);
        }
    }

    /// Fields that show the server's word are let go when no older edit is open.
    fn let_go(&mut self, t: usize) {
        let mut older = false;
        for op in &mut self.things[t].ops {
            if !older {
                for hold in op.hold.iter_mut().filter(|h| **h == Hold::Server) {
                    *hold = Hold::No;
                }
            }
            if op.kind == Kind::Update
                && !op.open()
                && op.acked.is_some()
                && op.hold == [Hold::No; FIELD_COUNT]
            {
                op.guards = false;
            }
            older |= op.open();
        }
    }

    fn find(&self, id: &str) -> Option<usize> {
        self.things
            .iter()
            .position(|t| t.ids.iter().any(|i| i == id))
    }

    fn of(&self, id: OperationId) -> Option<(usize, usize)> {
        let at = |t: &Thing| t.ops.iter().position(|o| o.number == id.0);
        self.things
            .iter()
            .enumerate()
            .find_map(|(t, thing)| at(thing).map(|o| (t, o)))
    }

    fn thing(&mut self, id: &str) -> usize {
        self.find(id).unwrap_or_else(|| {
            self.things.push(Thing {
                ids: vec![id.into()],
                ..Thing::default()
            });
            self.things.len() - 1
        })
    }

    fn op(&mut self, t: usize, kind: Kind, ttl: Option<u64>) -> &mut Op {
        self.next += 1;
        let ttl = ms(ttl.unwrap_or(self.config.ttl_ms));
        let (number, time) = (self.next, self.time);
        let ops = &mut self.things[t].ops;
        ops.push(Op {
            number,
            kind,
            phase: Phase::Running,
            guards: true,
            begun: time,
            heard: time,
            ttl,
            until: time,
            acked: None,
            settled: 0,
            shown: None,
            waiting: false,
            stale: false,
            new: None,
            patch: None,
            hold: [Hold::No; FIELD_COUNT],
            old: Default::default(),
        });
        let last = ops.len() - 1;
        &mut ops[last]
    }

    fn begin(&mut self, id: &str, kind: Kind, patch: Option<Values>, ttl: Option<u64>) {
        let t = self.thing(id);
        let running =
            |o: &&mut Op| o.open() && !(o.kind == Kind::Delete && o.phase == Phase::Failed);
        let newest = self.things[t].ops.iter_mut().rfind(running);
        if let Some(op) = newest.filter(|o| kind == Kind::Delete && o.kind == Kind::Delete) {
            op.until = op.until.max(op.begun + ttl.map_or(0, ms));
            return;
        }
        let shown = self.things[t].body(self.config);
        let old = self.things[t].history(shown);
        let waiting = self.things[t]
            .ops
            .iter()
            .rfind(|o| o.creates() && o.guards)
            .is_some_and(|o| o.open() && o.acked.is_none());
        let op = self.op(t, kind, ttl);
        (op.patch, op.old, op.waiting) = (patch, old, waiting);
    }

    fn create(&mut self, resource: &Toy) {
        let mut t = self.thing(&resource.id);
        if self.things[t].ids.last() != Some(&resource.id) {
            self.things[t].ids.retain(|id| *id != resource.id);
            t = self.thing(&resource.id);
        }
        self.op(t, Kind::Create, None).new = Some(resource.clone());
    }

    fn acknowledge(&mut self, id: OperationId, answer: Option<&Toy>) {
        let Some((t, o)) = self.of(id) else { return };
        let (time, event) = (self.time, self.event);
        let replaced = self.things[t].ops[o + 1..].iter().any(Op::creates);
        let base = self.things[t].base.clone();
        let op = &mut self.things[t].ops[o];
        op.acked = Some((time, event));
        if !op.open() && op.creates() && replaced {
            // The id is another's by now: what this one made is a thing of its own.
            if let Some(toy) = answer {
                let t = self.thing(&toy.id);
                self.observe(t, Some(toy), event, time);
            }
            return;
        }
        if op.open() {
            op.phase = Phase::Acked;
        }
        (op.heard, op.shown, op.waiting, op.guards) = (time, None, false, true);
        if op.kind == Kind::Update {
            for field in 0..FIELD_COUNT {
                op.old[field].extend(base.as_ref().map(|b| b.fields[field]));
                let asked = op.patch.unwrap_or_default()[field];
                let told = answer.map(|toy| toy.fields[field]);
                let beside = told.filter(|v| base.as_ref().is_some_and(|b| b.fields[field] != *v));
                op.hold[field] = match asked {
                    Some(value) => Hold::Ours(told.unwrap_or(value)),
                    None => beside.map_or(Hold::No, Hold::Ours),
                };
            }
            self.later_wins(t, o);
        }
        if let (true, Some(toy)) = (self.things[t].ops[o].creates(), answer) {
            self.things[t].ops[o].new = Some(toy.clone());
            self.release(t);
            self.rename(t, &toy.id);
        }
    }

    /// Of two acknowledged edits the one begun later has the word on what both name.
    fn later_wins(&mut self, t: usize, o: usize) {
        let ops = &mut self.things[t].ops;
        for other in 0..ops.len() {
            if other == o || ops[other].acked.is_none() || !ops[other].guards {
                continue;
            }
            let (from, to) = (other.max(o), other.min(o));
            for field in 0..FIELD_COUNT {
                if let (Hold::Ours(_), Hold::Ours(value)) =
                    (ops[to].hold[field], ops[from].hold[field])
                {
                    ops[to].hold[field] = Hold::Ours(value);
                }
            }
        }
    }

    fn rename(&mut self, t: usize, id: &str) {
        if self.things[t].ids.last().is_some_and(|last| last == id) {
            return;
        }
        if let Some(other) = self.find(id).filter(|other| *other != t) {
            let taken = std::mem::take(&mut self.things[other]);
            let thing = &mut self.things[t];
            thing.base = taken.base.or(thing.base.take());
            thing.taken = thing.taken.max(taken.taken);
            thing.ops.extend(taken.ops);
            thing.ops.sort_by_key(|o| o.number);
            thing.ids.splice(0..0, taken.ids);
            if let Some(place) = self.listed.iter().position(|i| *i == other) {
                self.listed.retain(|i| *i != t);
                self.new.retain(|i| *i != t);
                let place = place.min(self.listed.len());
                match self.listed.iter().position(|i| *i == other) {
                    Some(at) => self.listed[at] = t,
                    None => self.listed.insert(place, t),
                }
            }
        }
        self.things[t].ids.retain(|i| i != id);
        self.things[t].ids.push(id.into());
    }

    fn fail(&mut self, id: OperationId, for_good: bool) {
        let Some((t, o)) = self.of(id) else { return };
        let shows = self.time + ms(self.config.error_shown_ms);
        let op = &mut self.things[t].ops[o];
        if !op.open() {
            return;
        }
        op.heard = self.time;
        if for_good {
            (op.phase, op.shown, op.acked, op.hold) =
                (Phase::Failed, Some(shows), None, [Hold::No; FIELD_COUNT]);
            // A stale deletion has had its outcome.
            if !op.stale {
                self.tell(t, o, "failed");
            }
        } else {
            op.phase = Phase::Retrying;
        }
    }

    fn attempt(&mut self, id: OperationId) {
        let Some((t, o)) = self.of(id) else { return };
        let op = &mut self.things[t].ops[o];
        if op.phase != Phase::Running {
            (op.phase, op.heard, op.shown, op.stale) = (Phase::Running, self.time, None, false);
        }
    }

    fn cancel(&mut self, id: OperationId) {
        let Some((t, o)) = self.of(id) else { return };
        let op = &self.things[t].ops[o];
        if !op.open() {
            return;
        }
        let stays = op.acked.is_some() && op.kind != Kind::Delete;
        let (word, gone) = (
            if stays { "confirmed" } else { "cancelled" },
            op.creates() && !stays,
        );
        let failed = op.phase == Phase::Failed;
        self.settle(t, o, Some(word).filter(|_| !failed), stays);
        if gone {
            self.creation_gone(t, o);
        }
        self.let_go(t);
    }

    fn merge(&mut self, items: &[Toy], event: usize, at: i64) {
        if event < self.complete {
            return;
        }
        self.complete = event;
        let mut order = Vec::new();
        for item in items {
            if let Some(t) = self
                .find(&item.id)
                .filter(|t| self.things[*t].ids.last() != Some(&item.id))
            {
                self.things[t].ids.retain(|id| *id != item.id);
            }
            let t = self.thing(&item.id);
            self.observe(t, Some(item), event, at);
            order.push(t);
        }
        for t in (0..self.things.len())
            .filter(|t| !order.contains(t))
            .collect::<Vec<_>>()
        {
            self.observe(t, None, event, at);
        }
        let others = self.listed.iter().copied().filter(|t| !order.contains(t));
        let others = others.filter(|t| self.stands(*t)).collect::<Vec<_>>();
        // What this list missed, and stays, stands with the new ones; what it is too old to know of
        // stands behind it.
        let (newer, missed): (Vec<usize>, Vec<usize>) = others
            .into_iter()
            .partition(|t| self.things[*t].taken > event);
        self.new.retain(|t| !order.contains(t));
        self.new.extend(missed);
        self.listed = order;
        self.listed.extend(newer);
        self.listed.retain(|t| self.things[*t].base.is_some());
    }

    /// Whether it has a place in the list, hidden or not.
    fn stands(&self, t: usize) -> bool {
        let thing = &self.things[t];
        thing.base.is_some() || !thing.hidden() && thing.body(self.config).is_some()
    }

    fn observe(&mut self, t: usize, body: Option<&Toy>, event: usize, at: i64) {
        if event < self.things[t].taken {
            return;
        }
        for o in 0..self.things[t].ops.len() {
            match (self.things[t].ops[o].kind, body) {
                (Kind::Create, _) => self.decide_creation(t, o, body, at),
                (Kind::Update, Some(body)) => self.decide_update(t, o, body, event, at),
                (Kind::Delete, _) => self.decide_deletion(t, o, body.is_some(), at),
                _ => {}
            }
        }
        let thing = &mut self.things[t];
        thing.taken = event;
        let guarded = thing
            .ops
            .iter()
            .any(|o| o.creates() && o.guards && !o.open() && at < o.guard_end());
        if body.is_some() {
            thing.base = body.cloned();
            if !thing.hidden() {
                thing.last = None;
            }
        } else if !guarded {
            if thing.last.is_none() && thing.hidden() {
                thing.last.clone_from(&thing.base);
            }
            thing.base = None;
        }
        self.let_go(t);
    }

    fn decide_creation(&mut self, t: usize, o: usize, body: Option<&Toy>, at: i64) {
        let thing = &self.things[t];
        let op = &thing.ops[o];
        let (Some(new), true) = (&op.new, op.guards) else {
            return;
        };
        let late = at >= op.guard_end();
        if let Some(body) = body {
            if let Some(d) = thing.ops[..o].iter().rposition(Op::hides) {
                let before = thing.base.as_ref().or(thing.last.as_ref());
                let ours = before != Some(body) && body == new;
                if at < thing.ops[d].guard_end() && !ours {
                    return;
                }
            }
            // What was deleted is gone: another has its place.
            for d in 0..o {
                let op = &self.things[t].ops[d];
                let (delete, open, failed) = (
                    op.kind == Kind::Delete,
                    op.open(),
                    op.phase == Phase::Failed,
                );
                if delete && open {
                    self.settle(t, d, Some("confirmed").filter(|_| !failed), false);
                }
                self.things[t].ops[d].guards &= !delete;
            }
            if self.things[t].ops[o].open() {
                self.settle(t, o, Some("confirmed"), true);
                self.release(t);
            } else if late {
                self.things[t].ops[o].guards = false;
            }
        } else if late && !op.open() {
            self.things[t].ops[o].guards = false;
        } else if late && op.acked.is_some() {
            self.settle(t, o, Some("not_confirmed"), false);
            self.creation_gone(t, o);
            self.things[t].base = None;
        }
    }

    fn decide_deletion(&mut self, t: usize, o: usize, listed: bool, at: i64) {
        let op = &self.things[t].ops[o];
        if !op.guards || op.waiting {
            return;
        }
        let (open, late) = (op.open(), at >= op.guard_end());
        let runs = matches!(op.phase, Phase::Running | Phase::Acked);
        let recreated = self.things[t].ops[o + 1..]
            .iter()
            .any(|o| o.creates() && o.guards);
        match (listed, open) {
            (true, _) if recreated => {}
            (_, false) => self.things[t].ops[o].guards &= !late,
            (true, true) if op.stale => self.settle(t, o, None, false),
            (true, true) if late && runs => self.settle(t, o, Some("not_confirmed"), false),
            (true, true) => {}
            (false, true) => {
                for older in 0..o {
                    if self.things[t].ops[older].open() {
                        self.settle(t, older, Some("superseded"), false);
                    }
                    self.things[t].ops[older].guards = false;
                }
                let creating = |o: &Op| o.creates() && o.open() && o.acked.is_none();
                if !self.things[t].ops.iter().any(creating) {
                    self.release(t);
                }
                let deleted = self.things[t].base.clone();
                let shown = self.things[t]
                    .body(self.config)
                    .filter(|_| !recreated)
                    .or(deleted);
                let thing = &mut self.things[t];
                thing.last = thing.last.take().or(shown);
                self.settle(t, o, Some("confirmed"), true);
                self.things[t].ops[o].stale = false;
            }
        }
    }

    fn decide_update(&mut self, t: usize, o: usize, body: &Toy, event: usize, at: i64) {
        let later: Vec<Values> = self.things[t].ops[o + 1..]
            .iter()
            .filter_map(|o| o.patch)
            .collect();
        let held_below: [bool; FIELD_COUNT] = std::array::from_fn(|field| {
            let mut older = self.things[t].ops[..o].iter();
            older.any(|o| o.guards && at < o.guard_end() && matches!(o.hold[field], Hold::Ours(_)))
        });
        let op = &mut self.things[t].ops[o];
        if !op.guards || op.waiting {
            return;
        }
        let known = !op.old[0].is_empty();
        if op.acked.is_none_or(|a| a.1 > event) {
            (0..FIELD_COUNT).for_each(|f| op.old[f].push(body.fields[f]));
            return;
        }
        let late = at >= op.guard_end();
        let (mut agrees, mut superseded) = (true, false);
        for field in 0..FIELD_COUNT {
            let Hold::Ours(value) = op.hold[field] else {
                continue;
            };
            let shown = body.fields[field];
            let fits = shown == value || later.iter().any(|p| p[field] == Some(shown));
            let foreign = !fits && known && !op.old[field].contains(&shown);
            agrees &= fits;
            superseded |= foreign;
            let beside = op.patch.is_none_or(|p| p[field].is_none());
            if foreign || late && !(beside && held_below[field]) {
                op.hold[field] = Hold::Server;
            } else if late {
                op.hold[field] = Hold::No;
            }
        }
        if !known {
            (0..FIELD_COUNT).for_each(|f| op.old[f].push(body.fields[f]));
        }
        let word = if agrees {
            "confirmed"
        } else if superseded {
            "superseded"
        } else {
            "not_confirmed"
        };
        if op.open() && (agrees || superseded || late) {
            self.settle(t, o, Some(word), true);
        }
    }

    /// What the server has told of stands at the end of its list, what is new at the end of all.
    fn place(&mut self) {
        for thing in self
            .things
            .iter_mut()
            .filter(|t| t.base.is_none() && t.ops.is_empty())
        {
            thing.ids.clear(); // nothing is left: its ids are free
        }
        for t in 0..self.things.len() {
            let thing = &self.things[t];
            let shown = thing.body(self.config).is_some();
            let kept = thing.hidden() && self.new.contains(&t);
            let placed = self.new.contains(&t) || self.listed.contains(&t);
            if !placed && thing.base.is_some() {
                self.listed.push(t);
            } else if !placed && shown && !thing.hidden() {
                self.new.push(t);
            } else if !shown && !kept {
                self.new.retain(|i| *i != t);
                self.listed.retain(|i| *i != t);
            }
        }
    }
}
