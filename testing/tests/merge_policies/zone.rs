use std::collections::BTreeSet;

use resourcecache::Resource;

/// A DNS zone, as the server lists it.
#[derive(Clone, Debug, PartialEq)]
struct Zone {
    id: String,
    name: String,
    tags: BTreeSet<String>,
}

/// What a form sends when it is saved: a field that was not touched is `None`.
#[derive(Clone, Debug, PartialEq)]
struct Edit {
    name: Option<String>,
    tags: Option<Tags>,
}

/// All tags, as they were when the form opened and as it leaves them.
#[derive(Clone, Debug, PartialEq)]
struct Tags {
    before: BTreeSet<String>,
    after: BTreeSet<String>,
}

/// Its own rule: what the form says replaces what is there.
impl Resource for Zone {
    type Patch = Edit;

    fn id(&self) -> &str {
        &self.id
    }

    fn apply(&self, edit: &Edit) -> Self {
        let mut zone = self.clone();
        zone.name = edit.name.clone().unwrap_or(zone.name);
        zone.tags = edit.tags.as_ref().map_or(zone.tags, |t| t.after.clone());
        zone
    }

    fn fields(edit: &Edit) -> Vec<Edit> {
        let name = edit.name.clone().map(|name| Edit { name: Some(name), tags: None });
        let tags = edit.tags.clone().map(|tags| Edit { name: None, tags: Some(tags) });
        name.into_iter().chain(tags).collect()
    }

    fn pick(&self, edit: &Edit) -> Edit {
        let tags = |t: &Tags| Tags { before: t.before.clone(), after: self.tags.clone() };
        Edit {
            name: edit.name.as_ref().map(|_| self.name.clone()),
            tags: edit.tags.as_ref().map(tags),
        }
    }

    fn diff(&self, newer: &Self) -> Edit {
        let tags = || Tags { before: self.tags.clone(), after: newer.tags.clone() };
        Edit {
            name: (self.name != newer.name).then(|| newer.name.clone()),
            tags: (self.tags != newer.tags).then(tags),
        }
    }

    fn overlaps(a: &Edit, b: &Edit) -> bool {
        a.name.is_some() && b.name.is_some() || a.tags.is_some() && b.tags.is_some()
    }
}
