//! The server that the simulator brings along: [`Server`], which holds [`Toy`]s.

use resourcecache::{Kind, ProgressPlan, Stage};
use serde_json::{Value, json};

use super::dice::Dice;
use super::model::ServerModel;
use super::world::Names;
use crate::server::{Server, Told};
use crate::toy::{FIELD_COUNT, Toy};

type Patch = [Option<i64>; FIELD_COUNT];

/// The names of a toy's fields in JSON.
const FIELDS: [&str; FIELD_COUNT] = ["x", "y", "z"];

/// The simulator asks for the present only.
const NOW: i64 = i64::MAX;

impl ServerModel for Server {
    type Resource = Toy;

    fn list(&self) -> Vec<Toy> {
        self.latest().to_vec()
    }

    fn list_version(&self) -> Option<String> {
        self.list_versions
            .then(|| self.version(self.next_version))
            .flatten()
    }

    fn create(&mut self, wanted: &Toy) -> Result<Toy, String> {
        let own = (self.names == Names::Client).then_some(&*wanted.id);
        if own.is_some_and(|id| self.latest().iter().any(|t| t.id == id)) {
            return Err("409: exists already".into());
        }
        Ok(Self::create(
            self,
            own,
            wanted.fields,
            wanted.token.clone(),
            NOW,
        ))
    }

    fn update(&mut self, id: &str, patch: &Patch) -> Result<Toy, String> {
        Self::update(self, id, patch, NOW).ok_or("404: not found".into())
    }

    fn delete(&mut self, id: &str) -> Result<Toy, String> {
        let done = Self::delete(self, id, NOW);
        match self.told.last() {
            Some(Told::Deleted(last)) if done => Ok(last.clone()),
            _ => Err("404: not found".into()),
        }
    }

    fn invent(&self, id: &str, dice: &mut Dice) -> Toy {
        Toy::new(id, std::array::from_fn(|_| value(dice)))
    }

    fn edit(&self, _: &Toy, dice: &mut Dice) -> Patch {
        let mut patch = [None; FIELD_COUNT];
        patch[dice.below(FIELD_COUNT)] = Some(value(dice));
        if dice.chance(20) {
            patch[dice.below(FIELD_COUNT)] = Some(value(dice));
        }
        patch
    }

    /// By `z`: 0 says nothing, 1 and 2 are stages, 3 and 4 ends.
    fn plan(&self, kind: Kind, dice: &mut Dice) -> Option<ProgressPlan> {
        let mut stages = vec![
            Stage::new("first").message("First...").expected_ms(400),
            Stage::new("second").weight(2),
        ];
        let mut rule = vec![("1", "first"), ("2", "second")];
        if matches!(kind, Kind::Create | Kind::Process) && dice.chance(70) {
            stages.push(Stage::new("complete").message("Done").completes());
            stages.push(Stage::new("failed").fails(Some("/x")));
            rule.extend([("3", "complete"), ("4", "failed")]);
        }
        let mut plan = ProgressPlan::new(stages).rule("/z", rule);
        if dice.chance(50) {
            plan = plan.stalled_after_ms(300);
        }
        dice.chance(70).then_some(plan)
    }

    fn work(&self, toy: &Toy, to_its_end: bool, dice: &mut Dice) -> Option<Patch> {
        let now = toy.fields[2];
        let next = match now {
            1 if !to_its_end => 2,
            1 | 2 if dice.chance(80) => 3,
            1 | 2 => 4,
            _ if to_its_end => return None,
            _ => 1,
        };
        Some([None, None, Some(next)])
    }

    fn names_are_the_clients(&self) -> bool {
        self.names == Names::Client
    }

    fn pointers(&self) -> Vec<(&'static str, &'static str)> {
        let mut pointers = vec![("id", "/id"), ("token", "/token")];
        pointers.extend(self.uids.then_some(("uid", "/uid")));
        let versioned = self.version(0).is_some();
        pointers.extend(versioned.then_some(("version", "/version")));
        pointers
    }

    fn body_json(&self, toy: &Toy) -> Value {
        let mut body = json!({ "id": toy.id });
        for (name, value) in FIELDS.iter().zip(toy.fields) {
            body[name] = value.into();
        }
        let told = [
            ("uid", &toy.uid),
            ("version", &toy.version),
            ("token", &toy.token),
        ];
        for (name, text) in told {
            if let Some(text) = text {
                body[name] = text.as_str().into();
            }
        }
        body
    }

    fn patch_json(&self, patch: &Patch) -> Value {
        let mut json = json!({});
        for (name, value) in FIELDS.iter().zip(patch) {
            if let Some(value) = value {
                json[name] = (*value).into();
            }
        }
        json
    }
}

/// Few, so that the same one comes again.
fn value(dice: &mut Dice) -> i64 {
    i64::try_from(dice.below(5)).unwrap_or(0)
}
