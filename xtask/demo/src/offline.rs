//! What the user does offline is held, shown, and sent when there is a network again.

use resourcecache::{Event, Kind};
use serde_json::json;

use crate::api::Error;
use crate::scenarios::{Counted, begin, replicas};
use crate::screen::Screen;
use crate::sending::send_queued;
use crate::stage::{Setup, Stage};
use crate::storage::Storage;

/// Records are edited, created and deleted while there is no network for so many seconds.
pub(crate) fn offline(
    seconds: u64,
    storage: &Storage,
    break_ttl: bool,
    screen: Screen,
) -> Result<Counted, Error> {
    screen.title(&format!(
        "Offline for {seconds} s: what the user does is held, and sent then"
    ))?;
    let setup = Setup {
        objects: json!([
            {"id": "r1", "name": "www", "ttl": 300},
            {"id": "r2", "name": "mail", "ttl": 300},
            {"id": "r3", "name": "ftp", "ttl": 300},
        ]),
        lag: json!({"replicas": replicas(), "delete_ms": 2000}),
        failures: json!([]),
    };
    let mut stage = Stage::new("records", &setup, storage, break_ttl, screen)?;
    stage.update(|cache, now| cache.set_online(false, now))?;
    stage.show("the network is gone")?;
    user_acts(&mut stage)?;
    stage.show("the user edits www twice, deletes ftp, creates blog and edits it, creates oops and deletes it")?;
    for _ in 0..seconds.div_ceil(5) {
        stage.pass(5_000)?;
        send_queued(&mut stage)?;
        stage.show("no network")?;
    }
    screen.say(&format!(
        "{} operations are held.",
        stage.cache.cache().queued()
    ))?;
    stage.update(|cache, now| cache.set_online(true, now))?;
    for _ in 0..12 {
        send_queued(&mut stage)?;
        stage.pass(1_000)?;
        stage.refresh()?;
    }
    let left = stage.cache.cache().queued();
    screen.say(&format!("{left} operations are left."))?;
    if left > 0 {
        return Err(Error::Other(format!("{left} operations were never sent")));
    }
    Ok(stage.flickers())
}

fn user_acts(stage: &mut Stage) -> Result<(), Error> {
    let edit = |id: &str, patch: &str| {
        let patch = stage.schema.merge_patch(patch.as_bytes())?;
        Ok::<_, Error>(begin(id, Kind::Update, Some(patch)))
    };
    let create = |id: &str, name: &str| {
        let new = json!({"id": id, "name": name, "ttl": 300, "token": id});
        let resource = stage.schema.resource(new.to_string().as_bytes())?;
        Ok::<_, Error>(Event::Create {
            resource,
            min_ttl_ms: None,
        })
    };
    let actions = [
        edit("r1", r#"{"ttl":60}"#)?,
        edit("r1", r#"{"name":"www2"}"#)?,
        begin("r3", Kind::Delete, None),
        create("tmp-1", "blog")?,
        edit("tmp-1", r#"{"ttl":90}"#)?,
        create("tmp-2", "oops")?,
        begin("tmp-2", Kind::Delete, None),
    ];
    for action in actions {
        stage.update(|cache, now| cache.queue(action.clone(), 0, now))?;
    }
    // The naive client shows what the user does too, and has nobody to tell.
    stage.naive.set("r1", "ttl", json!(60));
    stage.naive.set("r1", "name", json!("www2"));
    stage.user_deletes(&["r3"])?;
    stage
        .naive
        .add(json!({"id": "tmp-1", "name": "blog", "ttl": 90}));
    Ok(())
}
