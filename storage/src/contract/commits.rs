//! Cases of one instance: what is written is read, all or nothing, and once.

use resourcecache::{RowKey, SavedKey};

use super::{Case, Open, body, changes, commit, fresh, kind, kinds, load};
use crate::error::{StoreError, StoreErrorKind};
use crate::store::Since;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "there is nothing before the first commit",
        test: nothing_at_first,
    },
    Case {
        name: "what is committed is loaded, byte for byte",
        test: bytes_come_back,
    },
    Case {
        name: "keys are any text",
        test: keys_are_any_text,
    },
    Case {
        name: "a commit is refused at another revision, and writes nothing",
        test: conflicts,
    },
    Case {
        name: "a commit that is repeated is done once",
        test: repeated,
    },
    Case {
        name: "changes are what was written since, as it is now",
        test: changed,
    },
    Case {
        name: "changes are complete, or too old",
        test: long_ago,
    },
    Case {
        name: "keys are listed in order, in pages",
        test: pages_of_keys,
    },
    Case {
        name: "what is deleted is gone, and is another when made anew",
        test: deleted,
    },
    Case {
        name: "an error of the reader is answered",
        test: reader_fails,
    },
    Case {
        name: "large commits are whole",
        test: large,
    },
];

fn nothing_at_first(open: &Open<'_>) {
    let (store, key) = (open(), fresh("nothing"));
    assert_eq!(load(&*store, &key), None);
    assert_eq!(store.revision(&key).unwrap(), None);
    assert!(!store.delete(&key, None).unwrap());
    let made = store.commit(&key, &commit(None, &[])).unwrap();
    assert_eq!(made.number, 1);
    assert_eq!(
        load(&*store, &key),
        Some((made, vec![])),
        "an empty collection is one"
    );
    assert!(store.delete(&key, Some(made)).unwrap());
    assert_eq!(changes(&*store, &key, made), (Since::Gone, vec![]));
}

fn bytes_come_back(open: &Open<'_>) {
    let (store, key) = (open(), fresh("bytes"));
    let long = vec![0xa5; 1 << 20];
    let contents: [&[u8]; 4] = [b"", b"\0", b"\xff\xfe'\"\\;--\n{\"a\":1}", &long];
    let mut expect = None;
    for content in contents {
        let parts: Vec<_> = kinds()
            .into_iter()
            .map(|name| (name, Some(content)))
            .collect();
        let revision = store.commit(&key, &commit(expect, &parts)).unwrap();
        let (loaded_at, loaded) = load(&*open(), &key).expect("it is there");
        assert_eq!(loaded_at, revision);
        assert_eq!(store.revision(&key).unwrap(), Some(revision));
        assert_eq!(loaded.len(), kinds().len());
        assert!(
            loaded.iter().all(|(_, bytes)| bytes == content),
            "the bytes are others"
        );
        expect = Some(revision);
    }
    let last = [u64::MAX >> 1, 1 << 53, (1 << 53) + 1].map(|n| (body(n), Some(&b"x"[..])));
    store.commit(&key, &commit(expect, &last)).unwrap();
    let (_, loaded) = load(&*store, &key).unwrap();
    assert!(
        last.iter()
            .all(|(name, _)| loaded.iter().any(|(n, _)| n == name)),
        "large numbers"
    );
}

fn keys_are_any_text(open: &Open<'_>) {
    let store = open();
    // Long ones that differ at their end, and what case, spaces or Unicode's forms tell apart.
    let long = "k".repeat(500);
    let (one, two) = (format!("{long}1"), format!("{long}2"));
    let names = [
        "",
        "{tag}",
        "a b",
        "a b ",
        "A b",
        "ü\u{1f600}",
        "u\u{308}\u{1f600}",
        "'; drop table part; --",
        "a\nb",
        "*",
        "a%_",
        "a%__",
        &one,
        &two,
    ];
    let own = fresh("text");
    let keys: Vec<String> = names.iter().map(|name| format!("{own}/{name}")).collect();
    for (key, n) in keys.iter().zip(0_u64..) {
        let content = n.to_le_bytes();
        store
            .commit(key, &commit(None, &[(body(n), Some(&content))]))
            .unwrap();
    }
    for (key, n) in keys.iter().zip(0_u64..) {
        let (revision, parts) = load(&*store, key).expect("it is there");
        assert_eq!(parts, [(body(n), n.to_le_bytes().to_vec())], "{key:?}");
        assert!(store.delete(key, Some(revision)).unwrap());
        assert_eq!(load(&*store, key), None);
    }
}

