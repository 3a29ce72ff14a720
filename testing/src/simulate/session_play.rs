//! Plays what happens between a client's watch session, its driver and the server.

use resourcecache::{
    BadMessages, Error, Event, ListAnswer, Resume, StreamEvent, Timestamp, WatchAction, WatchEvent,
    WatchMessage,
};

use super::dice::Dice;
use super::law::{Broken, PACED};
use super::model::ServerModel;
use super::play::Play;
use super::session_laws as laws;
use super::watcher::{Asking, Watcher};
use super::watching::{Fault, Watching};

type Played<S, T = ()> = Result<T, Broken<<S as ServerModel>::Resource>>;

/// A session that has asked for so many things in a row is in a circle.
const ENDLESS: usize = 10_000;

impl<S: ServerModel> Play<S> {
    fn at(&self, index: usize) -> Timestamp {
        Timestamp(self.now + self.clients[index].ahead)
    }

    fn watcher(&mut self, index: usize) -> Option<&mut Watcher<S::Resource>> {
        self.clients[index].watcher.as_mut()
    }

    pub(crate) fn watching(&mut self, index: usize, act: &Watching) -> Played<S> {
        let at = self.at(index);
        let Some(watcher) = self.clients[index].watcher.as_mut() else {
            return Ok(());
        };
        match act {
            Watching::Drive { most } => return self.drive(index, *most),
            Watching::Answer { replica } => self.answer_list(index, *replica),
            Watching::Fail { list, fault } => self.fail_call(index, *list, *fault),
            Watching::Open { replica } => self.open_stream(index, *replica),
            Watching::Tell { most } => drop(self.tell(index, *most)),
            Watching::Repeat => {
                let last = watcher.stream.as_ref().and_then(|s| s.last.clone());
                if let Some((message, place)) = last {
                    self.hand_in(index, Ok(message), Some(place));
                }
            }
            Watching::Skip => {
                let config = watcher.config.clone();
                let numbered = config.resume != Resume::Version;
                if let Some(stream) = watcher.stream.as_mut().filter(|_| numbered) {
                    let _ = self.network.next_for(stream, 1, &config);
                }
            }
            Watching::Garble { refused } => self.garble(index, *refused),
            Watching::Bookmark => self.bookmark(index),
            Watching::Heard => {
                if let Some(stream) = &watcher.stream {
                    watcher.session.handle_heard(stream.call, at);
                }
            }
            Watching::Cut => self.end_stream(index, Some(Fault::Lost)),
            Watching::End => self.end_stream(index, None),
            Watching::Expire => {
                if let Some(call) = watcher.stream.as_ref().map(|s| s.call) {
                    let gone = StreamEvent::Observe(WatchEvent::Expired);
                    watcher.misses(call, "its stream has expired", at);
                    self.coverage.met("W5");
                    self.hand_in(index, Ok(gone.into()), None);
                }
            }
            Watching::Late => return self.late(index),
            Watching::Relist => watcher.session.relist(at),
            Watching::Online { online } => {
                watcher.session.set_online(*online, at);
                watcher.pace.forget();
            }
        }
        Ok(())
    }

    /// The driver does what the session asks for.
    pub(crate) fn drive(&mut self, index: usize, most: usize) -> Played<S> {
        for _ in 0..most.min(ENDLESS) {
            let (at, now, newest) = (self.at(index), self.now, self.network.newest());
            let Some(watcher) = self.watcher(index) else {
                return Ok(());
            };
            let Some(action) = watcher.session.poll(at) else {
                return laws::check_driven(&self.clients[index], at, &mut self.coverage);
            };
            let action = (self.tamper.action)(action);
            let Some(watcher) = self.watcher(index) else {
                return Ok(());
            };
            match action {
                WatchAction::Apply(event) => self.apply_watched(index, *event)?,
                WatchAction::List(call) => {
                    let first = call.continue_token.is_none();
                    watcher.asks(first, first, now);
                    watcher.list = Some(Asking { call, newest });
                    self.coverage.met("W4");
                    laws::check_pace(&self.clients[index], first, now)?;
                }
                WatchAction::Watch(call) => {
                    watcher.asks(true, call.initial_events, now);
                    let rule = if call.initial_events { "W6" } else { "W7" };
                    watcher.opening = Some(call);
                    self.coverage.met(rule);
                    laws::check_pace(&self.clients[index], true, now)?;
                }
                WatchAction::Close(call) => watcher.close(call),
            }
        }
        if most < ENDLESS {
            return Ok(());
        }
        let problem = format!("its session asked for {ENDLESS} things in a row");
        Err(self.clients[index].broken(PACED, problem))
    }

