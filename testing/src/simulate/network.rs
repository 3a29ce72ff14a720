//! What is between the clients and the primary: messages under way, replicas that lag, and the
//! server's past, from which they answer.

use std::collections::BTreeMap;
use std::rc::Rc;

use resourcecache::{Coverage, FetchToken, Resource, Snapshot, WatchEvent};

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
    Call { operation: Tag, write: Write<R> },
    /// The primary's answer. The call may reach it once more.
    Answer {
        operation: Tag,
        write: Write<R>,
        answer: Result<R, String>,
    },
    /// A list call.
    List {
        token: Option<FetchToken>,
        what: Asked,
    },
    /// A replica's answer.
    Listed(Snapshot<R>),
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

    /// A call reaches the primary; once more, its answer is not heard.
    pub(crate) fn serve(&mut self, tag: Tag) {
        let Some(flight) = self.flights.get(&tag) else {
            return;
        };
        match &flight.stage {
            Stage::Call { operation, write } => {
                let (operation, write) = (*operation, write.clone());
                let answer = self.write(&write);
                if let Some(flight) = self.flights.get_mut(&tag) {
                    flight.stage = Stage::Answer {
                        operation,
                        write,
                        answer,
                    };
                }
            }
            Stage::Answer { write, .. } => {
                let write = write.clone();
                let _ = self.write(&write);
            }
            Stage::List { .. } | Stage::Listed(_) => {}
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
        self.flights.retain(|_, flight| {
            flight.client != client || matches!(flight.stage, Stage::Call { .. })
        });
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
