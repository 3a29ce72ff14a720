//! One client: a cache, what its user remembers, what it wrote down, and what it was given.

use resourcecache::{
    Applied, Change, Config, Error, Event, FetchToken, HistoryLimits, OperationId, Outcome,
    ResourceCache, Revision, Settlement, Timestamp,
};

use super::law::{
    AHEAD, Broken, CHANGES_LEAD, Expected, LOADED_GOES_ON, Law, ONE_KEY_EACH, REFUSED_IS_NOTHING,
    SINCE_LEADS,
};
use super::laws;
use super::memory::{Memory, Taken};
use super::model::Subject;
use super::network::Stream;
use super::progress_laws;
use super::remembered::state_of;
use super::rules;
use super::shown::{Shown, follow};
use super::step::Tag;
use super::tamper::Tamper;
use super::undo_laws;
use super::watcher::Watcher;
use crate::coverage::{Coverage, States};

/// What a client's cache was given, at its own time.
#[derive(Clone, Debug)]
pub(crate) struct Given<R: Subject> {
    /// By the client's clock.
    pub(crate) at: i64,
    /// `None`: the state was saved and loaded again.
    pub(crate) event: Option<Event<R>>,
    /// What came of it.
    pub(crate) token: Option<FetchToken>,
    pub(crate) operations: Vec<OperationId>,
    pub(crate) refused: Option<&'static str>,
}

impl<R: Subject> Given<R> {
    /// An event that was accepted.
    pub(crate) fn taken(at: Timestamp, event: Event<R>, applied: &Applied) -> Self {
        Self {
            token: applied.token,
            operations: applied.operations.clone(),
            ..Self::new(at, Some(event))
        }
    }

    fn new(at: Timestamp, event: Option<Event<R>>) -> Self {
        Self {
            at: at.0,
            event,
            token: None,
            operations: Vec::new(),
            refused: None,
        }
    }
}

/// The state as it was written down.
struct Saved<R: Subject> {
    bytes: Vec<u8>,
    memory: Memory<R>,
    given: usize,
    states: States,
}

pub(crate) struct Client<R: Subject> {
    pub(crate) index: usize,
    pub(crate) cache: ResourceCache<R>,
    pub(crate) memory: Memory<R>,
    /// Its clock less the world's.
    pub(crate) ahead: i64,
    pub(crate) stream: Option<Stream>,
    /// Its watch session, where it has one.
    pub(crate) watcher: Option<Watcher<R>>,
    /// Whether its list may be another than the server's by the user's own word, until a list comes:
    /// a resource was dropped, or said to be complete, or its deletion was given up.
    pub(crate) strays: bool,
    /// Why the last event was refused.
    pub(crate) refusal: Option<Error>,
    pub(crate) shown: Vec<Shown<R>>,
    pub(crate) given: Vec<Given<R>>,
    pub(crate) crashed: bool,
    /// Whether it has a network.
    pub(crate) online: bool,
    /// By the world's settings, as are these.
    pub(crate) max_under_way: usize,
    pub(crate) history: HistoryLimits,
    pub(crate) completed_shown_ms: u64,
    /// When each token was taken, by the collection's own clock.
    fetched: Vec<(FetchToken, i64)>,
    /// Loaded from the state, and given the same since.
    double: Option<ResourceCache<R>>,
    saved: Option<Saved<R>>,
    /// A reader that catches up now and then.
    reader: (Revision, Vec<Shown<R>>),
    states: States,
}

/// What looks at every event.
pub(crate) struct Lab<'a, R: Subject> {
    pub(crate) coverage: &'a mut Coverage,
    pub(crate) tamper: &'a Tamper<R>,
}

impl<R: Subject> Client<R> {
    /// A cache with settings that a planted mistake may have changed from those of the world.
    pub(crate) fn new(index: usize, world: &Config, config: Config) -> Self {
        let cache = ResourceCache::new(config);
        Self {
            index,
            reader: (cache.revision(), Vec::new()),
            cache,
            memory: Memory::new(world),
            ahead: 0,
            stream: None,
            watcher: None,
            strays: false,
            refusal: None,
            shown: Vec::new(),
            given: Vec::new(),
            crashed: false,
            online: true,
            max_under_way: world.max_under_way,
            history: world.history,
            completed_shown_ms: world.completed_shown_ms,
            fetched: Vec::new(),
            double: None,
            saved: None,
            states: States::new(),
        }
    }

    pub(crate) fn broken(&self, law: Law, problem: impl Into<String>) -> Broken<R> {
        Broken {
            law,
            client: self.index,
            problem: problem.into(),
            expected: Box::new(Expected::Other),
        }
    }

