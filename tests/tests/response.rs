//! Merging a response as it is read leads to what merging its snapshot leads to, byte for byte:
//! the items that were passed over unread included (DESIGN 10, S1, S2).

mod common;

use proptest::prelude::*;
use resourcecache::{BadItems, Config, Timestamp, VersionOrder};
use resourcecache_tests::Twins;
use resourcecache_tests::responses::{list_step, schema};

proptest! {
    #![proptest_config(common::cases(4_000))]
    #[test]
    fn a_response_merges_as_its_snapshot(steps in prop::collection::vec(list_step(), 1..12), skip: bool, ordered: bool) {
        let mut config = Config::default();
        config.bad_items = if skip { BadItems::Skip } else { BadItems::Reject };
        config.version_order = if ordered { VersionOrder::Integer } else { VersionOrder::Opaque };
        let mut twins = Twins::new(&config, schema());
        for (now, step) in steps.into_iter().enumerate() {
            let now = Timestamp(i64::try_from(now).unwrap() * 20_000);
            let agreed = twins.step(&step, now);
            prop_assert!(agreed.is_ok(), "{:?}: {}", step, agreed.unwrap_err());
        }
    }
}
