//! Who of several instances does what only one may do, such as sending a collection's outbox.

/// What [`Store::acquire`](crate::Store::acquire) answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leased {
    /// The caller holds it until it expires, unless it is acquired again before.
    Held(Fence),
    /// Another holds it.
    Taken {
        /// Who.
        holder: String,
        /// When it expires if it is not renewed: in so many milliseconds.
        for_ms: u64,
    },
}

impl Leased {
    /// The fence, where the caller holds the lease.
    pub fn fence(&self) -> Option<&Fence> {
        match self {
            Self::Held(fence) => Some(fence),
            Self::Taken { .. } => None,
        }
    }
}

/// The proof of a lease: a commit that carries it is refused once another has held the lease since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// The lease's name.
    pub lease: String,
    /// The fencing token: each holder's is greater than the one's before; who renews keeps its own.
    pub token: u64,
}
