//! Who may do what, by which way, and with which server settings.

use resourcecache_redis::{Server, free_port};
use resourcecache_storage::redis::{Certificates, RedisOptions, RedisStore};
use resourcecache_storage::{Store, StoreErrorKind};

use crate::{commit, kind, load, open, with};

#[test]
fn a_server_that_may_drop_what_it_keeps_is_refused() {
    let Some(server) = Server::start(&["--maxmemory-policy", "allkeys-lru"]) else {
        return;
    };
    let error =
        RedisStore::open(&server.url(), RedisOptions::default()).expect_err("it is refused");
    assert!(!error.is_retryable());
    let text = error.to_string();
    assert!(
        text.contains("allkeys-lru") && text.contains("noeviction"),
        "{text}"
    );
    server.ask::<()>(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    open(&server.url());
}

#[test]
fn without_memory_nothing_is_written() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let store = open(&server.url());
    let first = store.commit("a", &commit(None, 0..100)).expect("a commit");
    server.ask::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    let refused = store
        .commit("a", &commit(Some(first), 100..200))
        .expect_err("it is full");
    assert_eq!(refused.kind, StoreErrorKind::Full, "{refused}");
    assert!(refused.to_string().contains("maxmemory"), "{refused}");
    assert_eq!(
        load(&*store, "a").map(|(at, names)| (at, names.len())),
        Some((first, 100))
    );
    server.ask::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
    store
        .commit("a", &commit(Some(first), 100..200))
        .expect("there is room again");
}

/// The permissions that docs/redis.md lists.
const NEEDED: &str = "+evalsha +eval +hget +hmget +hset +hdel +hlen +hgetall +hscan +scan +del +unlink \
    +pexpireat +pttl +persist +time +info +publish +subscribe +unsubscribe +ping";

#[test]
fn a_user_with_the_listed_permissions_can_do_all() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let mut user: Vec<&str> = vec![
        "ACL",
        "SETUSER",
        "app",
        "on",
        ">secret",
        "resetkeys",
        "~mine:*",
        "resetchannels",
        "&mine:*",
        "-@all",
    ];
    user.extend(NEEDED.split_whitespace());
    server.ask::<()>(&user);
    let url = format!("redis://app:secret@127.0.0.1:{}/", server.port());
    let mut options = RedisOptions::default();
    options.prefix = "mine".into();
    let store = with(&url, options.clone());
    let mut watch = store.watch("a").expect("watching").expect("Redis can");
    let first = store
        .commit("a", &commit(None, 0..5_000))
        .expect("a commit");
    assert!(
        watch
            .wait(std::time::Duration::from_secs(10))
            .expect("waiting")
    );
    store
        .commit("a", &commit(Some(first), [1]))
        .expect("a commit");
    assert_eq!(
        load(&*store, "a").map(|(_, names)| names.len()),
        Some(5_000)
    );
    assert!(
        store
            .acquire("a", "send", "me", 1_000)
            .expect("a lease")
            .fence()
            .is_some()
    );
    assert!(store.release("a", "send", "me").expect("a lease"));
    assert_eq!(store.keys(None, 10).expect("listing"), ["a"]);
    assert!(store.delete("a", None).expect("a deletion"));

    // One permission less is known at opening, before anything is written.
    let scripted = NEEDED.split_whitespace().filter(|word| {
        !matches!(
            *word,
            "+scan" | "+hscan" | "+subscribe" | "+unsubscribe" | "+ping" | "+eval" | "+evalsha"
        )
    });
    let mut refused = 0;
    for word in scripted {
        let less = word.replace('+', "-");
        server.ask::<()>(&["ACL", "SETUSER", "app", &less]);
        let error = RedisStore::open(&url, options.clone()).expect_err(&less);
        assert!(
            error.to_string().contains("may not do this"),
            "{less}: {error}"
        );
        assert!(!error.is_retryable(), "{less}: {error}");
        server.ask::<()>(&["ACL", "SETUSER", "app", word]);
        refused += 1;
    }
    let other = RedisStore::open(&url, RedisOptions::default()).expect_err("another prefix");
    assert!(other.to_string().contains("may not do this"), "{other}");
    let wrong = url.replace("secret", "guess");
    let error = RedisStore::open(&wrong, options).expect_err("a wrong password");
    assert!(error.to_string().contains("password"), "{error}");
    assert!(!error.to_string().contains("guess"), "{error}");
    println!(
        "redis, ACL: a user with {} commands; {refused} refused at opening when one is missing",
        NEEDED.split_whitespace().count()
    );
}

