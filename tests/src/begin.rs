//! What a scenario begins, queues, performs as a step, and undoes.

use resourcecache::json::JsonResource;
use resourcecache::{Applied, Error, Event, Kind, Timestamp};
use serde_json::value::RawValue;

use crate::actions::Ran;
use crate::fields::Fields;
use crate::runner::World;

type Begun = Result<Event<JsonResource>, Error>;

impl World {
    /// The operation that an action begins, queued when it says when to send it.
    pub(crate) fn begin(&self, action: &str, mut fields: Fields) -> Result<Begun, String> {
        let send_after_ms: Option<u64> = fields.optional("send_after_ms")?;
        let begin = if action == "add_as_creating" {
            self.creation(fields)?
        } else {
            self.change(action, fields)?
        };
        Ok(begin.map(|begin| match send_after_ms {
            Some(send_after_ms) => Event::Queue {
                begin: Box::new(begin),
                send_after_ms,
            },
            None => begin,
        }))
    }

    fn creation(&self, mut fields: Fields) -> Result<Begun, String> {
        let item: Box<RawValue> = fields.required("item")?;
        fields.finish()?;
        let resource = self.schema.resource(item.get().as_bytes());
        Ok(resource.map(|resource| Event::Create {
            resource,
            min_ttl_ms: None,
        }))
    }

    fn change(&self, action: &str, mut fields: Fields) -> Result<Begun, String> {
        let id: String = fields.required("id")?;
        let min_ttl_ms = fields.optional("min_ttl_ms")?;
        let (kind, patch) = match action {
            "mark_as_deleting" => (Kind::Delete, None),
            "mark_as_updating" => (
                Kind::Update,
                Some(fields.required::<Box<RawValue>>("patch")?),
            ),
            "mark_as_processing" => (read_kind(&mut fields)?, None),
            other => return Err(format!("do: {other:?} begins no operation")),
        };
        fields.finish()?;
        let patch = patch.map(|patch| self.schema.merge_patch(patch.get().as_bytes()));
        Ok(patch.transpose().map(|patch| Event::Begin {
            id: id.into(),
            kind,
            patch,
            min_ttl_ms,
        }))
    }

    /// Does one or several as a step.
    pub(crate) fn perform(&mut self, mut fields: Fields, now: Timestamp) -> Ran {
        let label: String = fields.required("label")?;
        let begin: Vec<Box<RawValue>> = fields.required("begin")?;
        fields.finish()?;
        let mut events = Vec::new();
        let mut names = Vec::new();
        for action in begin {
            let mut fields = Fields::parse(action.get())?;
            let action: String = fields.required("do")?;
            names.push(fields.optional("as")?);
            match self.begin(&action, fields)? {
                Ok(event) => events.push(event),
                Err(error) => return Ok(Err(error)),
            }
        }
        let event = match events.len() {
            1 => events.remove(0),
            _ => Event::Batch(events),
        };
        let done = self.cache.perform(label, event, now);
        self.stepped(done, names)
    }

    pub(crate) fn undo_or_redo(&mut self, action: &str, mut fields: Fields, now: Timestamp) -> Ran {
        let names: Option<Vec<String>> = fields.optional("as")?;
        fields.finish()?;
        let done = match action {
            "undo" => self.cache.undo(now),
            _ => self.cache.redo(now),
        };
        let begun = done.as_ref().map_or(0, |applied| applied.operations.len());
        let names: Vec<_> = names.unwrap_or_default().into_iter().map(Some).collect();
        if names.len() != begun {
            return Err(format!(
                "expected: {} operations begun\n    got: {begun}",
                names.len()
            ));
        }
        self.stepped(done, names)
    }

    /// Names the operations that a step began.
    fn stepped(&mut self, done: Result<Applied, Error>, names: Vec<Option<String>>) -> Ran {
        Ok(done.map(|applied| {
            for (name, operation) in names.into_iter().zip(applied.operations) {
                if let Some(name) = name {
                    self.operations.insert(name, operation);
                }
            }
            self.conflicts = applied.conflicts;
            applied.changes
        }))
    }
}

pub(crate) fn read_kind(fields: &mut Fields) -> Result<Kind, String> {
    match fields.required::<String>("operation")?.as_str() {
        "creating" => Ok(Kind::Create),
        "updating" => Ok(Kind::Update),
        "processing" => Ok(Kind::Process),
        "deleting" => Ok(Kind::Delete),
        unknown => Err(format!("operation: {unknown:?} is none")),
    }
}
