//! The naive server: a log of changes, nothing else. What it holds at a revision is the log replayed.

use std::collections::BTreeMap;

/// What became of one resource: its value, or none.
#[derive(Clone, Debug)]
pub(crate) struct Changed {
    pub(crate) id: String,
    pub(crate) value: Option<u8>,
    /// Whether it was there before.
    pub(crate) was: bool,
}

#[derive(Default)]
pub(crate) struct Server {
    pub(crate) log: Vec<Changed>,
    /// What happened up to this revision is told no more.
    pub(crate) compacted: u64,
    /// Whether bodies name their versions.
    pub(crate) versioned: bool,
}

impl Server {
    pub(crate) fn revision(&self) -> u64 {
        self.log.len() as u64
    }

    pub(crate) fn change(&mut self, id: &str, value: Option<u8>) {
        let was = self.at(self.revision()).contains_key(id);
        if was || value.is_some() {
            let id = id.to_string();
            self.log.push(Changed { id, value, was });
        }
    }

    pub(crate) fn compact(&mut self, keep: u64) {
        self.compacted = self.compacted.max(self.revision().saturating_sub(keep));
    }

    /// The change that made this revision.
    pub(crate) fn changed(&self, revision: u64) -> &Changed {
        &self.log[revision as usize - 1]
    }

    /// All there is at a revision, each with its own.
    pub(crate) fn at(&self, revision: u64) -> BTreeMap<String, (u8, u64)> {
        let mut all = BTreeMap::new();
        for (changed, number) in self.log.iter().zip(1..=revision) {
            match changed.value {
                Some(value) => all.insert(changed.id.clone(), (value, number)),
                None => all.remove(&changed.id),
            };
        }
        all
    }

    pub(crate) fn body(&self, id: &str, value: u8, revision: u64) -> String {
        let version = match self.versioned {
            true => format!(r#","resourceVersion":"{revision}""#),
            false => String::new(),
        };
        format!(r#"{{"metadata":{{"name":"{id}"{version}}},"value":{value}}}"#)
    }

    /// All bodies as they are now.
    pub(crate) fn bodies(&self) -> Vec<String> {
        let all = self.at(self.revision());
        let body =
            |(id, (value, revision)): (&String, &(u8, u64))| self.body(id, *value, *revision);
        all.iter().map(body).collect()
    }

    /// A list of the state at a revision: `limit` items behind `after`.
    pub(crate) fn list(&self, revision: u64, after: Option<&str>, limit: Option<u32>) -> String {
        let all = self.at(revision);
        let behind = |id: &&String| after.is_none_or(|after| id.as_str() > after);
        let ids: Vec<&String> = all.keys().filter(behind).collect();
        let some = limit.map_or(ids.len(), |limit| ids.len().min(limit as usize));
        let token = match ids.get(some.wrapping_sub(1)) {
            Some(last) if some < ids.len() => format!("{revision}:{last}"),
            _ => String::new(),
        };
        let body = |id: &&String| self.body(id, all[*id].0, all[*id].1);
        let items: Vec<String> = ids[..some].iter().map(body).collect();
        format!(
            r#"{{"metadata":{{"resourceVersion":"{revision}","continue":"{token}"}},"items":[{}]}}"#,
            items.join(",")
        )
    }
}
