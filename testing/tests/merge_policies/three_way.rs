use resourcecache::MergePolicy;

/// A tag that the form put in is there, one that it took out is not; the rest follows the server.
struct ThreeWay;

impl MergePolicy<Zone> for ThreeWay {
    fn lay(base: &Zone, edit: &Edit) -> Zone {
        let mut zone = base.apply(&Edit { tags: None, ..edit.clone() });
        for (tag, there) in touched(edit) {
            if there {
                zone.tags.insert(tag);
            } else {
                zone.tags.remove(&tag);
            }
        }
        zone
    }

    // Each tag is a field of its own now: it is confirmed, and superseded, by itself.
    fn fields(edit: &Edit) -> Vec<Edit> {
        let name = Zone::fields(&Edit { tags: None, ..edit.clone() });
        let tags = touched(edit).into_iter().map(|(tag, there)| one(&tag, there));
        name.into_iter().chain(tags).collect()
    }

    fn pick(body: &Zone, edit: &Edit) -> Edit {
        let (mut before, mut after) = (BTreeSet::new(), BTreeSet::new());
        for (tag, _) in touched(edit) {
            let set = if body.tags.contains(&tag) { &mut after } else { &mut before };
            set.insert(tag);
        }
        Edit {
            tags: edit.tags.as_ref().map(|_| Tags { before, after }),
            ..body.pick(&Edit { tags: None, ..edit.clone() })
        }
    }

    fn overlaps(a: &Edit, b: &Edit) -> bool {
        let others = touched(b);
        let both_name = a.name.is_some() && b.name.is_some();
        both_name || touched(a).iter().any(|(tag, _)| others.iter().any(|(other, _)| tag == other))
    }
}

/// The tags that a form put in (`true`) or took out.
fn touched(edit: &Edit) -> Vec<(String, bool)> {
    let Some(Tags { before, after }) = &edit.tags else { return Vec::new() };
    let changed = before.symmetric_difference(after);
    changed.map(|tag| (tag.clone(), after.contains(tag))).collect()
}

/// A form that put one tag in, or took it out.
fn one(tag: &str, there: bool) -> Edit {
    let (with, without) = (BTreeSet::from([tag.to_string()]), BTreeSet::new());
    let (before, after) = if there { (without, with) } else { (with, without) };
    Edit { name: None, tags: Some(Tags { before, after }) }
}
