//! The bytes of a list, merged as they are read (W4).

use crate::driven::{Driven, chunk};
use resourcecache::{WatchConfig, WatchState};

fn respond(driven: &mut Driven, bytes: &str) -> bool {
    let now = driven.at();
    let call = driven.list().call;
    let (schema, session) = (driven.schema.clone(), &mut driven.session);
    let response = session.handle_response(call, &schema, bytes.as_bytes(), now);
    let Some(response) = response.unwrap() else {
        return false;
    };
    let merged = driven.cache.merge_response(response, now);
    driven.session.handle_applied(merged.as_ref(), now);
    true
}

#[test]
fn a_whole_list_is_given_back_to_be_merged() {
    for list in [
        chunk(&["a", "b"], "10", ""),
        // What is asked of it behind the list, or nowhere plain.
        r#"{"items":[{"metadata":{"name":"a"}},{"metadata":{"name":"b"}}],
            "metadata":{"resourceVersion":"10"}}"#
            .into(),
        r#"{"\u0069tems":[{"metadata":{"name":"a"}},{"metadata":{"name":"b"}}],
            "metadata":{"resourceVersion":"10"}}"#
            .into(),
    ] {
        let mut driven = Driven::new(WatchConfig::kubernetes());
        assert!(respond(&mut driven, &list), "{list}");
        assert_eq!(driven.watch().version.as_deref(), Some("10"));
        assert_eq!(driven.shown(), ["a", "b"]);
    }
}

#[test]
fn chunks_are_kept() {
    let mut driven = Driven::new(WatchConfig::kubernetes());
    assert!(!respond(&mut driven, &chunk(&["a"], "10", "k")));
    let behind = r#"{"items":[{"metadata":{"name":"b"}}],
        "metadata":{"resourceVersion":"11","continue":"l"}}"#;
    assert!(!respond(&mut driven, behind));
    assert!(!respond(&mut driven, &chunk(&["c"], "12", "")));
    assert_eq!(driven.watch().version.as_deref(), Some("10"));
    assert_eq!(driven.shown(), ["a", "b", "c"]);
}

#[test]
fn what_the_collection_refuses_counts_as_a_list_that_failed() {
    let bad = r#"{"metadata":{"resourceVersion":"10"},"items":[{"metadata":{}}]}"#;
    let mut driven = Driven::new(WatchConfig::kubernetes());
    assert!(respond(&mut driven, bad));
    driven.nothing();
    assert_eq!(driven.session.state(), WatchState::BackingOff);
    let failure = driven.session.failure().unwrap().to_string();
    assert!(failure.starts_with("item 0: has no id"), "{failure}");
    driven.wait();
    assert!(respond(&mut driven, &chunk(&["a"], "10", "")));
    driven.watch();
}
