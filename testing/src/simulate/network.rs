//! What is between the clients and the primary: messages under way, replicas that lag, and the
//! server's past, from which they answer.

use std::collections::BTreeMap;
use std::rc::Rc;

use resourcecache::{Coverage, FetchToken, Named, Resource, Snapshot, WatchEvent};

use super::model::ServerModel;
use super::step::{Asked, Tag, Write};

/// The server after one of its changes.
pub(crate) struct Moment<R> {
    pub(crate) list: Rc<Vec<R>>,
    pub(crate) version: Option<String>,
    /// What a watch tells of the change; the first moment has none.
    pub(crate) told: Option<WatchEvent<R>>,
}

/// A message, and its answer.
pub(crate) struct Flight<R: Resource> {
    pub(crate) client: usize,
    pub(crate) stage: Stage<R>,
    /// Whether its answer has arrived, and may arrive once more.
    pub(crate) arrived: bool,
}

/// How far a message is.
pub(crate) enum Stage<R: Resource> {
    /// A call that may still reach the primary.
    Call(Call<R>),
    /// The primary's answer. The call may reach it once more.
    Answer {
        call: Call<R>,
        answer: Result<R, String>,
        /// `Retry-After`, in milliseconds.
        after_ms: Option<u64>,
    },
    /// A list call.
    List {
        token: Option<FetchToken>,
        what: Asked,
    },
    /// A replica's answer.
    Listed(Snapshot<R>),
}

/// A call that is to change something.
#[derive(Clone)]
pub(crate) struct Call<R: Resource> {
    pub(crate) operation: Tag,
    pub(crate) write: Write<R>,
    /// Its idempotency key, and all the operations that it is for, where the outbox sends it.
    pub(crate) key: Option<(String, Vec<Tag>)>,
}

/// A client's watch stream.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    pub(crate) replica: usize,
    /// The number of the next change that it tells.
    pub(crate) next: usize,
}

/// The server side of a world.
pub(crate) struct Network<S: ServerModel> {
    pub(crate) server: S,
    pub(crate) past: Vec<Moment<S::Resource>>,
    /// How far each replica is in the past.
    pub(crate) replicas: Vec<usize>,
    pub(crate) flights: BTreeMap<Tag, Flight<S::Resource>>,
    /// For which operation each idempotency key was sent.
    pub(crate) keys: BTreeMap<String, Tag>,
    /// By which keys the primary has done each operation.
    pub(crate) done: BTreeMap<Tag, Vec<String>>,
    /// What happened up to this change is told to no new stream.
    pub(crate) compacted: usize,
    /// Whether streams tell which calls were refused, by their keys.
    pub(crate) tells_failures: bool,
    /// What the primary answered to each key.
    answers: BTreeMap<String, Result<S::Resource, String>>,
    page: usize,
}

impl<S: ServerModel> Network<S> {
    pub(crate) fn new(server: S, replicas: usize, page: Option<usize>) -> Self {
        let first = Moment {
            list: Rc::new(server.list()),
            version: server.list_version(),
            told: None,
        };
        Self {
            server,
            past: vec![first],
            replicas: vec![0; replicas.max(1)],
            flights: BTreeMap::new(),
            keys: BTreeMap::new(),
            done: BTreeMap::new(),
            compacted: 0,
            tells_failures: false,
            answers: BTreeMap::new(),
            page: page.unwrap_or(usize::MAX),
        }
    }

    /// The number of the newest change.
    pub(crate) fn newest(&self) -> usize {
        self.past.len() - 1
    }

    /// What the primary holds.
    pub(crate) fn truth(&self) -> Rc<Vec<S::Resource>> {
        self.past[self.newest()].list.clone()
    }

    /// The primary does what a call asks.
    pub(crate) fn write(&mut self, write: &Write<S::Resource>) -> Result<S::Resource, String> {
        let (body, told) = match write {
            Write::Create(wanted) => {
                let body = self.server.create(wanted)?;
                (body.clone(), WatchEvent::Added(body))
            }
            Write::Update { id, patch } => {
                let body = self.server.update(id, patch)?;
                (body.clone(), WatchEvent::Modified(body))
            }
            Write::Updates { id, patches } => {
                let list = self.truth();
                let held = list.iter().find(|body| body.id() == id);
                let held = held.ok_or("404: not found")?;
                let wanted = patches.iter().fold(held.clone(), |body, p| body.apply(p));
                let body = self.server.update(id, &held.diff(&wanted))?;
                (body.clone(), WatchEvent::Modified(body))
            }
            Write::Process { id } => return self.server.process(id),
            Write::Delete { id } => {
                let body = self.server.delete(id)?;
                (body.clone(), WatchEvent::Deleted(body))
            }
        };
        self.past.push(Moment {
            list: Rc::new(self.server.list()),
            version: self.server.list_version(),
            told: Some(told),
        });
        Ok(body)
    }

