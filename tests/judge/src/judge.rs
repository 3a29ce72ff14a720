//! Counts flickers, by nothing but what was on screen and the server's ledger of what was true.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What has become true of one object of the server.
#[derive(Clone, Debug, Deserialize)]
pub struct Fact {
    /// The object.
    pub id: String,
    /// The object from then on; `None` when it is gone.
    pub body: Option<Value>,
}

/// How often each sort of flicker was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Flickers {
    /// Deleted rows that came back.
    pub came_back: usize,
    /// New rows that vanished.
    pub vanished: usize,
    /// Values that jumped back.
    pub jumped_back: usize,
    /// Rows that stood there twice.
    pub doubled: usize,
}

impl Flickers {
    /// All of them.
    pub fn total(self) -> usize {
        self.came_back + self.vanished + self.jumped_back + self.doubled
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            came_back: self.came_back + other.came_back,
            vanished: self.vanished + other.vanished,
            jumped_back: self.jumped_back + other.jumped_back,
            doubled: self.doubled + other.doubled,
        }
    }
}

/// Watches one screen.
#[derive(Clone, Debug, Default)]
pub struct Judge {
    /// What was on screen last, and what was ever.
    last: BTreeMap<String, Value>,
    ever: BTreeSet<String>,
    /// Every value of a field that was on screen: its row, its name, the value's text.
    values: BTreeSet<(String, String, String)>,
    /// Rows that the user has asked to be deleted: they may go before the server says so.
    asked: BTreeSet<String>,
    /// What it has counted.
    pub flickers: Flickers,
}

/// What is one thing to the user's eye: a new row is the same before and after it has its real id.
fn identity(body: &Value) -> String {
    let field = if body["token"].is_string() {
        &body["token"]
    } else {
        &body["id"]
    };
    field.as_str().unwrap_or_default().to_string()
}

/// What was true of one object at the end of the ledger.
enum Truth<'a> {
    Unknown,
    Exists(&'a Value),
    /// Gone, or accepted to go.
    Deleted,
}

fn truth<'a>(identity_: &str, ledger: &'a [Fact]) -> Truth<'a> {
    let object = |fact: &&Fact| {
        fact.body
            .as_ref()
            .map_or(fact.id == identity_, |body| identity(body) == identity_)
    };
    match ledger.iter().rfind(object) {
        None => Truth::Unknown,
        Some(fact) => match &fact.body {
            Some(body) if body["status"] != "deleting" => Truth::Exists(body),
            _ => Truth::Deleted,
        },
    }
}

impl Judge {
    /// Looks at a screen; `ledger` is what has become true so far. Answers what flickered.
    pub fn look<'a>(
        &mut self,
        screen: impl IntoIterator<Item = &'a Value>,
        ledger: &[Fact],
    ) -> Vec<(String, &'static str)> {
        let mut found = Vec::new();
        let mut now: BTreeMap<String, Value> = BTreeMap::new();
        for row in screen {
            let id = identity(row);
            if now.insert(id.clone(), row.clone()).is_some() {
                self.flickers.doubled += 1;
                found.push((id, "is there twice"));
            }
        }
        for (id, body) in &now {
            match (truth(id, ledger), self.last.get(id)) {
                (Truth::Deleted, None) if self.ever.contains(id) => {
                    self.flickers.came_back += 1;
                    found.push((id.clone(), "came back"));
                }
                (Truth::Exists(truth), Some(before))
                    if jumped_back(id, before, body, truth, &self.values) =>
                {
                    self.flickers.jumped_back += 1;
                    found.push((id.clone(), "jumped back"));
                }
                _ => {}
            }
        }
        for id in self.last.keys().filter(|id| !now.contains_key(*id)) {
            if matches!(truth(id, ledger), Truth::Exists(_)) && !self.asked.contains(id) {
                self.flickers.vanished += 1;
                found.push((id.clone(), "vanished"));
            }
        }
        self.ever.extend(now.keys().cloned());
        for (id, body) in &now {
            let value =
                |(name, value): (&String, &Value)| (id.clone(), name.clone(), value.to_string());
            self.values.extend(fields(body).map(value));
        }
        self.last = now;
        found
    }

    /// The user asks for these to be deleted.
    pub fn user_deletes(&mut self, ids: &[&str]) {
        self.asked.extend(ids.iter().map(ToString::to_string));
    }
}

