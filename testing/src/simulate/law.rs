//! The laws by name, and what breaking one comes to.

use std::fmt;

use resourcecache::Resource;

/// Something that must always hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Law {
    /// A few words to call it by.
    pub name: &'static str,
    /// What it says.
    pub says: &'static str,
    /// The rules of the model that it comes from; none for what goes without saying.
    pub rules: &'static [&'static str],
}

macro_rules! laws {
    ($($ident:ident = $name:literal, $says:literal, $rules:expr;)*) => {
        $(pub(crate) const $ident: Law = Law { name: $name, says: $says, rules: &$rules };)*

        /// Every law.
        pub const LAWS: &[Law] = &[$($ident),*];
    };
}

laws! {
    NO_PANIC = "no panic",
        "nothing panics, whatever comes in whatever order", [];
    STEPS_END = "an end",
        "doing what is due ends: after a bounded number of timeouts none is left", ["T2"];
    ONE_ROW = "one row",
        "no id is in the list twice", ["C2", "S2"];
    ONE_KEY = "one key",
        "a row that stays in the list keeps its key, and no two rows share one", ["V6"];
    HIDDEN_BY_STATE = "hidden by state",
        "what is being deleted, or gone, is not in the list", ["V1"];
    DELETED_HIDDEN = "deleted stays hidden",
        "a resource that this client has deleted is not shown while its guard lasts, unless the deletion failed, was \
         taken back, or proof shows that it is another resource",
        ["D1", "D3", "D6", "G1", "G2", "S6", "V1"];
    CREATED_SHOWN = "created stays shown",
        "a creation's row is shown until it is answered, and then while its guard lasts, unless it failed, was given \
         up or taken back, or the server says that it is gone",
        ["C1", "C2", "G1", "G2"];
    EDIT_SHOWN = "an edit shows",
        "the newest edit of a field shows its value for as long as it is not answered", ["U1", "V4", "L15"];
    EDIT_KEPT = "an edit does not jump back",
        "a field of an answered update is not shown with the value from before it while its guard lasts, unless the \
         server has shown something new",
        ["U2", "U6", "G1", "G2"];
    GUARD_DECIDES = "no hasty end",
        "nothing ends as not confirmed or stale before its guard is over", ["G3", "K1"];
    ONE_OUTCOME = "one outcome",
        "every operation ends with one outcome, and has another only when it failed and was attempted or accepted \
         again, or was seen to have worked",
        ["L7", "L14"];
    CHANGES_LEAD = "changes lead on",
        "the changes that an event answers lead from the old list to the new one, order included", [];
    SINCE_LEADS = "changes since",
        "the changes since an earlier revision lead from the list as it was then to the list as it is", [];
    REFUSED_IS_NOTHING = "refused is nothing",
        "an event that is refused changes no byte of the state", [];
    LOADED_GOES_ON = "loaded goes on",
        "a state that was saved and loaded shows the same, and goes on in the same way", ["R1"];
    REPLAYED = "replayed",
        "the same events lead to the same state, byte for byte", ["R1"];
    AHEAD = "deadlines lie ahead",
        "the next timeout is never in the past", ["T2"];
    OFFLINE_HOLDS = "offline holds",
        "offline, the outbox hands out no attempt", ["K2"];
    NOT_BEFORE = "not before its time",
        "no attempt is handed out before the time that the user, `Retry-After` or the policy has given", ["O5", "O7"];
    IN_ORDER = "in order",
        "on one resource, what was queued is sent in its order, each after the answer to the one before; what is to be \
         deleted needs no other change",
        ["O1", "O3", "O6"];
    UNDER_WAY = "so many under way",
        "no more attempts are under way at a time than `max_under_way`", ["O1"];
    ONE_KEY_EACH = "one key each",
        "all attempts of an operation have one key, also after a restart, and no other operation has it", ["O2"];
    CARRIES_ALL = "carries what was asked",
        "an attempt asks for what the user did, and for the edits behind it that go along, in their order", ["O3"];
    PATIENCE = "so many attempts",
        "attempts are counted one by one, and the policy's number is not exceeded", ["O5"];
    DONE_ONCE = "done once",
        "a server that honours the key does what was queued once, unless the user asked again after a failure",
        ["O2", "O3", "O4"];
    NOTHING_LOST = "nothing queued is lost",
        "what was queued is not given up as stale, and is cancelled by nobody but the user, or with what it hung on",
        ["K2", "O3", "O6"];
    ALL_DONE = "said to be done is done",
        "what was queued, and ended well, was done by the server", ["O1", "O8"];
    PROGRESS_GROWS = "progress grows",
        "progress is from 0 to 100, and never falls unless it is reported so", ["P1", "M2"];
    COMPLETE_CLEARED = "complete, then cleared",
        "what a stage has completed is shown as complete for its time, and then cleared", ["P4", "T4"];
    STAGE_ENDS = "a stage ends it",
        "where a stage of its plan ends it, a process is done by that or by the user's word, and by nothing else",
        ["P4"];
    UNDO_REDO = "undone and redone",
        "undoing all steps, and redoing them, shows the same where nothing was in the way", ["H2"];
    UNDO_OWN = "its own undone",
        "undo and redo change the resources and fields that the user's steps were about, and no others", ["H3"];
    NEW_STEP = "a new step",
        "after a new step nothing can be redone", ["H1"];
    HISTORY_BOUNDED = "a bounded history",
        "no more steps and bytes are kept than the settings say, and none once they are cleared", ["H5"];
    WAITS = "a session waits for something",
        "a watch session whose driver has done all that it asked for has a call under way or a time to be woken at, and \
         that lies ahead", ["T2", "W7"];
    PACED = "a session keeps its pace",
        "a watch session makes few calls at one time; after a failure none before the wait is over; and where a server is \
         down for a minute, no more than its waits allow, and some", ["W7"];
    KEEPS_UP = "nothing holds up the stream",
        "a watch session stands where its stream does as soon as its driver has done what it asked for, whatever is \
         pending", ["W2", "W7"];
    MISSED_LISTED = "what was missed is listed",
        "after a gap, an expiry, a message that could not be read, or a list that failed, a watch session does not say \
         where it stands before it has asked for all there is", ["W4", "W5", "W6", "W8", "W9"];
    OVER_IS_NOTHING = "what is over is passed over",
        "what comes of calls that are over changes nothing", ["W8"];
    FAILS_AS_FAIL = "an event fails as `fail` does",
        "an event that fails an operation does what `fail` does to the one that has its key, and nothing where none is \
         under way", ["W10"];
    SAME_AS_LIST = "a stream ends as a list",
        "when all is quiet, what streams that broke, repeated, skipped and lagged have led to shows what a fresh list \
         would, order apart, unless asking again is of use", ["W2", "W4", "W5", "W6", "W8", "W9"];
    SYNCED = "synced in the end",
        "when all is quiet, a watch session comes to be synced", ["W4", "W7"];
    TRUTH = "the truth in the end",
        "when all is quiet, guards are over and a fresh list has come, the list is the server's", ["G3", "D2", "U3", "C3"];
    ALL_SETTLED = "settled in the end",
        "then nothing is unsettled, and there is no reason to ask again", ["K1", "L10"];
}

