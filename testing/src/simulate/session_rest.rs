//! The end of a history of clients that keep their lists by watch sessions: the server is down for a
//! while, comes back, and tells all. Then what the sessions led to must be what a list shows.

use resourcecache::{Backoff, Resource as _, Timestamp, VersionOrder, WatchConfig};

use super::dice::Dice;
use super::law::{Broken, Expected, PACED, SAME_AS_LIST, SYNCED, WAITS};
use super::model::ServerModel;
use super::play::Play;
use super::step::Write;
use super::watching::{Fault, Watching};

/// A session that is not synced after so many rounds never is.
const ROUNDS: usize = 400;
/// Of so many histories, the server is down at the end of one.
const DOWN_OF: u64 = 4;
/// For so long.
const DOWN_MS: i64 = 60_000;

type Rested<S> = Result<(), Broken<<S as ServerModel>::Resource>>;

impl<S: ServerModel> Play<S> {
    /// The server is down, and comes back.
    pub(crate) fn session_comes_to_rest(&mut self, client: usize) -> Rested<S> {
        if self.clients[client].watcher.is_none() {
            return Ok(());
        }
        if self.world.seed.is_multiple_of(DOWN_OF) {
            self.server_is_down(client)?;
        }
        self.watching(client, &Watching::Online { online: true })?;
        self.session_syncs(client)
    }

    /// All is told, and a fresh list comes.
    pub(crate) fn session_lists_afresh(&mut self, client: usize) -> Rested<S> {
        // What comes next shows that something before it was lost.
        let dice = &mut Dice::new(self.world.seed);
        let last = format!("last{}", self.network.past.len());
        let last = self.network.server.invent(&last, dice);
        let _ = self.network.write(&Write::Create(last));
        for replica in 0..self.network.replicas.len() {
            self.network.catch_up(replica, usize::MAX);
        }
        self.session_syncs(client)?;
        self.watching(client, &Watching::Bookmark)?;
        self.drive(client, usize::MAX)?;
        self.check_same(client)?;
        self.watching(client, &Watching::Relist)?;
        self.session_syncs(client)
    }

    /// A minute in which every call is refused.
    fn server_is_down(&mut self, client: usize) -> Rested<S> {
        let Some(settings) = self.world.session.clone() else {
            return Ok(());
        };
        self.watching(client, &Watching::Online { online: true })?;
        self.end_stream(client, Some(Fault::Lost));
        let end = self.now + DOWN_MS;
        let before = self.calls(client);
        while self.now < end {
            self.drive(client, usize::MAX)?;
            let watcher = self.clients[client].watcher.as_ref();
            let list = watcher.is_some_and(|w| w.list.is_some());
            if list || watcher.is_some_and(|w| w.opening.is_some()) {
                let fault = Fault::Busy { after_ms: None };
                self.watching(client, &Watching::Fail { list, fault })?;
            } else {
                self.wait_for_session(client)?;
            }
        }
        let calls = self.calls(client) - before;
        let most = most_calls(&settings);
        if (4..=most).contains(&calls) {
            return Ok(());
        }
        let problem = format!("the server was down for {DOWN_MS} ms, and was called {calls} times");
        Err(self.clients[client].broken(PACED, problem))
    }

    fn calls(&self, client: usize) -> usize {
        let watcher = self.clients[client].watcher.as_ref();
        watcher.map_or(0, |watcher| watcher.pace.calls)
    }

    /// All calls are answered and all messages told, until there is nothing more to tell.
    fn session_syncs(&mut self, client: usize) -> Rested<S> {
        for round in 0..ROUNDS {
            self.drive(client, usize::MAX)?;
            let Some(watcher) = &self.clients[client].watcher else {
                return Ok(());
            };
            let (list, opening) = (watcher.list.is_some(), watcher.opening.is_some());
            let synced = watcher.session.is_synced();
            if list {
                self.watching(client, &Watching::Answer { replica: round })?;
            } else if opening {
                self.watching(client, &Watching::Open { replica: round })?;
            } else if self.tell(client, 3) {
            } else if synced {
                return Ok(());
            } else {
                self.wait_for_session(client)?;
            }
        }
        let this = &self.clients[client];
        let state = this.watcher.as_ref().map(|w| w.session.state());
        Err(this.broken(SYNCED, format!("its session is {state:?} for ever")))
    }

    /// Until the session is to be woken.
    fn wait_for_session(&mut self, client: usize) -> Rested<S> {
        let this = &self.clients[client];
        let due = this.watcher.as_ref().and_then(|w| w.session.poll_timeout());
        let Some(Timestamp(at)) = due else {
            return Err(this.broken(WAITS, "its session waits for nothing"));
        };
        self.now = self.now.max(at - this.ahead);
        Ok(())
    }

    /// What the session led to, without the list that is still to come.
    fn check_same(&mut self, client: usize) -> Rested<S> {
        let this = &self.clients[client];
        let truth = self.network.truth();
        // What came back under a tombstone, where nothing tells that it is another, a list shows.
        let hides = |body: &S::Resource| {
            let known = this.cache.get_one(body.id()).is_some();
            known && !this.shown.iter().any(|row| row.id == body.id())
        };
        let late = this.watcher.as_ref().is_some_and(|w| w.was_late);
        if this.cache.should_poll() || this.strays || late {
            return Ok(());
        }
        // Without an order of versions, a guard that was silent ends with the next list (G2, G3); so
        // does what a stage has ended.
        let ordered = self.world.config.version_order != VersionOrder::Opaque;
        let lets_go = !ordered || self.world.plans;
        let guarded = |body: &&S::Resource| {
            lets_go && this.memory.operations.iter().any(|one| one.id == body.id())
        };
        let by_id = |bodies: &mut dyn Iterator<Item = &S::Resource>| {
            let bodies = bodies.filter(|body| !guarded(body) && !hides(body));
            let mut bodies: Vec<S::Resource> = bodies.cloned().collect();
            bodies.sort_by(|one, other| one.id().cmp(other.id()));
            bodies
        };
        let shown = by_id(&mut this.shown.iter().map(|row| &row.body));
        let held = by_id(&mut truth.iter());
        if shown == held {
            return Ok(());
        }
        let problem = format!("{shown:?} is shown, and a list would show {held:?}");
        Err(Broken {
            expected: Box::new(Expected::Truth(truth.to_vec())),
            ..this.broken(SAME_AS_LIST, problem)
        })
    }
}

/// How many calls a session may make while a server is down: each after its wait, and each at once
/// when there was none before.
fn most_calls(settings: &WatchConfig) -> usize {
    let down = DOWN_MS.unsigned_abs();
    let waits = match settings.backoff {
        // 1 + 2 + .. + n steps fill the time.
        Backoff::Linear { step_ms } => (2 * down / step_ms.max(1)).isqrt(),
        // Waits are drawn evenly from up to the cap: twice as many as on average are beyond chance.
        Backoff::Exponential { cap_ms, .. } => 4 * down / cap_ms.max(1),
    };
    usize::try_from(waits)
        .unwrap_or(usize::MAX)
        .saturating_add(12)
}
