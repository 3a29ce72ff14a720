//! A simulated server: a primary, and its past, from which lists lag.

use crate::simulate::{Names, Versions, World};
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
    pub(crate) versions: Versions,
    pub(crate) list_versions: bool,
    pub(crate) uids: bool,
    pub(crate) names: Names,
    pub(crate) next_version: u64,
    next_id: u64,
}

impl Server {
    /// A server that holds `a`, `b` and `c`; with `versions`, it gives versions and uids.
    pub fn new(versions: bool) -> Self {
        let mut server = Self::empty();
        if versions {
            (server.versions, server.uids) = (Versions::Integer, true);
        }
        for id in ["a", "b", "c"] {
            server.create(Some(id), [0; FIELD_COUNT], None, i64::MIN);
        }
        server.told.clear();
        server
    }

    /// A server that holds nothing yet, and tells what the servers of this world tell.
    pub fn of(world: &World) -> Self {
        Self {
            versions: world.versions,
            list_versions: world.list_versions,
            uids: world.uids,
            names: world.names,
            ..Self::empty()
        }
    }

    fn empty() -> Self {
        Self {
            past: vec![Past {
                from: i64::MIN,
                items: Vec::new(),
            }],
            told: Vec::new(),
            versions: Versions::None,
            list_versions: false,
            uids: false,
            names: Names::Server,
            next_version: 0,
            next_id: 0,
        }
    }

    pub(crate) fn latest(&self) -> &[Toy] {
        self.past.last().map_or(&[], |past| &past.items)
    }

    /// The version that this number makes.
    pub(crate) fn version(&self, number: u64) -> Option<String> {
        match self.versions {
            Versions::None => None,
            // No order can be read from it.
            Versions::Opaque => Some(format!("v{}", number * 7_919 % 10_007)),
            Versions::Integer => Some(number.to_string()),
            Versions::Timestamp => Some(format!(
                "2025-01-19T{:02}:{:02}:{:02}Z",
                number / 3_600 % 24,
                number / 60 % 60,
                number % 60
            )),
        }
    }

    /// The list as it was so many milliseconds ago.
    pub fn list(&self, now: i64, lag: i64) -> Vec<Toy> {
        let at = now.saturating_sub(lag);
        let past = self.past.iter().rfind(|p| p.from <= at);
        past.map(|p| p.items.clone()).unwrap_or_default()
    }

    fn write(&mut self, now: i64, change: impl FnOnce(&mut Vec<Toy>)) {
        let mut items = self.latest().to_vec();
        change(&mut items);
        self.past.push(Past { from: now, items });
    }

    fn stamp(&mut self, mut toy: Toy) -> Toy {
        self.next_version += 1;
        toy.version = self.version(self.next_version);
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
        let is_taken = |number: u64| {
            let id = format!("r{number}");
            self.latest().iter().any(|t| t.id == id)
        };
        let first = if self.names == Names::ServerAgain {
            1
        } else {
            self.next_id
        };
        let number = (first..).find(|n| id.is_some() || !is_taken(*n));
        let number = number.unwrap_or(first);
        self.next_id = self.next_id.max(number);
        let id = id.map_or_else(|| format!("r{number}"), String::from);
        let mut toy = Toy::new(id, fields);
        toy.uid = self.uids.then(|| format!("u{}", self.next_id));
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
        let old = self.latest().iter().find(|t| t.id == id)?;
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
        let Some(old) = self.latest().iter().find(|t| t.id == id) else {
            return false;
        };
        let last = self.stamp(old.clone());
        self.write(now, |items| items.retain(|t| t.id != id));
        self.told.push(Told::Deleted(last));
        true
    }
}
