//! What goes out together, what need not go out, and what waits for a creation.

use crate::*;

/// What coalesces while nothing was sent: each pair, and what goes out.
#[test]
fn what_was_not_sent_coalesces() {
    let list = r#"[{"id":"a","n":1,"m":1}]"#;
    let pairs: [(Queued, Queued, &[&str]); 5] = [
        (
            create(r#"{"id":"x","n":1}"#),
            update("x", r#"{"n":2}"#),
            &[r#"create x {"id":"x","n":2}"#],
        ),
        (create(r#"{"id":"x"}"#), begin("x", Kind::Delete), &[]),
        (
            update("a", r#"{"n":2}"#),
            update("a", r#"{"m":2}"#),
            &[r#"update a {"id":"a","n":2,"m":2}"#],
        ),
        (
            update("a", r#"{"n":2}"#),
            begin("a", Kind::Delete),
            &[r#"delete a {"id":"a","n":2,"m":1}"#],
        ),
        (
            begin("a", Kind::Process),
            begin("a", Kind::Delete),
            &[r#"delete a {"id":"a","n":1,"m":1}"#],
        ),
    ];
    for (older, newer, expected) in pairs {
        let mut cache = cache(list);
        queue(&mut cache, older, 0);
        queue(&mut cache, newer, 0);
        assert_eq!(sent(&mut cache, 0), expected);
    }
}

/// Never once an attempt was sent.
#[test]
fn what_was_sent_goes_its_own_way() {
    let mut cache = cache(r#"[{"id":"a","n":1,"m":1}]"#);
    let first = queue(&mut cache, update("a", r#"{"n":2}"#), 0);
    assert_eq!(sent(&mut cache, 0).len(), 1);
    let second = queue(&mut cache, update("a", r#"{"m":2}"#), 0);
    cache
        .fail(first, "503", Retry::Backoff, Timestamp(0))
        .unwrap();
    queue(&mut cache, begin("a", Kind::Delete), 0);
    assert_eq!(
        sent(&mut cache, 1_000),
        [r#"update a {"id":"a","n":2,"m":1}"#]
    );
    cache.acknowledge(first, None, Timestamp(1_000)).unwrap();
    // The second edit, not sent yet, is not worth sending any more.
    assert_eq!(
        sent(&mut cache, 1_000),
        [r#"delete a {"id":"a","n":2,"m":2}"#]
    );
    assert!(cache.operations("a").iter().any(|o| o.id == second));
}

/// An edit that goes along with another shares its fate.
#[test]
fn one_answer_is_for_all_that_the_attempt_carried() {
    let mut cache = cache(r#"[{"id":"a","n":1,"m":1}]"#);
    let first = queue(&mut cache, update("a", r#"{"n":2}"#), 0);
    let second = queue(&mut cache, update("a", r#"{"m":2}"#), 0);
    let attempt = poll(&mut cache, 0).unwrap();
    assert_eq!((attempt.operation, attempt.patches.len()), (first, 2));
    cache
        .fail(first, "503", Retry::Backoff, Timestamp(0))
        .unwrap();
    assert!(
        cache
            .operations("a")
            .iter()
            .all(|o| o.state == State::Retrying(Kind::Update))
    );
    let third = queue(&mut cache, update("a", r#"{"n":3}"#), 500);
    let attempt = poll(&mut cache, 1_000).unwrap();
    assert_eq!((attempt.number, attempt.patches.len()), (2, 2));
    cache
        .acknowledge(
            first,
            Some(item(r#"{"id":"a","n":2,"m":2}"#)),
            Timestamp(1_100),
        )
        .unwrap();
    let states: Vec<_> = cache
        .operations("a")
        .iter()
        .map(|o| (o.id, o.state.name()))
        .collect();
    assert_eq!(
        states,
        [(first, "updated"), (second, "updated"), (third, "updating")]
    );
    assert_eq!(poll(&mut cache, 1_100).unwrap().operation, third);
}

/// An edit that the server has accepted by itself is asked for no more, and answered once.
#[test]
fn what_was_answered_by_itself_goes_along_no_more() {
    let mut cache = cache(r#"[{"id":"a","n":1,"m":1}]"#);
    let first = queue(&mut cache, update("a", r#"{"n":2}"#), 0);
    let second = queue(&mut cache, update("a", r#"{"m":2}"#), 0);
    assert_eq!(poll(&mut cache, 0).unwrap().patches.len(), 2);
    cache.acknowledge(second, None, Timestamp(1)).unwrap();
    cache
        .fail(first, "503", Retry::Backoff, Timestamp(2))
        .unwrap();
    let states = |cache: &JsonCache| -> Vec<&str> {
        let operations = cache.operations("a");
        operations.iter().map(|o| o.state.name()).collect()
    };
    assert_eq!(states(&cache), ["retrying", "updated"]);
    assert_eq!(poll(&mut cache, 1_002).unwrap().patches.len(), 1);
    cache.acknowledge(first, None, Timestamp(1_003)).unwrap();
    assert_eq!(states(&cache), ["updated", "updated"]);
}

/// O3: what went along with an edit that is taken back is sent by itself.
#[test]
fn what_was_carried_is_not_lost_with_its_carrier() {
    let mut cache = cache(r#"[{"id":"a","n":1,"m":1}]"#);
    let first = queue(&mut cache, update("a", r#"{"n":2}"#), 0);
    let second = queue(&mut cache, update("a", r#"{"m":2}"#), 0);
    assert_eq!(poll(&mut cache, 0).unwrap().patches.len(), 2);
    cache.cancel(first, Timestamp(1)).unwrap();
    assert_eq!(poll(&mut cache, 1).unwrap().operation, second);
}

/// The creation's answer is for the edits that went with it.
#[test]
fn an_edit_that_went_with_its_creation_is_not_sent_again() {
    for answer in [Some(r#"{"id":"7","n":2}"#), None] {
        let mut cache = cache("[]");
        let creation = queue(&mut cache, create(r#"{"id":"temp-1","n":1}"#), 0);
        queue(&mut cache, update("temp-1", r#"{"n":2}"#), 0);
        assert_eq!(
            sent(&mut cache, 0),
            [r#"create temp-1 {"id":"temp-1","n":2}"#]
        );
        cache
            .acknowledge(creation, answer.map(item), Timestamp(1))
            .unwrap();
        assert_eq!(poll(&mut cache, 1), None);
        let shown: Vec<_> = cache
            .visible()
            .map(|i| i.body().body().contains(r#""n":2"#))
            .collect();
        assert_eq!(shown, [true]);
        assert_eq!(cache.queued(), 0);
    }
}

/// L1: what is asked of a resource that is being created waits, and follows it to its real id, also
/// after a restart.
#[test]
fn an_edit_of_what_is_being_created_follows_it() {
    let mut cache = cache("[]");
    let creation = queue(&mut cache, create(r#"{"id":"temp-1","n":1}"#), 0);
    assert_eq!(sent(&mut cache, 0).len(), 1);
    queue(&mut cache, update("temp-1", r#"{"n":2}"#), 1);
    assert_eq!(poll(&mut cache, 1), None);
    let mut cache = JsonCache::restore(Config::default(), cache.record(), Timestamp(2)).unwrap();
    cache
        .acknowledge(creation, Some(item(r#"{"id":"7","n":1}"#)), Timestamp(3))
        .unwrap();
    assert_eq!(sent(&mut cache, 3), [r#"update 7 {"id":"7","n":2}"#]);
}

/// The same for what was not even created: in time, it is created; later, nothing is sent.
#[test]
fn a_creation_waits_for_what_may_end_it() {
    for taken_back in [true, false] {
        let mut cache = cache("[]");
        queue(&mut cache, create(r#"{"id":"x"}"#), 0);
        let deletion = cache
            .queue(begin("x", Kind::Delete), 5_000, Timestamp(0))
            .unwrap();
        assert_eq!(sent(&mut cache, 4_999), [""; 0]);
        if taken_back {
            cache
                .cancel(deletion.operation().unwrap(), Timestamp(4_999))
                .unwrap();
            assert_eq!(sent(&mut cache, 4_999).len(), 1);
        } else {
            assert_eq!(sent(&mut cache, 5_000), [""; 0]);
            let how = [
                ("delete", Settlement::Confirmed),
                ("create", Settlement::Cancelled),
            ];
            assert_eq!(settlements(&cache), how);
            assert_eq!((cache.all().count(), cache.queued()), (0, 0));
        }
    }
}

/// A deletion that is driven by hand does not hold up the creation that it waits for.
#[test]
fn a_creation_goes_out_before_a_deletion_by_hand() {
    let mut cache = cache("[]");
    let creation = queue(&mut cache, create(r#"{"id":"x"}"#), 0);
    cache.mark_as_deleting("x", None, Timestamp(0)).unwrap();
    assert_eq!(poll(&mut cache, 0).unwrap().operation, creation);
}
