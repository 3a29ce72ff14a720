use proptest::prelude::*;

fn tags() -> impl Strategy<Value = BTreeSet<String>> + Clone {
    prop::collection::btree_set("[abc]", 0..3)
}

fn zones() -> impl Strategy<Value = Zone> + Clone {
    ("z[12]", "[xy]", tags()).prop_map(|(id, name, tags)| Zone { id, name, tags })
}

fn edits() -> impl Strategy<Value = Edit> + Clone {
    let tags = (tags(), tags()).prop_map(|(before, after)| Tags { before, after });
    (prop::option::of("[xy]"), prop::option::of(tags)).prop_map(|(name, tags)| Edit { name, tags })
}
