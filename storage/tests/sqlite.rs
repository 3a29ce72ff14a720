//! The store in a SQLite file: the contract, and what is SQLite's own.

use std::sync::Arc;

use resourcecache::{RowKey, SavedKey};
use resourcecache_storage::{
    Commit, CommitId, SqliteOptions, SqliteStore, Store, StoreErrorKind, StoreRevision,
    Synchronous, contract,
};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn commit(expect: Option<StoreRevision>, n: u64, bytes: &[u8]) -> Commit {
    Commit {
        id: CommitId::random().unwrap(),
        expect,
        parts: vec![(SavedKey::Body(RowKey(n)), Some(bytes.to_vec()))],
        fence: None,
    }
}

fn kind<T: std::fmt::Debug>(
    result: Result<T, resourcecache_storage::StoreError>,
) -> StoreErrorKind {
    result.unwrap_err().kind
}

/// Each instance has a connection of its own, as each process has.
#[test]
fn the_contract() {
    let folder = folder();
    let path = folder.path().join("store.sqlite");
    let mut options = SqliteOptions::default();
    options.synchronous = Synchronous::Normal;
    contract::check(&move || Arc::new(SqliteStore::open_with(&path, options).unwrap()));
}

#[test]
fn what_is_not_ours_is_left_as_it_is() {
    let folder = folder();
    let path = folder.path().join("file");
    let foreign = |content: &[u8], expected: StoreErrorKind| {
        std::fs::write(&path, content).unwrap();
        let error = SqliteStore::open(&path).unwrap_err();
        assert_eq!(error.kind, expected, "{error}");
        assert!(
            error.to_string().contains("file"),
            "it names the file: {error}"
        );
        assert!(!error.is_retryable());
        assert_eq!(std::fs::read(&path).unwrap(), content, "it is as it was");
        let beside = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(beside, 1, "nothing lies beside it");
    };
    foreign(b"my diary", StoreErrorKind::Foreign);
    foreign(&[0; 8192], StoreErrorKind::Foreign);
    foreign(b"SQLite format 3\0", StoreErrorKind::Foreign);
    let other = folder.path().join("other");
    let database = rusqlite::Connection::open(&other).unwrap();
    database
        .execute_batch("CREATE TABLE mine (a); INSERT INTO mine VALUES (1)")
        .unwrap();
    drop(database);
    let content = std::fs::read(&other).unwrap();
    std::fs::remove_file(&other).unwrap();
    foreign(&content, StoreErrorKind::Foreign);
    // Ours, of a version that is to come.
    SqliteStore::open(&other).unwrap().close().unwrap();
    let mut newer = std::fs::read(&other).unwrap();
    std::fs::remove_file(&other).unwrap();
    newer[60..64].copy_from_slice(&99_u32.to_be_bytes());
    foreign(&newer, StoreErrorKind::Newer);
}

#[test]
fn a_damaged_file_is_refused_and_left_as_it_is() {
    let folder = folder();
    let path = folder.path().join("damaged.sqlite");
    let store = SqliteStore::open(&path).unwrap();
    let mut last = None;
    for n in 0..400 {
        last = Some(store.commit("a", &commit(last, n, &[7; 300])).unwrap());
    }
    store.close().unwrap();
    let mut content = std::fs::read(&path).unwrap();
    let pages = content.len() / 4096;
    for page in 2..pages {
        content[page * 4096..page * 4096 + 64].fill(0xa5);
    }
    std::fs::write(&path, &content).unwrap();
    // Some pages may not be looked at by opening; reading finds them.
    let read = SqliteStore::open(&path).and_then(|store| store.load("a", &mut |_, _| Ok(())));
    assert_eq!(kind(read), StoreErrorKind::Damaged);
    assert_eq!(std::fs::read(&path).unwrap(), content, "it is as it was");
    std::fs::write(&path, &content[..content.len() / 2]).unwrap();
    let read = SqliteStore::open(&path).and_then(|store| store.load("a", &mut |_, _| Ok(())));
    assert_eq!(kind(read), StoreErrorKind::Damaged, "cut off in the middle");
}

#[test]
fn a_closed_store_holds_no_file_and_says_so() {
    let folder = folder();
    let path = folder.path().join("store.sqlite");
    let store = SqliteStore::open(&path).unwrap();
    let first = store.commit("a", &commit(None, 1, b"x")).unwrap();
    store.close().unwrap();
    store.close().expect("twice is as once");
    assert_eq!(kind(store.revision("a")), StoreErrorKind::Closed);
    assert_eq!(
        kind(store.commit("a", &commit(Some(first), 1, b"y"))),
        StoreErrorKind::Closed
    );
    let held = std::fs::read_dir("/proc/self/fd").map(|all| {
        let links = all
            .flatten()
            .filter_map(|fd| std::fs::read_link(fd.path()).ok());
        links.filter(|link| link.starts_with(folder.path())).count()
    });
    assert_eq!(held.unwrap_or(0), 0, "no file of it is open");
    store.reopen().unwrap();
    assert_eq!(store.revision("a").unwrap(), Some(first));
}

