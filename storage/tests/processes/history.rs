//! A history of events that any process can make again from its seed.

use resourcecache::{Config, Event, Kind, OperationId, Retry, Snapshot, Timestamp};
use resourcecache_testing::{Player, Toy};

/// A fixed pseudo-random sequence (SplitMix64, Steele et al. 2014).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % most
    }
}

pub(crate) fn config() -> Config {
    Player::config()
}

/// The event with this number, and when it happens.
pub(crate) fn event(seed: u64, number: u64) -> (Event<Toy>, Timestamp) {
    let mut dice = Dice::new(seed ^ number.wrapping_mul(0x5851_F42D_4C95_7F2D));
    let id = |dice: &mut Dice| format!("z{}", dice.below(24));
    let operation = OperationId(1 + dice.below(number / 2 + 2));
    let event = match dice.below(10) {
        0..3 => {
            let start = dice.below(24);
            let ids = (0..18).map(|n| (start + n * 7) % 24);
            let items = ids.map(|n| Toy::new(format!("z{n}"), [dice.below(2) as i64, 0, 0]));
            Event::Merge(Snapshot::complete(items.collect()))
        }
        kind @ 3..6 => Event::Begin {
            id: id(&mut dice).into(),
            kind: if kind == 3 {
                Kind::Delete
            } else {
                Kind::Update
            },
            patch: (kind != 3).then(|| [Some(dice.below(5) as i64), None, None]),
            min_ttl_ms: None,
        },
        6 => Event::Create {
            resource: Toy::new(format!("t{number}"), [1, 2, 3]),
            min_ttl_ms: None,
        },
        7 => Event::Acknowledge {
            operation,
            answer: None,
        },
        8 => Event::Fail {
            operation,
            error: "503".into(),
            retry: Retry::No,
        },
        _ => Event::Revert {
            id: id(&mut dice).into(),
        },
    };
    (event, Timestamp(1_000_000 + number as i64 * 100))
}
