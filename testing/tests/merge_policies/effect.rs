use resourcecache::{Config, Governed, ResourceCache, Snapshot, Timestamp};

/// One user takes the tag `old` away; before the server shows that, another adds `new`. What shows?
fn shown<P: MergePolicy<Zone>>() -> Vec<String> {
    let set = |tags: &[&str]| tags.iter().map(|tag| tag.to_string()).collect::<BTreeSet<_>>();
    let list = |tags: &[&str]| {
        let zone = Zone { id: "z".into(), name: "a.example".into(), tags: set(tags) };
        Snapshot::complete(vec![Governed::<Zone, P>::new(zone)])
    };
    let edit = Edit { name: None, tags: Some(Tags { before: set(&["old"]), after: set(&[]) }) };
    let mut zones = ResourceCache::new(Config::default());
    zones.merge(list(&["old"]), Timestamp(0)).unwrap();
    zones.mark_as_updating("z", edit, Timestamp(1)).unwrap();
    zones.merge(list(&["new", "old"]), Timestamp(2)).unwrap();
    zones.get_one("z").unwrap().body().tags.iter().cloned().collect()
}