    /// Whether there was a resource of this id, and somebody deleted it.
    pub(crate) fn was_deleted(&self, id: &str) -> bool {
        let told = self.past.iter().filter_map(|moment| moment.told.as_ref());
        let mut deleted = told.filter_map(|event| match event {
            WatchEvent::Deleted(last) => Some(last.id()),
            _ => None,
        });
        deleted.any(|deleted| deleted == id)
    }

    /// The primary does what a call asks, unless it has done so before, by the call's key.
    pub(crate) fn call(&mut self, call: &Call<S::Resource>) -> Result<S::Resource, String> {
        let Some((key, operations)) = &call.key else {
            return self.write(&call.write);
        };
        if let Some(answer) = self.answers.get(key) {
            return answer.clone();
        }
        let answer = self.write(&call.write);
        self.answers.insert(key.clone(), answer.clone());
        match &answer {
            Ok(_) => {
                for tag in operations {
                    self.done.entry(*tag).or_default().push(key.clone());
                }
            }
            Err(error) if self.tells_failures => self.tell_failure(key.clone(), error.clone()),
            Err(_) => {}
        }
        answer
    }

    /// Streams tell that a call was refused; nothing has changed.
    fn tell_failure(&mut self, key: String, error: String) {
        let newest = &self.past[self.newest()];
        self.past.push(Moment {
            list: newest.list.clone(),
            version: newest.version.clone(),
            told: Some(WatchEvent::Failed {
                operation: Named::Key(key),
                error,
            }),
        });
    }

    /// A call reaches the primary; once more, its answer is not heard.
    pub(crate) fn serve(&mut self, tag: Tag) {
        let Some(flight) = self.flights.get(&tag) else {
            return;
        };
        match &flight.stage {
            Stage::Call(call) => {
                let call = call.clone();
                let answer = self.call(&call);
                self.answer(tag, call, answer, None);
            }
            Stage::Answer { call, .. } => {
                let call = call.clone();
                let _ = self.call(&call);
            }
            Stage::List { .. } | Stage::Listed(_) => {}
        }
    }

    /// The primary is too busy for a call.
    pub(crate) fn refuse(&mut self, tag: Tag, after_ms: Option<u64>) {
        let flight = self.flights.get(&tag);
        if let Some(Stage::Call(call)) = flight.map(|flight| &flight.stage) {
            let call = call.clone();
            self.answer(tag, call, Err("503: busy".into()), after_ms);
        }
    }

    fn answer(
        &mut self,
        tag: Tag,
        call: Call<S::Resource>,
        answer: Result<S::Resource, String>,
        after_ms: Option<u64>,
    ) {
        if let Some(flight) = self.flights.get_mut(&tag) {
            flight.stage = Stage::Answer {
                call,
                answer,
                after_ms,
            };
        }
    }

    /// A replica answers a list call.
    pub(crate) fn read(&mut self, tag: Tag, replica: usize) {
        let at = self.replicas[replica % self.replicas.len()];
        let moment = &self.past[at];
        let Some(flight) = self.flights.get_mut(&tag) else {
            return;
        };
        let Stage::List { token, what } = &flight.stage else {
            return;
        };
        let (items, coverage) = part(&moment.list, what, self.page);
        let mut snapshot = Snapshot::complete(items).covering(coverage);
        snapshot.list_version.clone_from(&moment.version);
        snapshot.token = *token;
        flight.stage = Stage::Listed(snapshot);
    }

    pub(crate) fn catch_up(&mut self, replica: usize, by: usize) {
        let newest = self.newest();
        let count = self.replicas.len();
        let at = &mut self.replicas[replica % count];
        *at = (*at).saturating_add(by).min(newest);
    }

    /// A client's connections break.
    pub(crate) fn hang_up(&mut self, client: usize) {
        self.flights
            .retain(|_, flight| flight.client != client || matches!(flight.stage, Stage::Call(_)));
    }
}

/// The part of a list that was asked for, and what it covers.
fn part<R: Resource>(list: &[R], what: &Asked, page: usize) -> (Vec<R>, Coverage) {
    match what {
        Asked::All => (list.to_vec(), Coverage::Complete),
        Asked::One(id) => {
            let found = list.iter().filter(|body| body.id() == id).cloned();
            (found.collect(), Coverage::Ids(vec![id.as_str().into()]))
        }
        Asked::Page(first) => {
            let first = (*first).min(list.len());
            let end = first.saturating_add(page).min(list.len());
            let id = |at: usize| list.get(at).map(|body| body.id().into());
            let coverage = Coverage::Page {
                after: first.checked_sub(1).and_then(id),
                before: id(end),
            };
            (list[first..end].to_vec(), coverage)
        }
    }
}
