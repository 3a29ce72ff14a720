//! Cases of leases: one holder at a time, and none that was superseded writes.

use std::sync::Arc;
use std::time::Duration;

use super::{Case, Open, body, commit, fresh, kind, load};
use crate::error::StoreErrorKind;
use crate::lease::{Fence, Leased};
use crate::store::{Commit, Store};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "one holds a lease, until it expires or is released",
        test: one_holder,
    },
    Case {
        name: "of many who ask at once, one gets a lease",
        test: one_of_many,
    },
    Case {
        name: "a superseded holder's commits are refused",
        test: fenced,
    },
];

const LONG: u64 = 60_000;

fn held(store: &dyn Store, key: &str, holder: &str, ttl_ms: u64) -> Option<Fence> {
    let leased = store.acquire(key, "send", holder, ttl_ms);
    leased.expect("acquiring").fence().cloned()
}

fn one_holder(open: &Open<'_>) {
    let (store, other, key) = (open(), open(), fresh("lease"));
    let first = held(&*store, &key, "a", LONG).expect("nobody holds it");
    match other.acquire(&key, "send", "b", LONG).unwrap() {
        Leased::Taken { holder, for_ms } => {
            assert_eq!(holder, "a");
            assert!((1..=LONG).contains(&for_ms), "{for_ms}");
        }
        leased @ Leased::Held(_) => panic!("two hold it: {leased:?}"),
    }
    assert_eq!(
        held(&*store, &key, "a", LONG),
        Some(first.clone()),
        "who renews keeps the token"
    );
    assert!(matches!(
        other.acquire(&key, "other", "b", LONG).unwrap(),
        Leased::Held(_)
    ));
    assert!(
        held(&*other, &fresh("lease"), "b", LONG).is_some(),
        "of another collection"
    );
    assert!(
        !other.release(&key, "send", "b").unwrap(),
        "only its holder gives it back"
    );
    assert!(store.release(&key, "send", "a").unwrap());
    assert!(!store.release(&key, "send", "a").unwrap());
    let second = held(&*other, &key, "b", 40).expect("it was given back");
    assert!(second.token > first.token, "{second:?} after {first:?}");
    std::thread::sleep(Duration::from_millis(120));
    let third = held(&*store, &key, "a", LONG).expect("it has expired");
    assert!(third.token > second.token, "{third:?} after {second:?}");
    assert!(
        !other.release(&key, "send", "b").unwrap(),
        "it is another's by now"
    );
    assert_eq!(held(&*other, &key, "b", LONG), None);
}

fn one_of_many(open: &Open<'_>) {
    let key = fresh("leases");
    let stores: Vec<Arc<dyn Store>> = (0..6).map(|_| open()).collect();
    let holders = std::thread::scope(|scope| {
        let asked = stores.iter().enumerate().map(|(n, store)| {
            let key = &key;
            scope.spawn(move || held(&**store, key, &format!("holder {n}"), LONG))
        });
        let asked: Vec<_> = asked.collect();
        let answers = asked
            .into_iter()
            .map(|thread| thread.join().expect("no panic"));
        answers.flatten().count()
    });
    assert_eq!(holders, 1);
}

fn fenced(open: &Open<'_>) {
    let (store, other, key) = (open(), open(), fresh("fence"));
    let with = |fence: &Fence, expect, content: &[u8]| Commit {
        fence: Some(fence.clone()),
        ..commit(expect, &[(body(1), Some(content))])
    };
    let old = held(&*store, &key, "a", 40).unwrap();
    let made = store
        .commit(&key, &with(&old, None, b"old"))
        .expect("it is held");
    std::thread::sleep(Duration::from_millis(120));
    let new = held(&*other, &key, "b", LONG).expect("it has expired");
    let refused = store.commit(&key, &with(&old, Some(made), b"late"));
    assert_eq!(kind(refused), StoreErrorKind::Fenced);
    assert_eq!(
        load(&*store, &key),
        Some((made, vec![(body(1), b"old".to_vec())]))
    );
    let made = other
        .commit(&key, &with(&new, Some(made), b"new"))
        .expect("it is held");
    let unknown = Fence {
        lease: "never taken".into(),
        token: 1,
    };
    assert_eq!(
        kind(store.commit(&key, &with(&unknown, Some(made), b"x"))),
        StoreErrorKind::Fenced
    );
    store
        .commit(&key, &commit(Some(made), &[]))
        .expect("without a fence it does not matter");
    assert!(store.delete(&key, None).unwrap());
    let after = held(&*other, &key, "b", LONG).expect("it is held still");
    assert_eq!(after, new, "a lease outlives its collection");
}
