//! What the server tells watch sessions: lists from its past, streams from any place in it.

use std::collections::VecDeque;

use resourcecache::{
    ListAnswer, ListCall, Resource as _, Resume, Snapshot, StreamEvent, WatchCall, WatchConfig,
    WatchEvent, WatchFailure, WatchMessage,
};

use super::model::ServerModel;
use super::network::Network;
use super::watcher::{Asking, Open};
use super::watching::Fault;

/// A new stream, and its first message.
pub(crate) type Opened<R> = (Open<R>, Option<WatchMessage<R>>);

impl<S: ServerModel> Network<S> {
    /// The version of the list after a change: the server's, or one of no order.
    pub(crate) fn version_at(&self, place: usize) -> String {
        let own = self.past[place].version.clone();
        own.unwrap_or_else(|| format!("p{place}"))
    }

    /// The last change of a version.
    fn place_of(&self, version: &str) -> usize {
        let own = |m: &super::network::Moment<S::Resource>| m.version.as_deref() == Some(version);
        let other = || version.strip_prefix('p')?.parse().ok();
        let place = self.past.iter().rposition(own).or_else(other);
        place.unwrap_or(0).min(self.newest())
    }

    /// All that happened before the last `keep` changes is told no more.
    pub(crate) fn compact(&mut self, keep: usize) {
        self.compacted = self.compacted.max(self.newest().saturating_sub(keep));
    }

    fn replica(&self, replica: usize) -> usize {
        self.replicas[replica % self.replicas.len()]
    }

    /// What a call must reach: the version that it names, the newest where it names none. Any replica
    /// has the one, and waits for it; where the other is lists that stand beside a stream, what was
    /// new when they were asked for.
    fn place_for(&self, version: Option<&str>, replica: usize, newest: Option<usize>) -> usize {
        let old = self.replica(replica).max(self.compacted);
        match (version, newest) {
            (Some("0"), _) => old,
            (Some(version), _) => old.max(self.place_of(version)),
            (None, Some(newest)) => old.max(newest),
            (None, None) => self.newest(),
        }
    }

    /// A replica's answer to a list call of a session.
    pub(crate) fn list_for(
        &self,
        asking: &Asking,
        replica: usize,
        config: &WatchConfig,
    ) -> Result<ListAnswer<S::Resource>, WatchFailure> {
        let call: &ListCall = &asking.call;
        let by_version = config.resume == Resume::Version;
        let token = call.continue_token.as_deref();
        let token = token.and_then(|token| token.split_once(':'));
        let token =
            token.and_then(|(place, first)| Some((place.parse().ok()?, first.parse().ok()?)));
        let (place, first): (usize, usize) = match token {
            Some((place, _)) if place < self.compacted => {
                return Err(WatchFailure::status(410, "the token is too old"));
            }
            Some(token) => token,
            None => {
                let newest = (!by_version).then_some(asking.newest);
                let version = call.not_older_than.as_deref();
                (self.place_for(version, replica, newest), 0)
            }
        };
        let list = &self.past[place].list;
        let limit = call.limit.map_or(usize::MAX, |limit| limit as usize);
        let end = first.saturating_add(limit).min(list.len());
        Ok(ListAnswer {
            items: list[first.min(end)..end].to_vec(),
            bad: Vec::new(),
            version: match by_version {
                true => Some(self.version_at(place)),
                false => self.past[place].version.clone(),
            },
            continue_token: (end < list.len()).then(|| format!("{place}:{end}")),
        })
    }

    /// Opens a stream of a session.
    pub(crate) fn open_for(
        &self,
        call: &WatchCall,
        replica: usize,
        config: &WatchConfig,
    ) -> Result<Opened<S::Resource>, WatchFailure> {
        let by_version = config.resume == Resume::Version;
        let from = match config.resume {
            Resume::Version => call.version.as_deref().map(|v| self.place_of(v)),
            Resume::Sequence => call
                .sequence
                .and_then(|number| usize::try_from(number).ok()),
            Resume::Nowhere => None,
        };
        let (place, initial) = if call.initial_events {
            let version = call.version.as_deref().filter(|_| by_version);
            let place = self.place_for(version, replica, None);
            let items = by_version.then(|| self.past[place].list.iter().cloned().collect());
            (place, items)
        } else {
            let place = from.unwrap_or(self.replica(replica));
            if from.is_some_and(|from| from < self.compacted) {
                return Err(Fault::Expired.failure());
            }
            (place, None::<VecDeque<_>>)
        };
        let stream = Open {
            call: call.call,
            replica,
            next: place + 1,
            initial,
            last: None,
            heard: call
                .sequence
                .filter(|_| config.resume == Resume::Sequence && !call.initial_events),
            stands: None,
        };
        let mut events = Vec::new();
        if config.awaits_ready {
            events.push(StreamEvent::Ready);
        }
        if call.initial_events {
            let all = Snapshot::complete(self.past[place].list.to_vec());
            events.push(StreamEvent::Snapshot(all));
        }
        // Before a number is known, nobody can know what is lost.
        let hello = (!by_version).then(|| WatchMessage {
            events,
            version: None,
            sequence: Some(place as u64),
        });
        Ok((stream, hello))
    }

    /// The next message of a stream, and the number of its last change.
    pub(crate) fn next_for(
        &self,
        stream: &mut Open<S::Resource>,
        most: usize,
        config: &WatchConfig,
    ) -> Option<(WatchMessage<S::Resource>, usize)> {
        if let Some(items) = &mut stream.initial {
            let told = stream.next - 1;
            if let Some(item) = items.pop_front() {
                return Some((WatchEvent::Added(item).into(), told));
            }
            stream.initial = None;
            let end = WatchMessage {
                version: Some(self.version_at(told)),
                ..StreamEvent::InitialEnd.into()
            };
            return Some((end, told));
        }
        let by_version = config.resume == Resume::Version;
        let known = self.replica(stream.replica);
        let most = if by_version { most.max(1) } else { 1 };
        let end = stream.next.saturating_add(most).min(known + 1);
        if stream.next >= end {
            return None;
        }
        let moments = &self.past[stream.next..end];
        let events = moments.iter().filter_map(|m| m.told.clone());
        stream.next = end;
        let last = end - 1;
        // Where a resource has the list's version, the message names none.
        let named = match &self.past[last].told {
            Some(
                WatchEvent::Added(item) | WatchEvent::Modified(item) | WatchEvent::Deleted(item),
            ) => item.version(),
            _ => None,
        };
        let names = named.is_some() && named == self.past[last].version.as_deref();
        let message = WatchMessage {
            events: events.map(StreamEvent::Observe).collect(),
            version: (by_version && !names).then(|| self.version_at(last)),
            sequence: (!by_version).then_some(last as u64),
        };
        Some((message, last))
    }
}
