//! Watch sessions against a naive server that keeps a log of its changes, compacts it, answers lists
//! in chunks, late and not at all, and whose streams break, end, repeat, skip and lag: at rest the
//! collection is the server's (W2, W4 to W9).

mod client;
mod server;

use client::{Client, Mode, Step};
use proptest::prelude::*;

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..6_u8, 0..3_u8).prop_map(|(id, value)| Step::Put { id, value }),
        4 => (0..6_u8).prop_map(|id| Step::Delete { id }),
        1 => (0..4_u8).prop_map(|keep| Step::Compact { keep }),
        8 => (1..4_u8).prop_map(|count| Step::Tell { count }),
        1 => Just(Step::Bookmark),
        2 => Just(Step::Repeat),
        1 => Just(Step::Skip),
        1 => Just(Step::Garble),
        2 => Just(Step::Cut),
        1 => Just(Step::End),
        1 => Just(Step::Refuse),
        5 => (0..8_u8).prop_map(|fresh| Step::Answer { fresh }),
        1 => Just(Step::LoseList),
        1 => Just(Step::Late),
        3 => (0..4_u8).prop_map(|much| Step::Wait { much }),
        1 => any::<bool>().prop_map(|online| Step::Online { online }),
        1 => Just(Step::Relist),
        1 => Just(Step::Restart),
        1 => (0..6_u8).prop_map(|id| Step::MarkDeleting { id }),
        1 => (0..6_u8).prop_map(|id| Step::Edit { id }),
    ]
}

fn modes() -> impl Strategy<Value = Mode> {
    prop_oneof![
        Just(Mode::Lists),
        Just(Mode::InitialEvents),
        Just(Mode::Numbered),
        Just(Mode::Nowhere),
    ]
}

fn cases() -> u32 {
    let cases = std::env::var("RESOURCECACHE_CASES").ok();
    cases.and_then(|text| text.parse().ok()).unwrap_or(1_000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn at_rest_the_collection_is_the_servers(
        mode in modes(),
        versioned in any::<bool>(),
        seed in any::<u64>(),
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let mut client = Client::new(mode, versioned, seed);
        for step in &steps {
            client.play(*step);
            client.check();
        }
        client.rest();
        prop_assert_eq!(client.shown(), client.server.bodies());
    }
}
