//! What kind of world a history plays in. Everything is drawn from the seed.

use resourcecache::{Backoff, Config, NewItems, OnFailure, VersionOrder, WatchConfig};

use super::dice::Dice;

/// How the server marks versions of resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versions {
    /// Not at all.
    None,
    /// By texts that compare as equal or not, such as `ETag`s.
    Opaque,
    /// By growing integers.
    Integer,
    /// By RFC 3339 times.
    Timestamp,
}

/// Who names a new resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// The server, and never twice the same.
    Server,
    /// The server, and it uses the names of deleted resources again.
    ServerAgain,
    /// The client; a deleted name may come again.
    Client,
}

/// By which verbs clients tell the cache of the server's answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// By operation: `acknowledge`.
    Operations,
    /// By id, as the document does: `replace_created`, `update_in_place` and `revert`, `remove`.
    Ids,
}

/// A kind of world: how many take part, what the server tells, how bad the network is.
///
/// ```
/// use resourcecache_testing::simulate::World;
/// assert_eq!(World::of(3), World::of(3));
/// assert!((1..=3).contains(&World::of(3).clients));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct World {
    /// The seed of everything.
    pub seed: u64,
    /// How many steps a history has before it comes to rest.
    pub steps: usize,
    /// How many clients there are.
    pub clients: usize,
    /// How many replicas answer lists and watches.
    pub replicas: usize,
    /// How many resources the server holds at first.
    pub held: usize,
    /// How the server marks versions.
    pub versions: Versions,
    /// Whether lists carry a version of their own.
    pub list_versions: bool,
    /// Whether resources have an identity that is never reused.
    pub uids: bool,
    /// Who names new resources.
    pub names: Names,
    /// Whether clients send a token that the server echoes.
    pub tokens: bool,
    /// Whether answers of updates carry the resource.
    pub answers: bool,
    /// How clients tell the cache of answers.
    pub style: Style,
    /// Whether clients take a fetch token before they list.
    pub fetch_tokens: bool,
    /// How many resources a page has, where lists come in pages.
    pub page: Option<usize>,
    /// Whether clients watch.
    pub watch: bool,
    /// Of a hundred messages, how many are lost.
    pub lost: usize,
    /// Of a hundred messages, how many come twice.
    pub twice: usize,
    /// How often others write, beside the clients.
    pub others: usize,
    /// Whether the clients' clocks step back.
    pub clocks_step_back: bool,
    /// Whether clients crash.
    pub crashes: bool,
    /// Of a hundred operations, how many are left to the outbox.
    pub queued: usize,
    /// Of a hundred calls of the outbox, how many find a server that is too busy.
    pub busy: usize,
    /// Of a hundred edits, creations and deletions, how many are steps that can be undone.
    pub performed: usize,
    /// Whether the server works in stages that the clients have plans of.
    pub plans: bool,
    /// The settings of the watch sessions by which clients keep their lists, where they do: lists and
    /// streams are then the sessions' alone.
    pub session: Option<WatchConfig>,
    /// The settings of every client's cache; each has a seed of its own beside.
    pub config: Config,
}

