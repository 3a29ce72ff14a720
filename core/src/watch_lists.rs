//! What a watch session does with lists, whole or in chunks.

use crate::error::Error;
use crate::event::{BadItem, Coverage, Event, Snapshot};
use crate::ids::{FetchToken, Timestamp};
use crate::resource::Resource;
use crate::watch_action::{CallId, ListCall, WatchAction};
use crate::watch_config::Resume;
use crate::watch_failure::WatchFailure;
use crate::watch_message::ListAnswer;
use crate::watch_session::{Listing, Purpose, Step, WatchSession};

impl<R: Resource> WatchSession<R> {
    /// Takes the answer of a list call, or that it could not be read. The chunks of a list are kept
    /// until the last one is there, and merged as one: so much memory as the list takes.
    ///
    /// # Errors
    ///
    /// The one that was handed in, for the driver to tell: the list counts as failed.
    pub fn handle_list(
        &mut self,
        call: CallId,
        answer: Result<ListAnswer<R>, Error>,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.advance(now);
        let Some(list) = self.listing(call) else {
            return Ok(());
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                self.list_failed(WatchFailure::network(error.to_string()));
                return Err(error);
            }
        };
        let base = list.count;
        list.count += answer.items.len() + answer.bad.len();
        list.items.extend(answer.items);
        list.bad.extend(answer.bad.into_iter().map(|bad| BadItem {
            position: base + bad.position,
            ..bad
        }));
        if list.chunks == 0 {
            // What changed between the chunks is told again from here on.
            list.version = answer.version;
        }
        list.chunks += 1;
        match answer.continue_token.filter(|token| !token.is_empty()) {
            Some(token) => self.ask_for_list(Some(token)),
            None => self.merge_list_told(),
        }
        Ok(())
    }

    /// The list call under way, if it is this one.
    pub(crate) fn listing(&mut self, call: CallId) -> Option<&mut Listing<R>> {
        self.list.as_mut().filter(|list| list.call == Some(call))
    }

    fn merge_list_told(&mut self) {
        let Some(list) = &mut self.list else { return };
        list.call = None;
        let version = list.version.take();
        let snapshot = Snapshot {
            items: std::mem::take(&mut list.items),
            bad: std::mem::take(&mut list.bad),
            coverage: Coverage::Complete,
            list_version: version.clone(),
            token: list.token,
        };
        self.apply(Event::Merge(snapshot), Purpose::List(version));
    }

    /// Asks for a list, or its next chunk.
    pub(crate) fn ask_for_list(&mut self, continue_token: Option<String>) {
        let call = self.next_call();
        let deadline = self.clock.plus_ms(self.config.list_timeout_ms);
        let Some(list) = &mut self.list else { return };
        (list.call, list.deadline) = (Some(call), deadline);
        let first = continue_token.is_none();
        let list = ListCall {
            call,
            limit: self.config.limit.filter(|_| !self.next_list.whole),
            continue_token,
            not_older_than: first.then(|| self.version_to_ask()).flatten(),
        };
        self.act(WatchAction::List(list));
    }

    /// The version that an answer must reach: so a list never goes back behind what is held.
    pub(crate) fn version_to_ask(&self) -> Option<String> {
        if self.next_list.fresh || self.config.resume != Resume::Version {
            return None;
        }
        let old = self.config.first_list_may_be_old.then(|| "0".to_string());
        self.position.version.clone().or(old)
    }

    /// The whole list is in the collection.
    pub(crate) fn list_merged(&mut self, version: Option<String>) {
        self.list = None;
        self.next_list.fresh = false;
        self.next_list.whole = false;
        let version = version.filter(|version| !version.is_empty());
        if self.config.resume != Resume::Version {
            self.pace.succeed(self.clock);
            return;
        }
        self.position.version = version;
        if self.position.version.is_some() {
            self.pace.succeed(self.clock);
            return;
        }
        // Without a version nothing can be watched; lists alone still keep it right.
        self.needs_list = true;
        let problem = "the list names no version from which to watch; name where it stands \
                       (Schema::list_version), or resume by Sequence or from Nowhere";
        let failure = WatchFailure::network(problem);
        self.pace.fail(failure, self.clock, &self.config);
    }

    /// A list came to nothing.
    pub(crate) fn list_failed(&mut self, failure: WatchFailure) {
        let Some(list) = self.list.take() else { return };
        self.needs_list = true;
        let next = &mut self.next_list;
        let gone = failure.is_expired() || failure.is_ahead();
        if !gone || (next.fresh && next.whole) {
            self.pace.fail(failure, self.clock, &self.config);
            return;
        }
        // The newest is always there; and a list in one piece does not expire.
        next.fresh = true;
        next.whole |= list.chunks > 0;
        next.not_before = None;
        self.pace.end(failure, self.clock, &self.config);
    }

    /// Gives up the list that is under way: another is needed.
    pub(crate) fn close_list(&mut self) {
        let Some(list) = &self.list else { return };
        if let Some(call) = list.call {
            self.close(call);
        }
        self.list = None;
        self.needs_list = true;
        let of_list = |purpose: &Purpose| matches!(purpose, Purpose::ListToken | Purpose::List(_));
        self.queue
            .retain(|step| !matches!(step, Step::Apply(_, purpose) if of_list(purpose)));
    }

    pub(crate) fn list_token_taken(&mut self, token: Option<FetchToken>) {
        if let Some(list) = &mut self.list {
            list.token = token;
            self.ask_for_list(None);
        }
    }
}