#[test]
fn a_password_of_a_cluster_of_addresses_is_not_shown() {
    let nobody = "redis+cluster://app:secret@127.0.0.1:1,127.0.0.1:2";
    let mut options = RedisOptions::default();
    options.patience = std::time::Duration::from_millis(20);
    let error = RedisStore::open(nobody, options).expect_err("nobody is there");
    assert_eq!(error.kind, StoreErrorKind::Unavailable, "{error}");
    assert!(
        !format!("{error} {error:?}").contains("secret"),
        "{error:?}"
    );
}

#[test]
fn tls_with_a_certificate_of_ones_own() {
    let folder = std::env::temp_dir().join(format!("resourcecache-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let made =
        rcgen::generate_simple_self_signed(vec!["localhost".to_string()]).expect("a certificate");
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&cert, made.cert.pem()).expect("a file");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("a file");
    let tls_port = free_port();
    let [cert_path, key_path] = [&cert, &key].map(|path| path.display().to_string());
    let port = tls_port.to_string();
    let server = Server::start(&[
        "--tls-port",
        &port,
        "--tls-cert-file",
        &cert_path,
        "--tls-key-file",
        &key_path,
        "--tls-ca-cert-file",
        &cert_path,
        "--tls-auth-clients",
        "no",
    ]);
    if let Some(server) = &server {
        let url = format!("rediss://localhost:{tls_port}/");
        let mut options = RedisOptions::default();
        options.tls = Some(Certificates {
            root: Some(made.cert.pem().into_bytes()),
            client: None,
        });
        let store = with(&url, options.clone());
        let first = store.commit("a", &commit(None, 0..100)).expect("a commit");
        let mut watch = store.watch("a").expect("watching").expect("Redis can");
        open(&server.url())
            .commit("a", &commit(Some(first), [1]))
            .expect("a commit");
        assert!(
            watch
                .wait(std::time::Duration::from_secs(10))
                .expect("waiting")
        );
        let start = std::time::Instant::now();
        options.tls = None;
        let error =
            RedisStore::open(&url, options.clone()).expect_err("the system does not trust it");
        assert!(
            error.to_string().to_lowercase().contains("certificate"),
            "{error}"
        );
        assert!(!error.is_retryable(), "{error}");
        assert!(start.elapsed() < options.patience, "it is not tried again");
        let plain = url.replace("rediss", "redis");
        options.patience = std::time::Duration::from_millis(20);
        assert!(RedisStore::open(&plain, options).is_err(), "TLS only");
        println!("redis, TLS: trusted by its own certificate, refused without");
    }
    drop(server);
    let _ = std::fs::remove_dir_all(&folder);
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let store = open(&server.url());
    server.ask::<()>(&["SET", "resourcecache:{a}:log", "theirs"]);
    assert_eq!(
        kind(store.commit("a", &commit(None, [1]))),
        StoreErrorKind::Foreign
    );
    let keys: Vec<String> = server.ask(&["KEYS", "*{a}*"]);
    assert_eq!(keys, ["resourcecache:{a}:log"], "nothing was written");
    store.commit("b", &commit(None, [1])).expect("a commit");
    server.ask::<()>(&["HSET", "resourcecache:{b}:info", "format", "99"]);
    let error = store
        .load("b", &mut |_, _| Ok(()))
        .expect_err("a newer layout");
    assert_eq!(error.kind, StoreErrorKind::Newer, "{error}");
    assert_eq!(
        kind(store.commit("b", &commit(None, [1]))),
        StoreErrorKind::Newer
    );
}
