//! A resource as the model has it, and what was asked of it.

use resourcecache::{Config, Kind};

use crate::toy::{FIELD_COUNT, Toy};

pub(super) type Values = [Option<i64>; FIELD_COUNT];

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Phase {
    Running,
    Acked,
    Retrying,
    Failed,
    Settled,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Hold {
    No,
    Ours(i64),
    Server,
}

#[derive(Clone, Debug)]
pub(super) struct Op {
    pub(super) number: u64,
    pub(super) kind: Kind,
    pub(super) phase: Phase,
    /// Settled, does it still guard? Unsettled, always.
    pub(super) guards: bool,
    pub(super) begun: i64,
    pub(super) heard: i64,
    pub(super) ttl: i64,
    pub(super) until: i64,
    pub(super) acked: Option<(i64, usize)>,
    pub(super) settled: i64,
    pub(super) shown: Option<i64>,
    pub(super) waiting: bool,
    pub(super) stale: bool,
    /// A new resource, for a creation that is no mark.
    pub(super) new: Option<Toy>,
    pub(super) patch: Option<Values>,
    pub(super) hold: [Hold; FIELD_COUNT],
    /// Values that each field had: they are old.
    pub(super) old: [Vec<i64>; FIELD_COUNT],
}

impl Op {
    pub(super) fn open(&self) -> bool {
        self.phase != Phase::Settled
    }
    pub(super) fn guard_end(&self) -> i64 {
        (self.acked.map_or(self.begun, |a| a.0.max(self.begun)) + self.ttl).max(self.until)
    }
    pub(super) fn hides(&self) -> bool {
        self.kind == Kind::Delete && self.guards && self.phase != Phase::Failed
    }
    pub(super) fn creates(&self) -> bool {
        self.new.is_some()
    }
    fn lingers(&self) -> bool {
        self.phase == Phase::Acked && self.shown.is_some()
    }
    pub(super) fn stale_at(&self, config: &Config) -> Option<i64> {
        let ages = self.open()
            && !self.waiting
            && !self.stale
            && self.phase != Phase::Failed
            && !self.lingers();
        ages.then(|| (self.heard + ms(config.stale_after_ms)).max(self.guard_end()))
    }
}

pub(super) fn ms(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

/// One resource.
#[derive(Clone, Debug, Default)]
pub(super) struct Thing {
    /// Its ids, the present one last.
    pub(super) ids: Vec<String>,
    pub(super) base: Option<Toy>,
    pub(super) last: Option<Toy>,
    pub(super) taken: usize,
    pub(super) ops: Vec<Op>,
}

impl Thing {
    pub(super) fn hidden(&self) -> bool {
        let newest_creation = self
            .ops
            .iter()
            .rposition(|o| o.creates() && o.guards)
            .unwrap_or(0);
        self.ops[newest_creation..].iter().any(Op::hides)
    }

    pub(super) fn body(&self, config: &Config) -> Option<Toy> {
        let mut start = self.base.clone();
        // What is older than a re-creation is not about it.
        let mut from = 0;
        if let Some(at) = self.ops.iter().rposition(|o| o.creates() && o.guards) {
            let again = self.ops[..at].iter().any(Op::hides);
            if start.is_none() || again {
                start.clone_from(&self.ops[at].new);
            }
            from = if again { at } else { 0 };
        }
        if start.is_none() && self.hidden() {
            start.clone_from(&self.last);
        }
        let mut body = start?;
        body.id.clone_from(self.ids.last()?);
        let kept = config.on_failure == resourcecache::OnFailure::Keep;
        let shows =
            |o: &Op| o.kind == Kind::Update && o.guards && (o.phase != Phase::Failed || kept);
        let ops = &self.ops[from..];
        for (at, op) in ops.iter().enumerate().filter(|(_, o)| shows(o)) {
            for field in 0..FIELD_COUNT {
                // What the server told beside lies beneath an older edit without an answer.
                let awaits = |o: &Op| {
                    let named = o.patch.is_some_and(|p| p[field].is_some());
                    shows(o) && o.acked.is_none() && named
                };
                let beside = op.acked.is_some() && op.patch.is_none_or(|p| p[field].is_none());
                if beside && ops[..at].iter().any(awaits) {
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

    pub(super) fn word(&self) -> &'static str {
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

    /// What a field of an edit that begins now is known to have been: the server's value, or the one
    /// that shows.
    pub(super) fn history(&self, shown: Option<Toy>) -> [Vec<i64>; FIELD_COUNT] {
        let known = self.base.clone().or(shown);
        std::array::from_fn(|field| known.iter().map(|toy| toy.fields[field]).collect())
    }

    /// The values that are old to the edit at `o`: those that it knows of, those that the edits before
    /// it know of, and those that they have made.
    pub(super) fn old(&self, o: usize, field: usize) -> Vec<i64> {
        let mut old = self.ops[o].old[field].clone();
        for op in self.ops[..o].iter().filter(|o| o.kind == Kind::Update) {
            old.extend(&op.old[field]);
            old.extend(op.patch.and_then(|p| p[field]));
            if let Hold::Ours(value) = op.hold[field] {
                old.push(value);
            }
        }
        old
    }

    /// When what an operation was need not be known any longer.
    pub(super) fn forgotten(&self, o: usize, config: &Config) -> Option<i64> {
        let op = &self.ops[o];
        let at = op.settled + ms(config.stale_after_ms);
        match op.kind {
            _ if op.open() => None,
            Kind::Update if !op.guards && op.acked.is_some() => {
                Some(op.settled.max(op.guard_end() + op.ttl))
            }
            Kind::Update if !op.guards || self.base.is_none() => Some(at.max(op.guard_end())),
            _ if !op.guards => Some(at),
            _ => None,
        }
    }
}