    /// Gives the cache an event, and holds every law to what it makes of it: that is what `event`
    /// means, in the words of a client.
    pub(crate) fn take(
        &mut self,
        given: Event<R>,
        event: Event<R>,
        tag: Option<Tag>,
        now: i64,
        lab: &mut Lab<'_, R>,
    ) -> Result<Option<Applied>, Broken<R>> {
        let now = Timestamp(now + self.ahead);
        let given = (lab.tamper.event)(given);
        let before = self.cache.clone();
        self.given.push(Given::new(now, Some(given.clone())));
        let answer = self.cache.apply(given.clone(), now);
        if let Some(last) = self.given.last_mut() {
            last.token = answer.as_ref().ok().and_then(|a| a.token);
            let begun = answer.as_ref().ok().map(|a| a.operations.clone());
            last.operations = begun.unwrap_or_default();
            last.refused = answer.as_ref().err().map(|e| e.kind().name());
        }
        let applied = match answer {
            Ok(applied) => applied,
            Err(error) => {
                rules::count_refusal(&given, &error, lab.coverage);
                self.check_refusal(&before, &given, &error, now)?;
                self.refusal = Some(error);
                return Ok(None);
            }
        };
        let own = self.memory.clock.at(now.0);
        self.fetched.extend(applied.token.map(|token| (token, own)));
        let taken = Taken {
            event: &event,
            tag,
            before: &before,
            after: &self.cache,
            applied: &applied,
            own,
        };
        rules::count(&self.memory, &taken, lab.coverage);
        let stale = |o: &Outcome| o.settlement == Settlement::Stale;
        self.strays |= match &event {
            Event::Remove { .. } | Event::Complete { .. } => true,
            Event::UpdateMetadata { patch, .. } => patch.stage != Change::Keep,
            _ => false,
        };
        self.strays |= applied.changes.outcomes.iter().any(stale);
        self.memory.note(&taken);
        let old = std::mem::take(&mut self.shown);
        self.shown = self.follow(old.clone(), &applied)?;
        self.count(&given, &applied, lab.coverage);
        laws::check(self, &old, &event, &applied, own, lab.coverage)?;
        undo_laws::check(self, &old, &event, &applied, lab.coverage)?;
        progress_laws::check(self, &before, &old, &event, &applied, own, lab.coverage)?;
        if self.cache.poll_timeout().is_some_and(|at| at <= now) {
            let at = self.cache.poll_timeout().map(|at| at.0 - now.0);
            return Err(self.broken(AHEAD, format!("the next timeout is in {at:?} ms")));
        }
        if self.double.is_some() {
            lab.coverage.met("R1");
        }
        self.check_double(&given, now)?;
        Ok(Some(applied))
    }

    fn check_refusal(
        &mut self,
        before: &ResourceCache<R>,
        given: &Event<R>,
        error: &Error,
        now: Timestamp,
    ) -> Result<(), Broken<R>> {
        if bytes(before) != bytes(&self.cache) {
            let problem = format!("{given:?} was refused ({error}), and changed the state");
            return Err(self.broken(REFUSED_IS_NOTHING, problem));
        }
        let accepts = |double: &mut ResourceCache<R>| double.apply(given.clone(), now).is_ok();
        if self.double.as_mut().is_some_and(accepts) {
            let problem = format!("what was loaded accepts {given:?}: {error}");
            return Err(self.broken(LOADED_GOES_ON, problem));
        }
        Ok(())
    }

    fn follow(
        &self,
        mut list: Vec<Shown<R>>,
        applied: &Applied,
    ) -> Result<Vec<Shown<R>>, Broken<R>> {
        let new = Shown::list(&self.cache);
        follow(&mut list, &applied.changes, &self.cache)
            .and_then(|()| {
                let same = list == new;
                let differ = || format!("{:?} lead to {list:?}, not {new:?}", applied.changes);
                if same { Ok(()) } else { Err(differ()) }
            })
            .map_err(|problem| self.broken(CHANGES_LEAD, problem))?;
        Ok(new)
    }

    fn count(&mut self, given: &Event<R>, applied: &Applied, coverage: &mut Coverage) {
        let open = self.memory.open();
        let states = open.filter_map(|o| Some((o.operation, state_of(&self.cache, o)?)));
        let states = states.collect();
        coverage.note(&self.states, &states, given, applied);
        self.states = states;
    }

