//! A state of a world, and what may happen next.

use std::sync::Arc;

use resourcecache::{Settlement, Timestamp};

use crate::client::{Client, Done, Happening};
use crate::model::Exploration;
use crate::server::{self, Answer};
use crate::world::{Ask, TEMPORARY, TIMES, TTL_MS};

/// Everything that there is.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct State {
    /// Which of [`TIMES`] it is.
    pub time: usize,
    /// What was done at the server, in order: numbers of operations.
    pub done: Done,
    /// How many of these each replica knows of.
    pub replicas: [usize; 2],
    /// The clients.
    pub clients: [Arc<Client>; 2],
    /// What became of each operation.
    pub asked: Vec<Option<Asked>>,
    /// Whether a client's last list was the server's last word.
    pub is_told: [bool; 2],
}

/// An operation that has begun.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Asked {
    /// When it began.
    pub begun: i64,
    /// What the server said, once it was asked.
    pub said: Option<Answer>,
    /// When its client heard that.
    pub heard: Option<i64>,
    /// Whether it was over by then: the answer is only news.
    pub late: bool,
}

/// One thing that may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// A user asks for an operation, by its number.
    Begin(usize),
    /// The server does it, or refuses.
    Serve(usize),
    /// The client hears of that.
    Hear(usize),
    /// A client lists a replica, which has learnt of so many of the changes by then; where lists
    /// are slow, the answer is on its way.
    List {
        /// Who.
        client: usize,
        /// Which.
        replica: usize,
        /// How many.
        knows: usize,
    },
    /// The answer arrives.
    Receive {
        /// Whose.
        client: usize,
    },
    /// It is the next of the times.
    Pass,
}

impl State {
    /// How a world begins.
    pub(crate) fn first(exploration: &Exploration) -> Self {
        let world = &exploration.world;
        let client = Arc::new(Client::new(world));
        Self {
            time: 0,
            done: Vec::new(),
            replicas: [0; 2],
            clients: [client.clone(), client],
            asked: vec![None; world.asks.len()],
            is_told: [false; 2],
        }
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        Timestamp(TIMES[self.time])
    }

    /// Whether it is the last of the times.
    pub fn is_late(&self) -> bool {
        self.time + 1 == TIMES.len()
    }

    pub(crate) fn actions(&self, exploration: &Exploration, actions: &mut Vec<Action>) {
        let all = 0..self.asked.len();
        actions.extend(all.filter_map(|number| self.next_of(exploration, number)));
        for client in exploration.world.lists.iter().copied() {
            if self.clients[client].is_listing() {
                actions.push(Action::Receive { client });
                continue;
            }
            // Two replicas that know the same are the same.
            let different = 1 + usize::from(self.replicas[0] != self.replicas[1]);
            for replica in 0..different {
                let least = if self.is_late() {
                    self.done.len()
                } else {
                    self.replicas[replica]
                };
                let lists = (least..=self.done.len()).map(|knows| Action::List {
                    client,
                    replica,
                    knows,
                });
                actions.extend(lists);
            }
        }
        if !self.is_late() {
            actions.push(Action::Pass);
        }
    }

    fn next_of(&self, exploration: &Exploration, number: usize) -> Option<Action> {
        let (client, ask) = exploration.world.asks[number];
        let ids = [ask.id(), ask.real_id()];
        let shows = |id| self.clients[client].shown().any(|(shown, _)| shown == id);
        let exists = || {
            let list = server::list(&exploration.world, &self.done);
            list.iter().any(|toy| ids.contains(&toy.id.as_str()))
        };
        let lists = exploration.world.lists.contains(&client);
        let sees = || ids.into_iter().any(shows) || !lists && exists();
        let on_new = ask != Ask::Create && ask.id() == TEMPORARY;
        let creation = || exploration.creation().and_then(|c| self.asked[c].as_ref());
        match &self.asked[number] {
            None if self.time > 0 => None,
            None if ask == Ask::Create || sees() => Some(Action::Begin(number)),
            None => None,
            Some(asked) if self.is_late() || asked.heard.is_some() => None,
            // What is refused whatever the server has need not be served to be heard of.
            Some(asked) if asked.said.is_some() || ask.is_refused() => Some(Action::Hear(number)),
            // Without its real id, the client cannot ask the server for anything.
            Some(_) if on_new && creation().is_none_or(|c| c.heard.is_none()) => None,
            Some(_) => Some(Action::Serve(number)),
        }
    }

    /// The state after this; `None` where the cache refuses it.
    pub(crate) fn after(&self, exploration: &Exploration, action: Action) -> Option<Self> {
        let mut next = self.clone();
        match action {
            Action::Begin(number) => {
                let client = exploration.world.asks[number].0;
                next.happen(exploration, client, Happening::Begin(number))?;
                next.asked[number] = Some(Asked {
                    begun: self.now().0,
                    said: None,
                    heard: None,
                    late: false,
                });
            }
            Action::Serve(number) => {
                let ask = exploration.world.asks[number].1;
                let answer = server::answer(&exploration.world, &self.done, ask);
                if answer == Answer::Done {
                    next.done.push(number);
                }
                next.asked[number].as_mut()?.said = Some(answer);
            }
            Action::Hear(number) => next.hear(exploration, number)?,
            Action::List {
                client,
                replica,
                knows,
            } => {
                next.replicas[replica] = knows;
                let known = self.done[..knows].to_vec();
                // In the end nothing overtakes any more.
                let slow = exploration.world.slow_lists && !self.is_late();
                let list = if slow {
                    Happening::Fetch
                } else {
                    Happening::List
                };
                next.happen(exploration, client, list(known))?;
                next.is_told[client] = !slow && self.is_late() && knows == self.done.len();
            }
            Action::Receive { client } => {
                next.happen(exploration, client, Happening::Receive)?;
            }
            Action::Pass => {
                next.time += 1;
                for client in 0..2 {
                    next.happen(exploration, client, Happening::Tick)?;
                }
            }
        }
        // Which replica is which does not matter.
        next.replicas.sort_unstable();
        (next != *self).then_some(next)
    }

    fn happen(
        &mut self,
        exploration: &Exploration,
        client: usize,
        happening: Happening,
    ) -> Option<()> {
        let now = self.now();
        self.clients[client] = exploration.after(&self.clients[client], happening, now)?;
        self.is_told[client] = false;
        Some(())
    }

    fn hear(&mut self, exploration: &Exploration, number: usize) -> Option<()> {
        let client = exploration.world.asks[number].0;
        let now = self.now().0;
        let ask = exploration.world.asks[number].1;
        let asked = self.asked[number].as_mut()?;
        asked.said = asked
            .said
            .clone()
            .or(ask.is_refused().then_some(Answer::Refused));
        let guarded = now < asked.begun + TTL_MS;
        let over = |(settlement, _)| settlement != Settlement::Confirmed || !guarded;
        asked.late = self.clients[client].outcomes(number).any(over);
        asked.heard = Some(now);
        let happening = if asked.said == Some(Answer::Refused) {
            Happening::Refused(number)
        } else {
            let at = self.done.iter().position(|done| *done == number)?;
            Happening::Accepted(number, self.done[..=at].to_vec())
        };
        self.happen(exploration, client, happening)
    }
}