#[test]
fn another_process_that_writes_is_waited_for() {
    let folder = folder();
    let path = folder.path().join("store.sqlite");
    let mut options = SqliteOptions::default();
    options.busy_timeout = std::time::Duration::from_millis(50);
    let store = SqliteStore::open_with(&path, options).unwrap();
    let first = store.commit("a", &commit(None, 1, b"x")).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = store
        .commit("a", &commit(Some(first), 1, b"y"))
        .unwrap_err();
    assert_eq!(
        (error.kind, error.is_retryable()),
        (StoreErrorKind::Busy, true),
        "{error}"
    );
    assert_eq!(error.key.as_deref(), Some("a"));
    assert_eq!(store.revision("a").unwrap(), Some(first), "reading goes on");
    other.execute_batch("ROLLBACK").unwrap();
    store.commit("a", &commit(Some(first), 1, b"y")).unwrap();
}

/// Each waits for its turn from the beginning of a commit, so that none is told to try again.
#[test]
fn commits_by_several_connections_wait_for_each_other() {
    let folder = folder();
    let path = folder.path().join("store.sqlite");
    let mut options = SqliteOptions::default();
    options.synchronous = Synchronous::Normal;
    std::thread::scope(|scope| {
        for key in ["a", "b", "c"] {
            let store = SqliteStore::open_with(&path, options).unwrap();
            scope.spawn(move || {
                let mut last = None;
                for n in 0..200 {
                    last = Some(store.commit(key, &commit(last, n, b"x")).unwrap());
                }
            });
        }
    });
}

#[test]
fn the_last_thousand_commits_are_remembered_and_no_more() {
    let folder = folder();
    let path = folder.path().join("store.sqlite");
    let mut options = SqliteOptions::default();
    options.synchronous = Synchronous::Normal;
    let store = SqliteStore::open_with(&path, options).unwrap();
    let first = commit(None, 1, b"x");
    let mut last = store.commit("a", &first).unwrap();
    for _ in 0..999 {
        last = store.commit("a", &commit(Some(last), 1, b"x")).unwrap();
    }
    assert_eq!(store.commit("a", &first).unwrap().number, 1);
    for _ in 0..5 {
        last = store.commit("a", &commit(Some(last), 1, b"x")).unwrap();
    }
    assert_eq!(kind(store.commit("a", &first)), StoreErrorKind::Conflict);
    store.close().unwrap();
    let plain = rusqlite::Connection::open(&path).unwrap();
    let count = plain.query_row("SELECT count(*) FROM commits", [], |row| {
        row.get::<_, u32>(0)
    });
    assert_eq!(count.unwrap(), 1_000);
}

#[test]
fn the_log_that_is_written_ahead_stays_bounded() {
    let folder = folder();
    let path = folder.path().join("store.sqlite");
    let mut options = SqliteOptions::default();
    options.synchronous = Synchronous::Normal;
    let store = SqliteStore::open_with(&path, options).unwrap();
    let mut last = None;
    let mut largest = 0;
    for n in 0..6_000_u64 {
        last = Some(
            store
                .commit("a", &commit(last, n % 50, &[n as u8; 2_000]))
                .unwrap(),
        );
        if n % 100 == 0 {
            let wal = std::fs::metadata(folder.path().join("store.sqlite-wal"))
                .unwrap()
                .len();
            largest = largest.max(wal);
        }
    }
    println!("the log was {largest} bytes at most");
    assert!(largest <= 8 << 20, "{largest}");
}