fn conflicts(open: &Open<'_>) {
    let (store, key) = (open(), fresh("conflict"));
    let write = |expect, n: u64| {
        let content = n.to_le_bytes();
        store.commit(
            &key,
            &commit(expect, &[(body(1), Some(&content)), (body(n), None)]),
        )
    };
    let first = write(None, 1).unwrap();
    assert_eq!(
        kind(write(None, 2)),
        StoreErrorKind::Conflict,
        "there is one already"
    );
    let second = write(Some(first), 3).unwrap();
    assert_eq!(second, first.next());
    assert_eq!(
        kind(write(Some(first), 4)),
        StoreErrorKind::Conflict,
        "an old revision"
    );
    assert_eq!(
        kind(write(Some(second.next()), 4)),
        StoreErrorKind::Conflict,
        "a later one"
    );
    let mut other = second;
    other.incarnation ^= 1;
    assert_eq!(
        kind(write(Some(other), 4)),
        StoreErrorKind::Conflict,
        "another collection"
    );
    let absent = fresh("conflict");
    let error = store
        .commit(&absent, &commit(Some(second), &[]))
        .unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Conflict, "there is none");
    assert!(error.is_retryable());
    assert!(
        error.to_string().contains(&absent),
        "the error names the collection: {error}"
    );
    assert_eq!(load(&*store, &absent), None);
    assert_eq!(
        load(&*store, &key),
        Some((second, vec![(body(1), 3_u64.to_le_bytes().to_vec())]))
    );
}

fn repeated(open: &Open<'_>) {
    let (store, key) = (open(), fresh("repeated"));
    let first = commit(None, &[(body(1), Some(b"one"))]);
    let made = store.commit(&key, &first).unwrap();
    assert_eq!(
        store.commit(&key, &first).unwrap(),
        made,
        "repeated at once"
    );
    let second = commit(Some(made), &[(body(1), Some(b"two"))]);
    let after = store.commit(&key, &second).unwrap();
    assert_eq!(
        open().commit(&key, &first).unwrap(),
        made,
        "repeated by another, after a later one"
    );
    assert_eq!(store.commit(&key, &second).unwrap(), after);
    assert_eq!(
        load(&*store, &key),
        Some((after, vec![(body(1), b"two".to_vec())]))
    );
    let mut last = after;
    for _ in 0..500 {
        last = store.commit(&key, &commit(Some(last), &[])).unwrap();
    }
    assert_eq!(
        store.commit(&key, &second).unwrap(),
        after,
        "repeated after 500 more"
    );
}

fn changed(open: &Open<'_>) {
    let (store, key) = (open(), fresh("changed"));
    let all = [
        (body(1), Some(&b"a"[..])),
        (body(2), Some(b"b")),
        (SavedKey::Head, Some(b"h")),
    ];
    let first = store.commit(&key, &commit(None, &all)).unwrap();
    assert_eq!(
        changes(&*store, &key, first),
        (Since::Changes(first), vec![])
    );
    let parts = [
        (body(1), Some(&b"c"[..])),
        (SavedKey::Place(RowKey(1)), Some(b"p")),
    ];
    let second = store.commit(&key, &commit(Some(first), &parts)).unwrap();
    let parts = [
        (body(1), Some(&b"d"[..])),
        (body(2), None),
        (body(3), Some(b"e")),
    ];
    let third = store.commit(&key, &commit(Some(second), &parts)).unwrap();
    let d = (body(1), Some(b"d".to_vec()));
    let (b, e) = ((body(2), None), (body(3), Some(b"e".to_vec())));
    let p = (SavedKey::Place(RowKey(1)), Some(b"p".to_vec()));
    let other = open();
    let since = changes(&*other, &key, second);
    assert_eq!(
        since,
        (Since::Changes(third), vec![d.clone(), b.clone(), e.clone()])
    );
    assert_eq!(
        changes(&*other, &key, first),
        (Since::Changes(third), vec![d, b, e, p])
    );
    assert_eq!(
        changes(&*other, &key, third.next()),
        (Since::TooOld, vec![]),
        "a later revision"
    );
    let mut another = first;
    another.incarnation ^= 1;
    assert_eq!(
        changes(&*other, &key, another),
        (Since::TooOld, vec![]),
        "another collection"
    );
}

fn long_ago(open: &Open<'_>) {
    let (store, key) = (open(), fresh("long-ago"));
    let first = store.commit(&key, &commit(None, &[])).unwrap();
    let mut last = first;
    for n in 0..1_200_u64 {
        let content = n.to_le_bytes();
        last = store
            .commit(&key, &commit(Some(last), &[(body(n), Some(&content))]))
            .unwrap();
    }
    match changes(&*store, &key, first) {
        (Since::TooOld, parts) => assert_eq!(parts, []),
        (since, parts) => {
            assert_eq!(since, Since::Changes(last));
            assert_eq!(
                parts.len(),
                1_200,
                "changes that are not complete must be too old"
            );
        }
    }
    let mut recent = last;
    recent.number -= 100;
    let (since, parts) = changes(&*store, &key, recent);
    assert_eq!(
        (since, parts.len()),
        (Since::Changes(last), 100),
        "a hundred back is known"
    );
}

