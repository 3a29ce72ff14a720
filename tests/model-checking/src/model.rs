//! A world as `stateright` explores it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use resourcecache::Timestamp;
use stateright::{Model, Property};

use crate::client::{Client, Happening};
use crate::laws::laws;
use crate::state::{Action, State};
use crate::world::{Ask, World};

/// A client, by its form, and what happens to it when.
type Step = (u64, Happening, Timestamp);

/// A world to be explored.
#[derive(Debug)]
pub struct Exploration {
    /// The world.
    pub world: World,
    /// What was found to become of clients: the same happens to them again and again, while others
    /// do something else.
    steps: Mutex<HashMap<Step, Option<Arc<Client>>>>,
}

impl Exploration {
    /// Nothing is explored yet.
    pub fn new(world: World) -> Self {
        Self {
            world,
            steps: Mutex::default(),
        }
    }

    /// The client after this; `None` when it refuses it.
    pub(crate) fn after(
        &self,
        client: &Client,
        happening: Happening,
        now: Timestamp,
    ) -> Option<Arc<Client>> {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        let step = (client.form(), happening, now);
        if let Some(known) = steps.get(&step) {
            return known.clone();
        }
        let next = client.after(&self.world, &step.1, now).map(Arc::new);
        steps.insert(step, next.clone());
        next
    }

    /// Which operation is the creation.
    pub(crate) fn creation(&self) -> Option<usize> {
        let all = &self.world.asks;
        all.iter().position(|(_, ask)| *ask == Ask::Create)
    }
}

impl Model for Exploration {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::first(self)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        state.actions(self, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        state.after(self, action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        laws()
    }
}