impl World {
    /// The world of a seed.
    pub fn of(seed: u64) -> Self {
        let dice = &mut Dice::new(seed ^ 0x776f_726c_6400_0000);
        let versions = *dice
            .pick(&[
                Versions::None,
                Versions::None,
                Versions::Opaque,
                Versions::Integer,
                Versions::Integer,
                Versions::Timestamp,
            ])
            .unwrap_or(&Versions::None);
        let ordered = matches!(versions, Versions::Integer | Versions::Timestamp);
        let world = Self {
            seed,
            steps: dice.between(15, 110),
            clients: *dice.pick(&[1, 1, 2, 2, 3]).unwrap_or(&1),
            replicas: dice.between(1, 3),
            held: dice.below(6),
            versions,
            list_versions: ordered && dice.chance(50),
            uids: dice.chance(50),
            names: *dice
                .pick(&[Names::Server, Names::ServerAgain, Names::Client])
                .unwrap_or(&Names::Server),
            tokens: dice.chance(30),
            answers: dice.chance(60),
            style: *dice
                .pick(&[Style::Operations, Style::Operations, Style::Ids])
                .unwrap_or(&Style::Operations),
            fetch_tokens: dice.chance(60),
            page: dice.chance(30).then(|| dice.between(1, 3)),
            watch: dice.chance(40),
            lost: *dice.pick(&[0, 5, 20]).unwrap_or(&0),
            twice: *dice.pick(&[0, 5, 20]).unwrap_or(&0),
            others: *dice.pick(&[0, 2, 6]).unwrap_or(&0),
            clocks_step_back: dice.chance(20),
            crashes: dice.chance(50),
            queued: 0,
            busy: 0,
            performed: 0,
            plans: false,
            session: None,
            config: config(versions, dice),
        };
        let world = world.with_more(&mut Dice::new(seed ^ 0x6d6f_7265_0000_0000));
        if seed & Self::WATCHED == 0 {
            return world;
        }
        world.with_sessions(&mut Dice::new(seed ^ 0x7365_7373_0000_0000))
    }

    /// What not every world has: an outbox, steps that can be undone, work in stages.
    fn with_more(mut self, dice: &mut Dice) -> Self {
        self.queued = *dice.pick(&[0, 0, 60, 100]).unwrap_or(&0);
        self.performed = *dice.pick(&[0, 0, 0, 70]).unwrap_or(&0);
        self.plans = dice.chance(25);
        if self.performed > 0 && self.queued > 0 {
            // Steps are sent all in one way: an inverse stands in the queue of its step.
            self.queued = 100;
        }
        if self.queued > 0 {
            // A key's answer names what may be gone since: its name must not come again.
            if self.names == Names::ServerAgain {
                self.names = Names::Server;
            }
            self.busy = *dice.pick(&[0, 10, 30]).unwrap_or(&0);
            outbox(&mut self.config, dice);
        }
        if self.performed > 0 {
            let history = &mut self.config.history;
            history.steps = *dice.pick(&[2, 5, 100]).unwrap_or(&100);
            history.bytes = *dice.pick(&[0, 700, 1 << 20, 1 << 20]).unwrap_or(&0);
        }
        self
    }
}

/// What the outbox does about attempts that fail, and how many it has under way.
fn outbox(config: &mut Config, dice: &mut Dice) {
    let retry = &mut config.retry;
    retry.backoff = if dice.chance(50) {
        Backoff::Linear { step_ms: 100 }
    } else {
        Backoff::Exponential {
            base_ms: 50,
            cap_ms: 800,
        }
    };
    retry.max_attempts = *dice
        .pick(&[None, Some(1), Some(3), Some(6)])
        .unwrap_or(&None);
    retry.max_age_ms = dice.chance(20).then_some(3_000);
    retry.attempt_timeout_ms = *dice.pick(&[200, 1_000, 5_000]).unwrap_or(&200);
    config.max_under_way = *dice.pick(&[1, 2, 6]).unwrap_or(&6);
}

fn config(versions: Versions, dice: &mut Dice) -> Config {
    let mut config = Config::default();
    config.ttl_ms = *dice.pick(&[500, 1_000, 3_000]).unwrap_or(&1_000);
    config.stale_after_ms = *dice.pick(&[2_000, 5_000, 20_000]).unwrap_or(&5_000);
    config.completed_shown_ms = *dice.pick(&[0, 200, 1_500]).unwrap_or(&200);
    config.error_shown_ms = *dice.pick(&[0, 500, 4_000]).unwrap_or(&500);
    config.retry_backoff_ms = 100;
    config.version_order = match versions {
        Versions::None | Versions::Opaque => VersionOrder::Opaque,
        Versions::Integer => VersionOrder::Integer,
        Versions::Timestamp => VersionOrder::Timestamp,
    };
    if dice.chance(40) {
        config.new_items = NewItems::Start;
    }
    if dice.chance(20) {
        config.on_failure = OnFailure::Keep;
    }
    config
}
