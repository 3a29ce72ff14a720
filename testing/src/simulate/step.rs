//! The steps of a history. Each says all that it needs, so that it can be played again without
//! dice, and is nothing where what it speaks of is not there: a history stays one when steps are
//! taken out of it.

use resourcecache::Resource;

use super::watching::Watching;
use super::world::World;

/// Names an operation or a message of a history.
pub type Tag = usize;

/// One thing that happens in a world.
#[derive(Clone, Debug, PartialEq)]
pub enum Step<R: Resource> {
    /// Time passes.
    Wait {
        /// How much, in milliseconds.
        ms: i64,
    },
    /// A client does something.
    Client {
        /// Which, from 0.
        client: usize,
        /// What.
        act: Act<R>,
    },
    /// The primary gets a call, and does what it asks.
    Serve {
        /// The call.
        flight: Tag,
    },
    /// A replica reads what a list call asked for.
    Read {
        /// The call.
        flight: Tag,
        /// Which replica, from 0.
        replica: usize,
    },
    /// The primary is too busy to do what a call asks, and says so: 503.
    Refuse {
        /// The call.
        flight: Tag,
        /// Its `Retry-After`, in milliseconds, if it has one.
        after_ms: Option<u64>,
    },
    /// An answer arrives.
    Deliver {
        /// The call that it answers.
        flight: Tag,
        /// Whether it may arrive once more.
        again: bool,
    },
    /// A message is lost.
    Lose {
        /// The call, or its answer.
        flight: Tag,
    },
    /// A replica takes over changes of the primary.
    CatchUp {
        /// Which replica, from 0.
        replica: usize,
        /// How many changes.
        by: usize,
    },
    /// The server forgets its past, so that streams cannot go on from it.
    Compact {
        /// It remembers so many changes.
        keep: usize,
    },
    /// Somebody else writes.
    Other {
        /// What.
        write: Write<R>,
    },
}

/// What a client does.
#[derive(Clone, Debug, PartialEq)]
pub enum Act<R: Resource> {
    /// Calls `handle_timeout`.
    Tick,
    /// Its clock is set back.
    StepBack {
        /// By how many milliseconds.
        ms: i64,
    },
    /// Writes its state down.
    Save,
    /// Dies, and comes back with the state that it wrote last.
    Crash,
    /// Is doubled: what is loaded from its state must go on as it does.
    Double,
    /// A reader catches up by `changes_since`.
    CatchUp,
    /// Begins an operation.
    Begin {
        /// Its name.
        operation: Tag,
        /// What it is to do.
        write: Write<R>,
        /// Its own TTL in milliseconds, if it has one.
        ttl_ms: Option<u64>,
        /// Who sends it, and whether it can be undone.
        how: How,
    },
    /// Begins several operations as one step.
    Batch {
        /// The name of the first; the others have those that follow.
        operation: Tag,
        /// What they are to do.
        writes: Vec<Write<R>>,
        /// Who sends them, and the step's label.
        how: How,
    },
    /// Begins work that changes no field.
    Process {
        /// Its name.
        operation: Tag,
        /// On which resource.
        id: String,
        /// Who sends it.
        how: How,
    },
    /// Sends the attempt that the outbox hands out, and writes the state down before.
    Poll {
        /// The call's name.
        flight: Tag,
    },
    /// Sends the attempt of an operation that is under way once more, as after a restart.
    Resend {
        /// The operation.
        operation: Tag,
        /// The call's name.
        flight: Tag,
    },
    /// Loses the network, or has it again.
    Online {
        /// Whether there is one.
        online: bool,
    },
    /// Undoes the last step.
    Undo {
        /// The name of the first operation that it begins; the others have those that follow.
        operation: Tag,
    },
    /// Redoes the step that was undone last.
    Redo {
        /// As for `Undo`.
        operation: Tag,
    },
    /// Forgets all steps.
    ClearHistory,
    /// On a copy of its cache, undoes all steps and redoes them.
    BackAndForth,
    /// Sends the call of an operation.
    Send {
        /// The operation.
        operation: Tag,
        /// The call's name.
        flight: Tag,
    },
    /// Waits no longer for an answer.
    GiveUp {
        /// The operation.
        operation: Tag,
        /// Whether it is to try again.
        retry: bool,
    },
    /// Tries again.
    Attempt {
        /// The operation.
        operation: Tag,
    },
    /// Takes an operation back.
    Cancel {
        /// The operation.
        operation: Tag,
    },
    /// Says that work is done.
    Complete {
        /// The resource.
        id: String,
    },
    /// Reports progress.
    Progress {
        /// The resource.
        id: String,
        /// From 0 to 100; others are refused.
        percent: i32,
    },
    /// Reports that the newest operation of a resource has come to a stage.
    Reach {
        /// The resource.
        id: String,
        /// The stage.
        stage: String,
        /// How much of it is done, from 0 to 100, if that is known.
        part: Option<i32>,
    },
    /// Ends all that runs on a resource.
    Revert {
        /// The resource.
        id: String,
    },
    /// Drops a resource.
    Remove {
        /// The resource.
        id: String,
    },
    /// Gives up what is old.
    Cleanup {
        /// How old, in milliseconds.
        ms: u64,
    },
    /// Asks for the list, or a part of it.
    Ask {
        /// The call's name.
        flight: Tag,
        /// What it asks for.
        what: Asked,
    },
    /// Opens a watch stream behind so many of the server's changes.
    Watch {
        /// At which replica, from 0.
        replica: usize,
        /// The first change that it tells has this number.
        from: usize,
    },
    /// Takes the next event of its stream.
    Next,
    /// Takes a bookmark from its stream.
    Bookmark,
    /// Its stream breaks.
    Break,
    /// Its stream has forgotten where it was: `expired`.
    Expire,
    /// Something happens to its watch session.
    Watching(Watching),
}

/// How a user begins an operation.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct How {
    /// Left to the outbox, and sent so many milliseconds later; `None`: the client sends it.
    pub queue: Option<u64>,
    /// The label of the step that it is; `None`: it is none.
    pub label: Option<String>,
}

/// What a list call asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The whole list.
    All,
    /// The page that begins with this place.
    Page(usize),
    /// One resource.
    One(String),
}

/// A change at the server.
#[derive(Clone, Debug, PartialEq)]
pub enum Write<R: Resource> {
    /// A new resource.
    Create(R),
    /// A change of some fields.
    Update {
        /// The resource.
        id: String,
        /// The fields.
        patch: R::Patch,
    },
    /// Several changes of a resource, as one.
    Updates {
        /// The resource.
        id: String,
        /// The changes, the oldest first.
        patches: Vec<R::Patch>,
    },
    /// Work on a resource that changes no field at once.
    Process {
        /// The resource.
        id: String,
    },
    /// A deletion.
    Delete {
        /// The resource.
        id: String,
    },
}

/// A world, and what happened in it.
#[derive(Clone, Debug, PartialEq)]
pub struct History<R: Resource> {
    /// The world.
    pub world: World,
    /// What happened, in order.
    pub steps: Vec<Step<R>>,
}