/// The fields whose value was right, and is now one that was shown before.
fn jumped_back(
    id: &str,
    before: &Value,
    now: &Value,
    truth: &Value,
    values: &BTreeSet<(String, String, String)>,
) -> bool {
    fields(truth).any(|(name, value)| {
        let shown = now.get(name).unwrap_or(&Value::Null);
        before.get(name) == Some(value)
            && shown != value
            && values.contains(&(id.to_string(), name.clone(), shown.to_string()))
    })
}

/// What the user reads of an object.
fn fields(body: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let hidden = ["id", "uid", "version", "token"];
    let fields = body.as_object().into_iter().flatten();
    fields.filter(move |(name, _)| !hidden.contains(&name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fact(id: &str, body: Option<Value>) -> Fact {
        Fact {
            id: id.into(),
            body,
        }
    }

    #[test]
    fn each_sort_of_flicker_is_counted_once() {
        let (a, b) = (json!({"id": "a", "n": 1}), json!({"id": "b", "n": 1}));
        let b2 = json!({"id": "b", "n": 2});
        let mut judge = Judge::default();
        let ledger = [fact("a", Some(a.clone())), fact("b", Some(b.clone()))];
        assert_eq!(judge.look(&[a.clone(), b.clone()], &ledger), []);
        assert_eq!(judge.look([&b], &ledger), [("a".into(), "vanished")]);
        let ledger = [fact("a", None), fact("b", Some(b2.clone()))];
        assert_eq!(
            judge.look(&[a.clone(), b2.clone()], &ledger),
            [("a".into(), "came back")]
        );
        assert_eq!(
            judge.look(&[a, b.clone()], &ledger),
            [("b".into(), "jumped back")]
        );
        assert_eq!(
            judge.look(&[b.clone(), b], &ledger),
            [("b".into(), "is there twice")]
        );
        assert_eq!(
            judge.flickers,
            Flickers {
                came_back: 1,
                vanished: 1,
                jumped_back: 1,
                doubled: 1
            }
        );
    }

    #[test]
    fn an_edit_before_the_server_has_it_is_no_flicker() {
        let (old, new) = (json!({"id": "a", "n": 1}), json!({"id": "a", "n": 2}));
        let mut judge = Judge::default();
        judge.look([&old], &[fact("a", Some(old.clone()))]);
        judge.look([&new], &[fact("a", Some(old.clone()))]);
        judge.look([&new], &[fact("a", Some(new.clone()))]);
        assert_eq!(judge.flickers.total(), 0);
        judge.look(&[old], &[fact("a", Some(new))]);
        assert_eq!(judge.flickers.jumped_back, 1);
    }

    #[test]
    fn what_the_user_or_the_server_did_is_no_flicker() {
        let (a, t) = (
            json!({"id": "a", "n": 1}),
            json!({"id": "tmp", "token": "k"}),
        );
        let real = json!({"id": "r", "token": "k"});
        let mut judge = Judge::default();
        let ledger = [fact("a", Some(a.clone()))];
        judge.look(&[a.clone(), t], &ledger);
        judge.user_deletes(&["a"]);
        let later = [fact("a", Some(a.clone())), fact("r", Some(real.clone()))];
        // The new row has its real id, the deleted one is hidden, then refused and shown again.
        judge.look([&real], &later);
        judge.look(&[a, real], &later);
        assert_eq!(judge.flickers.total(), 0);
    }
}
