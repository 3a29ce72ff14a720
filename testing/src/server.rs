//! A simulated server: a primary, and its past, from which lists lag.

use crate::toy::{FIELD_COUNT, Toy};

/// What was true from a time on.
#[derive(Clone, Debug)]
struct Past {
    from: i64,
    items: Vec<Toy>,
}

/// A change of one resource, as a watch stream tells it.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// It came.
    Added(Toy),
    /// It changed.
    Modified(Toy),
    /// It went.
    Deleted(Toy),
}

/// The server. Times are milliseconds of a clock that never steps back.
#[derive(Clone, Debug)]
pub struct Server {
    past: Vec<Past>,
    /// Every change in order.
    pub told: Vec<Told>,
    versions: bool,
    next_version: u64,
    next_id: u64,
}

impl Server {
    /// A server that holds `a`, `b` and `c`; with `versions`, it gives versions and uids.
    pub fn new(versions: bool) -> Self {
        let mut server = Self {
            past: vec![Past {
                from: i64::MIN,
                items: Vec::new(),
            }],
            told: Vec::new(),
            versions,
            next_version: 0,
            next_id: 0,
        };
        for id in ["a", "b", "c"] {
            server.create(Some(id), [0; FIELD_COUNT], None, i64::MIN);
        }
        server.told.clear();
        server
    }

    /// The list as it was so many milliseconds ago.
    pub fn list(&self, now: i64, lag: i64) -> Vec<Toy> {
        let at = now.saturating_sub(lag);
        let past = self.past.iter().rfind(|p| p.from <= at);
        past.map(|p| p.items.clone()).unwrap_or_default()
    }

    fn write(&mut self, now: i64, change: impl FnOnce(&mut Vec<Toy>)) {
        let mut items = self
            .past
            .last()
            .map(|p| p.items.clone())
            .unwrap_or_default();
        change(&mut items);
        self.past.push(Past { from: now, items });
    }

    fn stamp(&mut self, mut toy: Toy) -> Toy {
        self.next_version += 1;
        if self.versions {
            toy.version = Some(self.next_version.to_string());
        }
        toy
    }

    /// Makes a resource, and answers it.
    pub fn create(
        &mut self,
        id: Option<&str>,
        fields: [i64; FIELD_COUNT],
        token: Option<String>,
        now: i64,
    ) -> Toy {
        self.next_id += 1;
        let taken = self.list(i64::MAX, 0);
        while id.is_none() && taken.iter().any(|t| t.id == format!("r{}", self.next_id)) {
            self.next_id += 1;
        }
        let id = id.map_or_else(|| format!("r{}", self.next_id), String::from);
        let mut toy = Toy::new(id, fields);
        toy.uid = self.versions.then(|| format!("u{}", self.next_id));
        toy.token = token;
        let toy = self.stamp(toy);
        self.write(now, |items| items.push(toy.clone()));
        self.told.push(Told::Added(toy.clone()));
        toy
    }

    /// Changes a resource, and answers it; `None` when there is none.
    pub fn update(
        &mut self,
        id: &str,
        patch: &[Option<i64>; FIELD_COUNT],
        now: i64,
    ) -> Option<Toy> {
        use resourcecache::Resource as _;
        let old = self.list(i64::MAX, 0).into_iter().find(|t| t.id == id)?;
        let new = self.stamp(old.apply(patch));
        self.write(now, |items| {
            for item in items.iter_mut().filter(|t| t.id == id) {
                item.clone_from(&new);
            }
        });
        self.told.push(Told::Modified(new.clone()));
        Some(new)
    }

    /// Deletes a resource; whether there was one.
    pub fn delete(&mut self, id: &str, now: i64) -> bool {
        let Some(old) = self.list(i64::MAX, 0).into_iter().find(|t| t.id == id) else {
            return false;
        };
        let last = self.stamp(old);
        self.write(now, |items| items.retain(|t| t.id != id));
        self.told.push(Told::Deleted(last));
        true
    }
}