/// The files that each released version of the schema wrote lie beside this test. They are never
/// written anew; a new version adds its own, by `RESOURCECACHE_WRITE_FILE=1`, which makes
/// only one that is not there.
#[test]
fn a_file_of_each_released_version_is_read_and_goes_on() {
    use resourcecache::json::{JsonResource, Schema};
    use resourcecache::{Config, Event, Timestamp};
    use resourcecache_storage::{Leased, StoredCache};
    let files = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files");
    let now = Timestamp(1_737_244_800_000);
    let open = |store: Arc<SqliteStore>| {
        StoredCache::<JsonResource>::open(store, "dns-zones:project-1", Config::default(), now)
    };
    for version in 1..=1_u32 {
        let file = files.join(format!("version-{version}.sqlite"));
        if !file.exists() && std::env::var_os("RESOURCECACHE_WRITE_FILE").is_some() {
            let store = Arc::new(SqliteStore::open(&file).unwrap());
            let mut zones = open(store.clone()).unwrap();
            let list = br#"[{"id":"a","n":1},{"id":"b","n":2},{"id":"c","n":3},{"id":"d"}]"#;
            let list = Schema::default().snapshot(list).unwrap();
            zones.apply(Event::Merge(list), now).unwrap();
            zones
                .update(|z| z.mark_as_deleting("b", None, now))
                .unwrap();
            zones.update(|z| z.remove("d", now)).unwrap();
            let new = Schema::default().resource(br#"{"id":"new"}"#).unwrap();
            let create = Event::Create {
                resource: new,
                min_ttl_ms: None,
            };
            zones.update(|z| z.queue(create.clone(), 0, now)).unwrap();
            store
                .acquire("dns-zones:project-1", "outbox", "one", 1)
                .unwrap();
            store.close().unwrap();
        }
        let folder = folder();
        let path = folder.path().join("copy.sqlite");
        std::fs::copy(&file, &path).unwrap();
        let store = Arc::new(SqliteStore::open(&path).unwrap());
        let mut zones = open(store.clone()).unwrap();
        let shown: Vec<_> = zones
            .cache()
            .visible()
            .map(|z| z.body().body().to_string())
            .collect();
        assert_eq!(
            shown,
            [
                r#"{"id":"a","n":1}"#,
                r#"{"id":"c","n":3}"#,
                r#"{"id":"new"}"#
            ]
        );
        assert!(zones.cache().is_processing("b"));
        assert_eq!(zones.revision().map(|r| r.number), Some(4));
        let Leased::Held(fence) = store
            .acquire("dns-zones:project-1", "outbox", "two", 1_000)
            .unwrap()
        else {
            panic!("the lease of {version} has expired");
        };
        assert_eq!(fence.token, 2, "tokens go on");
        let attempt = zones
            .poll_attempt(now)
            .unwrap()
            .value
            .0
            .expect("it is queued");
        assert_eq!(attempt.id.as_str(), "new");
        let first = StoreRevision {
            number: 1,
            ..zones.revision().unwrap()
        };
        let mut changed = 0;
        let since = store.changes_since("dns-zones:project-1", first, &mut |_, _| {
            changed += 1;
            Ok(())
        });
        assert!(
            since.is_ok() && changed > 4,
            "what each commit changed is known: {changed}"
        );
        store.close().unwrap();
        let header = std::fs::read(&path).unwrap();
        assert_eq!(
            header[60..64],
            1_u32.to_be_bytes(),
            "it is of the newest version now"
        );
    }
}

/// One that is newer, foreign or damaged is refused with what lies beside it as it was, byte for byte.
#[test]
fn a_refused_file_and_its_log_are_left_as_they_are() {
    let files = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files");
    let ours = std::fs::read(files.join("version-1.sqlite")).unwrap();
    let patched = |at: usize, bytes: &[u8]| {
        let mut file = ours.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        file
    };
    for (content, expected) in [
        (patched(60, &2_u32.to_be_bytes()), StoreErrorKind::Newer),
        (patched(60, &u32::MAX.to_be_bytes()), StoreErrorKind::Newer),
        (patched(68, b"APPL"), StoreErrorKind::Foreign),
        (patched(68, &[0; 4]), StoreErrorKind::Foreign),
        (patched(0, b"SQLITE"), StoreErrorKind::Foreign),
        (ours[..99].to_vec(), StoreErrorKind::Foreign),
        (patched(100, &[0xa5; 3_996]), StoreErrorKind::Damaged),
    ] {
        let folder = folder();
        let path = folder.path().join("a.sqlite");
        let beside = ["a.sqlite-wal", "a.sqlite-shm", "a.sqlite-journal"];
        std::fs::write(&path, &content).unwrap();
        let is_damaged = expected == StoreErrorKind::Damaged;
        if !is_damaged {
            for name in beside {
                std::fs::write(folder.path().join(name), b"of another process").unwrap();
            }
        }
        let opened = SqliteStore::open(&path);
        let refused =
            opened.and_then(|store| store.load("dns-zones:project-1", &mut |_, _| Ok(())));
        assert_eq!(kind(refused), expected);
        assert!(
            std::fs::read(&path).unwrap() == content,
            "{expected:?}: it is as it was"
        );
        if !is_damaged {
            for name in beside {
                let bytes = std::fs::read(folder.path().join(name)).unwrap();
                assert_eq!(bytes, b"of another process", "{name}");
            }
        }
    }
}
