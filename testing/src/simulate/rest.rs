//! The end of a history: the network goes quiet, time passes, a fresh list comes. Then all must be
//! settled, and the list the server's.

use resourcecache::{Event, Resource as _, ResourceCache, Snapshot, State, Timestamp};

use super::client::bytes;
use super::dice::Dice;
use super::law::{ALL_SETTLED, Broken, Expected, Law, REPLAYED, STEPS_END, TRUTH};
use super::model::ServerModel;
use super::outbox_laws;
use super::play::{Play, answered};
use super::remembered::state_of;
use super::step::Write;

/// After so many timeouts a cache that still wants to be woken is in a circle.
const TIMEOUTS: usize = 1_000;
/// So often may what is sent by hand wait for what is sent by hand.
const GIVEN_UP: usize = 3;
/// Longer than any guard or deadline of any world.
const LONG_MS: i64 = 1_000_000;
/// Of so many histories, one is replayed from its events.
const REPLAYED_OF: u64 = 8;

type Rested<S> = Result<(), Broken<<S as ServerModel>::Resource>>;

impl<S: ServerModel> Play<S> {
    /// Brings the world to rest, and holds the laws of that.
    pub(crate) fn rest(&mut self) -> Rested<S> {
        self.network.flights.clear();
        for replica in 0..self.network.replicas.len() {
            self.network.catch_up(replica, usize::MAX);
        }
        for client in 0..self.clients.len() {
            self.clients[client].stream = None;
            self.session_comes_to_rest(client)?;
            if self.world.queued > 0 {
                self.send_all(client)?;
                // What is sent by hand may be given up, and let go of what waited behind it; and that
                // of what waited behind that.
                for _ in 0..GIVEN_UP {
                    self.settle(client)?;
                    self.send_all(client)?;
                }
            }
        }
        for client in 0..self.clients.len() {
            self.settle(client)?;
            self.check_rest(client)?;
        }
        Ok(())
    }

    /// Time passes, and a fresh list comes.
    fn settle(&mut self, client: usize) -> Rested<S> {
        self.run_timeouts(client)?;
        self.drop_kept_failures(client)?;
        self.work_to_its_end();
        self.now += LONG_MS;
        match self.world.session {
            Some(_) => self.session_lists_afresh(client)?,
            None => self.list_afresh(client)?,
        }
        self.run_timeouts(client)?;
        // A stage may have ended as a failure what went on.
        self.drop_kept_failures(client)
    }

    /// The network is well: all that is queued is sent and answered.
    fn send_all(&mut self, client: usize) -> Rested<S> {
        self.clients[client].online = true;
        self.give(client, Event::SetOnline { online: true }, None)?;
        for _ in 0..TIMEOUTS {
            while let Some(call) = self.next_attempt(client)? {
                let answer = self.network.call(&call);
                self.check_done_once(&call, client)?;
                let known = self.clients[client].memory.by_tag(call.operation);
                let told = known.map(|one| answered(&self.world, one, &answer, None));
                if let Some(event) = told {
                    self.give(client, event, None)?;
                }
            }
            let this = &self.clients[client];
            // What waits for the user waits on.
            let (Some(Timestamp(at)), 1..) = (this.cache.poll_timeout(), this.cache.queued())
            else {
                return Ok(());
            };
            self.now = self.now.max(at - this.ahead);
            self.give(client, Event::HandleTimeout, None)?;
        }
        let problem = "the network is well, and something is still queued";
        Err(self.clients[client].broken(STEPS_END, problem))
    }

    /// What the server works on comes to its end.
    fn work_to_its_end(&mut self) {
        if !self.world.plans {
            return;
        }
        let dice = &mut Dice::new(self.world.seed);
        for body in self.network.truth().iter() {
            if let Some(patch) = self.network.server.work(body, true, dice) {
                let id = body.id().to_string();
                let _ = self.network.write(&Write::Update { id, patch });
            }
        }
    }

    /// Does what is due, each at its time, as a timer of the user's would.
    fn run_timeouts(&mut self, client: usize) -> Rested<S> {
        for _ in 0..TIMEOUTS {
            let this = &self.clients[client];
            let Some(Timestamp(at)) = this.cache.poll_timeout() else {
                return Ok(());
            };
            self.now = self.now.max(at - this.ahead);
            self.give(client, Event::HandleTimeout, None)?;
        }
        let problem = format!("{TIMEOUTS} timeouts, and another is to come");
        Err(self.clients[client].broken(STEPS_END, problem))
    }

    /// A failure that is kept until the user drops it is dropped.
    fn drop_kept_failures(&mut self, client: usize) -> Rested<S> {
        let this = &self.clients[client];
        let known = this.memory.operations.iter();
        let failed = known.filter(|o| {
            let state = state_of(&this.cache, o);
            matches!(state, Some(State::Failed(_)))
        });
        let failed: Vec<_> = failed.map(|o| o.operation).collect();
        for operation in failed {
            self.give(client, Event::Cancel { operation }, None)?;
        }
        Ok(())
    }

    fn list_afresh(&mut self, client: usize) -> Rested<S> {
        let mut snapshot = Snapshot::complete(self.network.truth().to_vec());
        let newest = self.network.newest();
        snapshot
            .list_version
            .clone_from(&self.network.past[newest].version);
        if self.world.fetch_tokens {
            let applied = self.give(client, Event::BeginFetch, None)?;
            snapshot.token = applied.and_then(|a| a.token);
        }
        self.give(client, Event::Merge(snapshot), None)?;
        Ok(())
    }

    fn check_rest(&mut self, client: usize) -> Rested<S> {
        let this = &self.clients[client];
        let truth = self.network.truth();
        let not_this = |law: Law, problem: String| Broken {
            expected: Box::new(Expected::Truth(truth.to_vec())),
            ..this.broken(law, problem)
        };
        let shown: Vec<_> = this.shown.iter().map(|row| &row.body).collect();
        if !shown.iter().copied().eq(truth.iter()) {
            let problem = format!("{shown:?} is shown, and the server has {truth:?}");
            return Err(not_this(TRUTH, problem));
        }
        let unsettled = this.cache.all().find(|item| item.state().is_unsettled());
        if let Some(item) = unsettled {
            let problem = format!("{} is still {}", item.id(), item.state());
            return Err(not_this(ALL_SETTLED, problem));
        }
        if let Some(one) = this.memory.operations.iter().find(|o| !o.has_outcome()) {
            let problem = format!("operation {} on {} has no outcome", one.operation, one.id);
            return Err(not_this(ALL_SETTLED, problem));
        }
        if this.cache.should_poll() {
            return Err(not_this(ALL_SETTLED, "asking again seems of use".into()));
        }
        outbox_laws::all_done(this, &self.network)?;
        self.coverage.met("T2");
        self.clients[client].read()?;
        self.replay(client)
    }

    /// The same events lead to the same state (R1).
    fn replay(&self, client: usize) -> Rested<S> {
        let this = &self.clients[client];
        if this.crashed || !self.world.seed.is_multiple_of(REPLAYED_OF) {
            return Ok(());
        }
        let mut again = ResourceCache::new(this.cache.config().clone());
        for given in &this.given {
            if let Some(event) = &given.event {
                let answer = again.apply(event.clone(), Timestamp(given.at));
                if answer.is_ok() != given.refused.is_none() {
                    let problem = format!("{event:?} was answered otherwise");
                    return Err(this.broken(REPLAYED, problem));
                }
            }
        }
        if bytes(&again) == bytes(&this.cache) {
            return Ok(());
        }
        Err(this.broken(REPLAYED, "the state is another"))
    }
}
