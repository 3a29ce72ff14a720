//! No room, and folders that cannot be written to.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::Command;

use resourcecache::{RowKey, SavedKey};
use resourcecache_storage::{Commit, CommitId, SqliteStore, Store, StoreErrorKind, StoreRevision};

use crate::child::{ARGUMENTS, Running, integrity, say};

fn commit(expect: Option<StoreRevision>, n: u64) -> Commit {
    Commit {
        id: CommitId::random().unwrap(),
        expect,
        parts: vec![(SavedKey::Body(RowKey(n)), Some(vec![n as u8; 4_000]))],
        fence: None,
    }
}

/// The child: commits until it cannot.
pub(crate) fn fill(path: &str) {
    let store = SqliteStore::open(path).unwrap();
    let mut last = None;
    for n in 0..100_000 {
        match store.commit("a", &commit(last, n)) {
            Ok(revision) => last = Some(revision),
            Err(error) => {
                say(&format!("{:?} after {n}: {error}", error.kind));
                let stood = store.revision("a").map(|revision| revision == last);
                say(&format!("reads {stood:?}"));
                return;
            }
        }
    }
}

/// The limit of a file's size stands for a disk that is full (`RLIMIT_FSIZE`, 512-byte blocks).
#[test]
fn without_room_a_commit_is_refused_and_what_was_committed_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sqlite");
    let mut shell = Command::new("sh");
    let script = "trap '' XFSZ; ulimit -f 4096; exec \"$@\"";
    shell
        .args(["-c", script, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(ARGUMENTS);
    let child = Running::start(&mut shell, &format!("fill 0 0 {}", path.display()));
    let (succeeded, said) = child.end();
    assert!(succeeded, "{said:?}");
    println!("{said:?}");
    let (kind, rest) = said[0].split_once(" after ").unwrap();
    assert!(["Full", "Other"].contains(&kind), "{said:?}");
    let count: u64 = rest.split(':').next().unwrap().parse().unwrap();
    assert!(count > 10, "{said:?}");
    assert_eq!(
        said[1], "reads Ok(true)",
        "the store goes on with what it has"
    );
    assert_eq!(integrity(&path), "ok");
    let store = SqliteStore::open(&path).unwrap();
    let mut parts = 0;
    let revision = store.load("a", &mut |_, _| {
        parts += 1;
        Ok(())
    });
    let revision = revision.unwrap().unwrap();
    assert_eq!(
        (revision.number, parts),
        (count, count),
        "all that was acknowledged, and no more"
    );
    store
        .commit("a", &commit(Some(revision), count))
        .expect("with room it goes on");
}

/// The child: tries to write.
pub(crate) fn write(path: &str) {
    let error = SqliteStore::open(path).and_then(|store| {
        let revision = store.revision("a")?;
        store.commit("a", &commit(revision, 1))
    });
    let error = error.unwrap_err();
    say(&format!("{:?}: {error}", error.kind));
}

#[test]
fn what_cannot_be_written_to_is_said_to_be_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sqlite");
    SqliteStore::open(&path)
        .unwrap()
        .commit("a", &commit(None, 0))
        .unwrap();
    let content = std::fs::read(&path).unwrap();
    // The folder is for reading only, also for a child that is not root.
    let binary = folder.path().join("test");
    std::fs::copy(std::env::current_exe().unwrap(), &binary).unwrap();
    let mode = |mode| std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(&path, mode(0o444)).unwrap();
    std::fs::set_permissions(folder.path(), mode(0o555)).unwrap();
    for file in ["a.sqlite", "none.sqlite"] {
        let mut command = Command::new(&binary);
        command.args(ARGUMENTS);
        if std::fs::metadata("/proc/self").map_or(0, |own| own.uid()) == 0 {
            command.uid(65_534).gid(65_534);
        }
        let task = format!("write 0 0 {}", folder.path().join(file).display());
        let (succeeded, said) = Running::start(&mut command, &task).end();
        assert!(succeeded, "{said:?}");
        assert!(
            said[0].starts_with(&format!("{:?}", StoreErrorKind::ReadOnly)),
            "{said:?}"
        );
        assert!(said[0].contains(file), "{said:?}");
    }
    std::fs::set_permissions(folder.path(), mode(0o755)).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), content);
}
