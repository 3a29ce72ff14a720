//! Worlds in which each client keeps its list by a watch session.

use resourcecache::{Backoff, BadMessages, Initial, Resume, WatchConfig};

use super::dice::Dice;
use super::world::World;

impl World {
    /// Seeds with this bit have worlds in which each client keeps its list by a watch session.
    ///
    /// ```
    /// use resourcecache_testing::simulate::World;
    /// assert!(World::of(3).session.is_none());
    /// assert!(World::of(3 | World::WATCHED).session.is_some());
    /// ```
    pub const WATCHED: u64 = 1 << 63;

    /// With watch sessions, by whose lists and streams alone clients learn of the server.
    pub(crate) fn with_sessions(mut self, dice: &mut Dice) -> Self {
        let resumes = [
            Resume::Version,
            Resume::Version,
            Resume::Sequence,
            Resume::Nowhere,
        ];
        let mut config = WatchConfig::default();
        config.resume = *dice.pick(&resumes).unwrap_or(&Resume::Version);
        if dice.chance(30) {
            config.initial = Initial::Stream;
        }
        config.limit = *dice
            .pick(&[None, Some(1), Some(2), Some(500)])
            .unwrap_or(&None);
        config.first_list_may_be_old = dice.chance(30);
        config.awaits_ready = config.resume != Resume::Version && dice.chance(30);
        if dice.chance(20) {
            config.bad_messages = BadMessages::Skip;
        }
        config.backoff = match dice.chance(50) {
            true => Backoff::Linear { step_ms: 100 },
            false => Backoff::Exponential {
                base_ms: 100,
                cap_ms: 2_000,
            },
        };
        config.healthy_after_ms = 2_000;
        config.idle_after_ms = *dice.pick(&[None, Some(5_000)]).unwrap_or(&None);
        config.list_timeout_ms = *dice.pick(&[500, 60_000]).unwrap_or(&500);
        config.list_interval_ms = *dice.pick(&[1, 300]).unwrap_or(&1);
        config.max_waiting = *dice.pick(&[2, 10_000, 10_000]).unwrap_or(&10_000);
        self.watch = false;
        self.session = Some(config);
        self
    }
}
