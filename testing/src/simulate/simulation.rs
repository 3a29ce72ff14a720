//! Runs histories: draws one from a seed and plays it, or plays one that is given.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use resourcecache::Kind;

use super::dice::Dice;
use super::generate::Chooser;
use super::law::{Broken, Expected, NO_PANIC, Violation};
use super::model::ServerModel;
use super::play::Play;
use super::scenario;
use super::step::{History, Step};
use super::tamper::Tamper;
use super::world::World;
use crate::coverage::Coverage;
use crate::server::Server;

/// What came of a history.
#[derive(Clone, Debug)]
pub struct Run<S: ServerModel> {
    /// The history.
    pub history: History<S::Resource>,
    /// The law that was broken, if one was.
    pub violation: Option<Violation>,
    /// What was reached.
    pub coverage: Coverage,
}

type Make<S> = dyn Fn(&mut World) -> S + Send + Sync;

/// A simulator of clients of one kind of server.
///
/// ```
/// use resourcecache_testing::simulate::{Simulation, Tamper};
/// use resourcecache::Event;
///
/// // A client that forgets a deletion when its call returns, as one is tempted to.
/// let mistaken = Tamper {
///     event: |event| match event {
///         Event::Acknowledge { operation, .. } => Event::Cancel { operation },
///         other => other,
///     },
///     ..Tamper::default()
/// };
/// let simulation = Simulation::ours().tamper(mistaken);
/// let run = (0..1_000).map(|seed| simulation.run(seed)).find(|run| run.violation.is_some());
/// let shrunk = simulation.shrink(&run.unwrap().history).unwrap();
/// assert!(shrunk.history.steps.len() < 10, "{:#?}", shrunk.history);
/// println!("{}\n{}", shrunk.violation, shrunk.scenario);
/// ```
pub struct Simulation<S: ServerModel> {
    make: Box<Make<S>>,
    tamper: Tamper<S::Resource>,
}

impl<S: ServerModel> fmt::Debug for Simulation<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation").finish_non_exhaustive()
    }
}

impl Simulation<Server> {
    /// With the server that the simulator brings along.
    pub fn ours() -> Self {
        Self::new(|world| Server::of(world))
    }
}

/// How far a history was played, and what it broke.
pub(crate) struct Ended<S: ServerModel> {
    pub(crate) play: Play<S>,
    pub(crate) broken: Option<(usize, Broken<S::Resource>)>,
}

impl<S: ServerModel> Simulation<S> {
    /// With a server that `make` makes for each world. It may change what the world says of the
    /// server (versions, their order, who names resources) to what is true of its own.
    pub fn new(make: impl Fn(&mut World) -> S + Send + Sync + 'static) -> Self {
        Self {
            make: Box::new(make),
            tamper: Tamper::default(),
        }
    }

    /// The same, with a planted mistake.
    #[must_use]
    pub fn tamper(mut self, tamper: Tamper<S::Resource>) -> Self {
        self.tamper = tamper;
        self
    }

    /// Draws the history of a seed, and plays it.
    pub fn run(&self, seed: u64) -> Run<S> {
        let mut world = World::of(seed);
        let mut play = self.begin(&mut world);
        let mut chooser = Chooser::new(seed);
        let mut steps = Vec::with_capacity(world.steps);
        let broken = guarded(&mut play, |play, at| {
            for number in 0..world.steps {
                *at = number;
                steps.push(chooser.choose(play));
                play.step(&steps[number])?;
            }
            *at = world.steps;
            play.rest()
        });
        let violation = broken.map(|(step, broken)| violation(seed, step, &broken));
        Run {
            history: History { world, steps },
            violation,
            coverage: play.coverage,
        }
    }

    /// Plays a history again; answers the law that it breaks.
    pub fn replay(&self, history: &History<S::Resource>) -> Option<Violation> {
        let ended = self.play(&history.world, &history.steps);
        let broken = ended.broken.as_ref();
        broken.map(|(step, broken)| violation(history.world.seed, *step, broken))
    }

    /// What each client of a history was given, as a scenario file that ends with the server's list;
    /// none when the history breaks a law.
    pub fn scenarios(&self, history: &History<S::Resource>) -> Vec<String> {
        let ended = self.play(&history.world, &history.steps);
        if ended.broken.is_some() {
            return Vec::new();
        }
        let expected = Expected::Truth(ended.play.network.truth().to_vec());
        let print = |client| {
            let name = format!("seed {}, client {client}", history.world.seed);
            scenario::of_client(&ended.play, client, &name, &[], &expected)
        };
        (0..ended.play.clients.len()).map(print).collect()
    }

    pub(crate) fn play(&self, world: &World, steps: &[Step<S::Resource>]) -> Ended<S> {
        let mut play = self.begin(&mut world.clone());
        let broken = guarded(&mut play, |play, at| {
            for (number, step) in steps.iter().enumerate() {
                *at = number;
                play.step(step)?;
            }
            *at = steps.len();
            play.rest()
        });
        Ended { play, broken }
    }

    fn begin(&self, world: &mut World) -> Play<S> {
        let server = (self.make)(world);
        if world.plans {
            let dice = &mut Dice::new(world.seed ^ 0x706c_616e_0000_0000);
            for kind in [Kind::Create, Kind::Update, Kind::Process, Kind::Delete] {
                let plan = server.plan(kind, dice);
                world.config.progress.extend(plan.map(|plan| (kind, plan)));
            }
        }
        Play::new(world.clone(), server, self.tamper)
    }
}

/// Plays on; a panic is a broken law too.
fn guarded<S: ServerModel>(
    play: &mut Play<S>,
    mut act: impl FnMut(&mut Play<S>, &mut usize) -> Result<(), Broken<S::Resource>>,
) -> Option<(usize, Broken<S::Resource>)> {
    let mut at = 0;
    let done = catch_unwind(AssertUnwindSafe(|| act(play, &mut at)));
    let broken = match done {
        Ok(Ok(())) => return None,
        Ok(Err(broken)) => broken,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            let problem = format!("panicked: {}", text.unwrap_or("without a word"));
            play.clients[play.acting].broken(NO_PANIC, problem)
        }
    };
    Some((at, broken))
}

pub(crate) fn violation<R: super::Subject>(
    seed: u64,
    step: usize,
    broken: &Broken<R>,
) -> Violation {
    Violation {
        law: broken.law,
        seed,
        step,
        client: broken.client,
        problem: broken.problem.clone(),
    }
}