    fn apply_watched(&mut self, index: usize, event: Event<S::Resource>) -> Played<S> {
        let at = self.at(index);
        let before = self.clients[index].cache.clone();
        let meant = laws::meant(&self.clients[index], &event, at);
        let given = event.clone();
        let merges = matches!(event, Event::Merge(_));
        let (now, keep) = (self.now, self.world.config.stale_after_ms);
        if let Some(watcher) = self.watcher(index).filter(|_| merges) {
            watcher.was_late = now - watcher.asked_at >= i64::try_from(keep).unwrap_or(i64::MAX);
        }
        let applied = self.give_as(index, given, meant.unwrap_or(event.clone()), None)?;
        if let Event::Observe(WatchEvent::Failed { .. }) = event {
            self.coverage.met("W10");
            laws::check_failed(&self.clients[index], before, &event, at)?;
        }
        let client = &mut self.clients[index];
        let refusal = client.refusal.take();
        let refused = || Error::bad_input("the event", "it was not given");
        let applied = applied.ok_or_else(|| refusal.unwrap_or_else(refused));
        if let Some(watcher) = &mut client.watcher {
            watcher.session.handle_applied(applied.as_ref(), at);
        }
        Ok(())
    }

    /// Hands a message to the session; the last change that it tells has the number `place`.
    fn hand_in(
        &mut self,
        index: usize,
        message: Result<WatchMessage<S::Resource>, Error>,
        place: Option<usize>,
    ) {
        let at = self.at(index);
        let stands = place.map(|place| (place, self.network.version_at(place)));
        let tampered = message.clone().map(self.tamper.message);
        let Some(watcher) = self.clients[index].watcher.as_mut() else {
            return;
        };
        let Some(stream) = &mut watcher.stream else {
            return;
        };
        let call = stream.call;
        let mut missed = None;
        match &message {
            Ok(message) => {
                let all = |e: &StreamEvent<_>| matches!(e, StreamEvent::Snapshot(_));
                let number = message.sequence;
                let (gap, news) = match number.zip(stream.heard) {
                    Some((number, last)) => (number > last + 1, number > last),
                    None => (false, true),
                };
                if gap && !message.events.iter().any(all) {
                    missed = Some("a number was left out");
                }
                if gap || !news {
                    self.coverage.met("W9");
                }
                if news {
                    stream.heard = number.or(stream.heard);
                    stream.stands = stands.or(stream.stands.take());
                    stream.last = place.map(|place| (message.clone(), place));
                }
            }
            Err(_) => {
                self.coverage.met("W8");
                if watcher.config.bad_messages == BadMessages::Relist {
                    missed = Some("a message could not be read");
                }
            }
        }
        if let Some(missed) = missed {
            watcher.misses(call, missed, at);
        }
        // Its answer is what was handed in.
        let _ = watcher.session.handle_message(call, tampered, at);
    }

    fn answer_list(&mut self, index: usize, replica: usize) {
        let (at, now) = (self.at(index), self.now);
        let Some(watcher) = self.clients[index].watcher.as_mut() else {
            return;
        };
        let Some(asking) = watcher.list.take() else {
            return;
        };
        let call = asking.call.call;
        watcher.is_over(call);
        match self.network.list_for(&asking, replica, &watcher.config) {
            // What the session makes of it is seen by the laws.
            Ok(answer) => drop(watcher.session.handle_list(call, Ok(answer), at)),
            Err(failure) => {
                watcher.misses(call, "its list has expired", at);
                watcher.fail(call, failure, now, at);
                self.coverage.met("W5");
            }
        }
    }

    fn fail_call(&mut self, index: usize, list: bool, fault: Fault) {
        let (at, now) = (self.at(index), self.now);
        let Some(watcher) = self.clients[index].watcher.as_mut() else {
            return;
        };
        let call = if list {
            let asked = watcher.list.take();
            asked.map(|asked| (asked.call.call, true))
        } else {
            let asked = watcher.opening.take();
            asked.map(|asked| (asked.call, asked.initial_events))
        };
        let Some((call, missed)) = call else { return };
        let failure = fault.failure();
        if missed || failure.is_expired() || failure.is_ahead() {
            watcher.misses(call, "its call failed", at);
        }
        watcher.is_over(call);
        watcher.fail(call, failure, now, at);
        let rule = match fault {
            Fault::Expired | Fault::Ahead => "W5",
            Fault::Refused if !list => "W6",
            _ => "W7",
        };
        self.coverage.met(rule);
    }

