//! What kind of world a history plays in. Everything is drawn from the seed.

use resourcecache::{Config, NewItems, OnFailure, VersionOrder};

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
    /// The settings of every client's cache.
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
        Self {
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
            config: config(versions, dice),
        }
    }
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
