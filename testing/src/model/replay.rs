//! Replays the log: each event in its turn, and before and after it what is due by time.

use resourcecache::{Config, Event, FetchToken, Kind, OperationId, Retry};

use super::Seen;
use super::thing::{Hold, Op, Phase, Thing, ms};
use crate::toy::{FIELD_COUNT, Toy};

pub(super) struct Replay<'a> {
    pub(super) config: &'a Config,
    pub(super) things: Vec<Thing>,
    /// The order of the list: listed ones, then new ones.
    pub(super) listed: Vec<usize>,
    pub(super) new: Vec<usize>,
    pub(super) time: i64,
    pub(super) event: usize,
    pub(super) next: u64,
    pub(super) complete: usize,
    pub(super) fetches: Vec<(FetchToken, usize, i64)>,
    pub(super) outcomes: Vec<(u64, &'static str)>,
}

impl<'a> Replay<'a> {
    pub(super) fn new(config: &'a Config) -> Self {
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

    pub(super) fn seen(mut self) -> Seen {
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

    pub(super) fn play(&mut self, event: &Event<Toy>, now: i64, token: Option<FetchToken>) {
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
                    let forget = thing.forgotten(o, self.config);
                    let guards_nothing = !op.open() && op.guards && thing.base.is_none();
                    let guard_end =
                        (op.kind == Kind::Delete && guards_nothing).then(|| op.guard_end());
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
        if !op.open() && (op.kind == Kind::Update || !op.guards) {
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

    pub(super) fn tell(&mut self, t: usize, o: usize, word: &'static str) {
        let number = self.things[t].ops[o].number;
        self.outcomes.push((number, word));
    }

    pub(super) fn settle(&mut self, t: usize, o: usize, word: Option<&'static str>, guards: bool) {
        let op = &mut self.things[t].ops[o];
        let told = op.phase == Phase::Failed && word != Some("confirmed") || op.stale;
        (op.phase, op.guards, op.settled, op.shown) = (Phase::Settled, guards, self.time, None);
        if let (Some(word), false) = (word, told) {
            self.tell(t, o, word);
        }
    }

    pub(super) fn creation_gone(&mut self, t: usize, creation: usize) {
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

    pub(super) fn release(&mut self, t: usize) {
        let ops = &mut self.things[t].ops;
        let unanswered = |o: &Op| o.creates() && o.open() && o.acked.is_none();
        let end = ops.iter().rposition(unanswered).unwrap_or(ops.len());
        for op in ops[..end].iter_mut().filter(|o| o.waiting) {
            (op.waiting, op.begun, op.heard, op.until) = (false, self.time, self.time, self.time);
        }
    }

    /// Fields that show the server's word are let go when no older edit is open.
    pub(super) fn let_go(&mut self, t: usize) {
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

    pub(super) fn find(&self, id: &str) -> Option<usize> {
        self.things
            .iter()
            .position(|t| t.ids.iter().any(|i| i == id))
    }

    pub(super) fn of(&self, id: OperationId) -> Option<(usize, usize)> {
        let at = |t: &Thing| t.ops.iter().position(|o| o.number == id.0);
        self.things
            .iter()
            .enumerate()
            .find_map(|(t, thing)| at(thing).map(|o| (t, o)))
    }

    pub(super) fn thing(&mut self, id: &str) -> usize {
        self.find(id).unwrap_or_else(|| {
            self.things.push(Thing {
                ids: vec![id.into()],
                ..Thing::default()
            });
            self.things.len() - 1
        })
    }

    pub(super) fn op(&mut self, t: usize, kind: Kind, ttl: Option<u64>) -> &mut Op {
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
}
