//! The load of `cargo xtask load`, shorter.
#![allow(missing_docs, reason = "a test")]

use resourcecache_streams::load::Load;
use resourcecache_streams::load_server::paced;

#[test]
fn an_event_costs_the_same_at_the_end_and_memory_is_flat() {
    let load = Load {
        resources: 20_000,
        events: 20_000,
        pending: 200,
    };
    let played = load.play();
    println!("streams, load: {played:?}");
    assert_eq!(played.flat(), Ok(()));
    assert_eq!(
        played.confirmed,
        20_000_usize.div_ceil(60),
        "each edit that the server took"
    );
    assert_eq!(played.rows, 20_000, "each that was deleted came back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_events_a_second_are_shown_over_a_websocket() {
    let paced = paced(5_000, 2).await;
    println!("streams, load over a WebSocket: {paced:?}");
    assert_eq!(paced.events, 2_000);
    assert!(
        paced.updates > 20,
        "as they come, not all at the end: {paced:?}"
    );
}