    fn open_stream(&mut self, index: usize, replica: usize) {
        let (at, now) = (self.at(index), self.now);
        let Some(watcher) = self.clients[index].watcher.as_mut() else {
            return;
        };
        let Some(call) = watcher.opening.take() else {
            return;
        };
        match self.network.open_for(&call, replica, &watcher.config) {
            Ok((stream, hello)) => {
                let place = stream.next - 1;
                watcher.stream = Some(stream);
                watcher.session.handle_opened(call.call, at);
                if let Some(hello) = hello {
                    self.hand_in(index, Ok(hello), Some(place));
                }
            }
            Err(failure) => {
                watcher.misses(call.call, "where its stream stood has expired", at);
                watcher.is_over(call.call);
                watcher.fail(call.call, failure, now, at);
                self.coverage.met("W5");
            }
        }
    }

    /// The next message; whether there is one.
    pub(crate) fn tell(&mut self, index: usize, most: usize) -> bool {
        let Some(watcher) = self.clients[index].watcher.as_mut() else {
            return false;
        };
        let Some(stream) = &mut watcher.stream else {
            return false;
        };
        let next = self.network.next_for(stream, most, &watcher.config);
        let Some((message, place)) = next else {
            return false;
        };
        self.hand_in(index, Ok(message), Some(place));
        true
    }

    /// A message arrives that is of no use, in place of one that matters unless such are passed over.
    fn garble(&mut self, index: usize, refused: bool) {
        let at = self.at(index);
        let Some(watcher) = self.clients[index].watcher.as_mut() else {
            return;
        };
        let Some(stream) = &mut watcher.stream else {
            return;
        };
        if stream.initial.is_some() {
            return;
        }
        let relists = watcher.config.bad_messages == BadMessages::Relist;
        let (call, number, next) = (stream.call, stream.heard, stream.next);
        if relists && self.network.next_for(stream, 1, &watcher.config).is_none() {
            return;
        }
        let nameless = self.network.server.invent("", &mut Dice::new(0));
        let empty = resourcecache::Resource::id(&nameless).is_empty();
        let numbered = watcher.config.resume != Resume::Version;
        // Where numbers are counted, one that is of no use has one too.
        let sequence = numbered.then_some(next as u64);
        if !(refused && empty && relists && (!numbered || number.is_some())) {
            let error = Error::bad_input("watch message", "it cannot be read");
            self.hand_in(index, Err(error), None);
            return;
        }
        watcher.misses(call, "the collection refused what its stream told", at);
        self.coverage.met("W8");
        let message = WatchMessage {
            sequence,
            ..WatchEvent::Added(nameless).into()
        };
        self.hand_in(index, Ok(message), Some(next));
    }

    pub(crate) fn bookmark(&mut self, index: usize) {
        let Some(watcher) = self.clients[index].watcher.as_mut() else {
            return;
        };
        let by_version = watcher.config.resume == Resume::Version;
        let stream = watcher.stream.as_ref();
        let Some(stream) = stream.filter(|s| by_version && s.initial.is_none()) else {
            return;
        };
        let told = stream.next - 1;
        let version = Some(self.network.version_at(told));
        let bookmark = WatchEvent::Bookmark { version };
        self.hand_in(index, Ok(bookmark.into()), Some(told));
    }

    /// The stream is at its end, as streams end or by a failure.
    pub(crate) fn end_stream(&mut self, index: usize, fault: Option<Fault>) {
        let (at, now) = (self.at(index), self.now);
        let Some(watcher) = self.clients[index].watcher.as_mut() else {
            return;
        };
        let Some(call) = watcher.stream.as_ref().map(|s| s.call) else {
            return;
        };
        watcher.close(call);
        match fault {
            Some(fault) => {
                let failure = fault.failure();
                watcher.fail(call, failure, now, at);
            }
            None => watcher.session.handle_closed(call, at),
        }
        self.coverage.met("W7");
    }

    /// What comes of calls that are over is passed over (W8).
    fn late(&mut self, index: usize) -> Played<S> {
        let at = self.at(index);
        let body = self.network.server.invent("late", &mut Dice::new(1));
        let Some(watcher) = self.watcher(index) else {
            return Ok(());
        };
        let mut told = watcher.session.clone();
        told.handle_timeout(at);
        let untold = told.clone();
        for call in watcher.over.clone() {
            let message = WatchEvent::Added(body.clone()).into();
            let answer = ListAnswer {
                items: Vec::new(),
                bad: Vec::new(),
                version: Some("1".into()),
                continue_token: None,
            };
            let late = [
                told.handle_message(call, Ok(message), at),
                told.handle_list(call, Ok(answer), at),
            ];
            debug_assert!(late.iter().all(Result::is_ok));
            told.handle_failed(call, Fault::Expired.failure(), at);
            told.handle_closed(call, at);
        }
        watcher.session = told.clone();
        self.coverage.met("W8");
        laws::check_late(&self.clients[index], untold, told, at)
    }
}