/// What should have been seen instead.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expected<R: Resource> {
    /// The list has these ids, in this order.
    Visible(Vec<String>),
    /// The resource shows these values.
    Shows(String, Vec<R::Patch>),
    /// The list has these resources, and nothing is left to ask for.
    Truth(Vec<R>),
    /// The list has these resources, in any order.
    Bodies(Vec<(String, R)>),
    /// The resource's progress is this.
    Progress(String, Option<f64>),
    /// The outbox hands out nothing.
    NoAttempt,
    /// Something that a scenario cannot say, or that its runner checks by itself.
    Other,
}

/// A law that does not hold for a client.
#[derive(Clone, Debug)]
pub(crate) struct Broken<R: Resource> {
    pub(crate) law: Law,
    pub(crate) client: usize,
    pub(crate) problem: String,
    pub(crate) expected: Box<Expected<R>>,
}

/// A law that was broken: by which history, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// The law.
    pub law: Law,
    /// The seed of the history.
    pub seed: u64,
    /// The number of the step, from 0; the number of steps when it was at rest.
    pub step: usize,
    /// The client whose cache it was, from 0.
    pub client: usize,
    /// What was seen.
    pub problem: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "seed {}, step {}, client {}: {}: {}",
            self.seed, self.step, self.client, self.law.name, self.problem
        )
    }
}