fn pages_of_keys(open: &Open<'_>) {
    let (store, prefix) = (open(), fresh("keys"));
    let mut made: Vec<String> = (0..25).map(|n| format!("{prefix}/{n}")).collect();
    for key in made.iter().rev() {
        store.commit(key, &commit(None, &[])).unwrap();
    }
    made.sort();
    let (mut listed, mut after) = (Vec::new(), Some(prefix.clone()));
    while let Some(last) = after.take() {
        let page = store.keys(Some(&last), 10).unwrap();
        assert!(page.len() <= 10);
        assert!(
            page.iter().all(|key| *key > last),
            "after {last:?} come {page:?}"
        );
        after = page.last().filter(|key| key.starts_with(&prefix)).cloned();
        listed.extend(page.into_iter().filter(|key| key.starts_with(&prefix)));
    }
    assert_eq!(listed, made);
    let first = store.keys(None, 1).unwrap();
    assert!(
        first.len() == 1 && first[0] <= made[0],
        "from the start: {first:?}"
    );
    assert_eq!(store.keys(None, 0).unwrap(), [""; 0]);
}

fn deleted(open: &Open<'_>) {
    let (store, key) = (open(), fresh("deleted"));
    let parts: Vec<_> = kinds()
        .into_iter()
        .map(|name| (name, Some(&b"x"[..])))
        .collect();
    let first = store.commit(&key, &commit(None, &parts)).unwrap();
    let second = store.commit(&key, &commit(Some(first), &[])).unwrap();
    assert_eq!(
        kind(store.delete(&key, Some(first))),
        StoreErrorKind::Conflict
    );
    assert!(store.delete(&key, Some(second)).unwrap());
    assert_eq!(load(&*store, &key), None);
    assert!(!store.keys(None, usize::MAX).unwrap().contains(&key));
    let again = store.commit(&key, &commit(None, &[])).unwrap();
    assert_ne!(
        again, first,
        "a revision of what was deleted is not one of what is there now"
    );
    assert_eq!(
        load(&*store, &key),
        Some((again, vec![])),
        "nothing of it is left"
    );
    assert_eq!(changes(&*store, &key, first), (Since::TooOld, vec![]));
    assert_eq!(
        kind(store.commit(&key, &commit(Some(first), &[]))),
        StoreErrorKind::Conflict
    );
}

fn reader_fails(open: &Open<'_>) {
    let (store, key) = (open(), fresh("reader"));
    let first = store.commit(&key, &commit(None, &[])).unwrap();
    let parts = [(body(1), Some(&b"a"[..])), (body(2), Some(b"b"))];
    let second = store.commit(&key, &commit(Some(first), &parts)).unwrap();
    let mut calls = 0;
    let mut fail = || {
        calls += 1;
        Err(StoreError::new(
            StoreErrorKind::Damaged,
            None,
            "as the test asks",
        ))
    };
    assert_eq!(
        kind(store.load(&key, &mut |_, _| fail())),
        StoreErrorKind::Damaged
    );
    let changed = store.changes_since(&key, first, &mut |_, _| fail());
    assert_eq!(kind(changed), StoreErrorKind::Damaged);
    assert_eq!(calls, 2, "nothing more is read after an error");
    store
        .commit(&key, &commit(Some(second), &[]))
        .expect("the store goes on");
}

fn large(open: &Open<'_>) {
    const COUNT: u64 = 25_000;
    let (store, key) = (open(), fresh("large"));
    let content = [7; 100];
    let parts: Vec<_> = (0..COUNT).map(|n| (body(n), Some(&content[..]))).collect();
    let first = store.commit(&key, &commit(None, &parts)).unwrap();
    assert_eq!(
        load(&*store, &key).map(|(_, parts)| parts.len()),
        Some(25_000)
    );
    let gone: Vec<_> = (0..COUNT).map(|n| (body(n), None)).collect();
    let second = store.commit(&key, &commit(Some(first), &gone)).unwrap();
    assert_eq!(load(&*store, &key), Some((second, vec![])));
    match changes(&*store, &key, first) {
        (Since::Changes(at), parts) => assert_eq!((at, parts.len()), (second, 25_000)),
        (since, parts) => assert_eq!((since, parts.len()), (Since::TooOld, 0)),
    }
}
