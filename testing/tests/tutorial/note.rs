use resourcecache::Resource;

/// A note, as the server lists it.
#[derive(Clone, Debug, PartialEq)]
struct Note {
    id: String,
    text: String,
    /// When it was last edited, in milliseconds.
    edited: u64,
}

/// What the user typed, and when by the user's clock; `None` if nothing.
#[derive(Clone, Debug, PartialEq)]
struct Edit {
    text: Option<String>,
    at: u64,
}