    fn check_double(&mut self, given: &Event<R>, now: Timestamp) -> Result<(), Broken<R>> {
        let Some(double) = &mut self.double else {
            return Ok(());
        };
        if let Err(error) = double.apply(given.clone(), now) {
            let problem = format!("what was loaded refuses {given:?}: {error}");
            return Err(self.broken(LOADED_GOES_ON, problem));
        }
        let theirs = Shown::list(double);
        if theirs != self.shown || double.poll_timeout() != self.cache.poll_timeout() {
            let problem = format!(
                "after {given:?}, what was loaded shows {theirs:?} and waits for {:?}, not {:?} and {:?}",
                double.poll_timeout(),
                self.shown,
                self.cache.poll_timeout()
            );
            return Err(self.broken(LOADED_GOES_ON, problem));
        }
        Ok(())
    }

    /// Loads a second cache from the state. What is due must have been done.
    pub(crate) fn be_doubled(&mut self, now: i64) -> Result<(), Broken<R>> {
        let now = Timestamp(now + self.ahead);
        self.double = Some(self.load(&bytes(&self.cache), now)?);
        Ok(())
    }

    fn load(&self, bytes: &[u8], now: Timestamp) -> Result<ResourceCache<R>, Broken<R>> {
        let config = self.cache.config().clone();
        let loaded = serde_json::from_slice(bytes)
            .map_err(|error| error.to_string())
            .and_then(|record| {
                ResourceCache::restore(config, record, now).map_err(|error| error.to_string())
            });
        loaded.map_err(|error| {
            let problem = format!("what was saved cannot be loaded: {error}");
            self.broken(LOADED_GOES_ON, problem)
        })
    }

    /// When a token was taken, by the collection's own clock.
    pub(crate) fn fetched_at(&self, token: FetchToken) -> Option<i64> {
        let of = |f: &&(FetchToken, i64)| f.0 == token;
        self.fetched.iter().find(of).map(|f| f.1)
    }

    pub(crate) fn save(&mut self) {
        if let Some(watcher) = &mut self.watcher {
            watcher.save();
        }
        self.saved = Some(Saved {
            bytes: bytes(&self.cache),
            memory: self.memory.clone(),
            given: self.given.len(),
            states: self.states.clone(),
        });
    }

    /// Dies, and comes back with what it wrote last; with nothing when it never did.
    pub(crate) fn crash(&mut self, now: i64) -> Result<(), Broken<R>> {
        let now = Timestamp(now + self.ahead);
        self.crashed = true;
        (self.double, self.stream) = (None, None);
        if let Some(watcher) = &mut self.watcher {
            watcher.restart();
        }
        if let Some(saved) = self.saved.take() {
            self.cache = self.load(&saved.bytes, now)?;
            self.memory = saved.memory;
            self.states = saved.states;
            self.given.truncate(saved.given);
            self.given.push(Given::new(now, None));
            self.memory.clock.at(now.0);
            self.memory.note_loaded(&self.cache);
            self.knows_what_was_sent()?;
            self.save();
        } else {
            self.cache = ResourceCache::new(self.cache.config().clone());
            self.memory.forget();
            self.online = true;
            self.states = States::new();
            self.given.clear();
        }
        self.shown = Shown::list(&self.cache);
        self.reader = (self.cache.revision(), self.shown.clone());
        Ok(())
    }

    /// After a restart, what is under way is as it was sent.
    fn knows_what_was_sent(&mut self) -> Result<(), Broken<R>> {
        self.online = self.cache.is_online();
        for one in &self.memory.operations {
            let sent = one.sending.as_ref().and_then(|s| s.last.as_ref());
            let known = self.cache.attempt_of(one.operation);
            if let (Some((sent, _)), Some(known)) = (sent, &known) {
                let same = (&known.key, known.number, known.kind);
                if same != (&sent.key, sent.number, sent.kind) {
                    let problem = format!("{sent:?} was sent, and {known:?} is known of");
                    return Err(self.broken(ONE_KEY_EACH, problem));
                }
            }
        }
        Ok(())
    }

    /// The reader takes what has changed since it last did.
    pub(crate) fn read(&mut self) -> Result<(), Broken<R>> {
        let Some(changes) = self.cache.changes_since(self.reader.0) else {
            return Err(self.broken(SINCE_LEADS, "what changed is not known any more"));
        };
        let led = follow(&mut self.reader.1, &changes, &self.cache);
        if led.is_err() || self.reader.1 != self.shown {
            let problem = format!(
                "{changes:?} since {:?} lead to {:?}, not {:?}",
                self.reader.0, self.reader.1, self.shown
            );
            return Err(self.broken(SINCE_LEADS, problem));
        }
        self.reader.0 = self.cache.revision();
        Ok(())
    }
}

pub(crate) fn bytes<R: Subject>(cache: &ResourceCache<R>) -> Vec<u8> {
    serde_json::to_vec(&cache.record()).unwrap_or_default()
}
