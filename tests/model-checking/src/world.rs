//! What a world is made of: who asks for what, what the server gives, how time goes.

use resourcecache_testing::FIELD_COUNT;

/// How long an operation guards, in ms.
pub const TTL_MS: i64 = 15;
/// After how long one that is not heard of is given up.
pub const STALE_MS: i64 = 25;
/// The times that there are. Users begin operations at the first; the server and its answers act at
/// all but the last, at which every guard is over and everything unanswered is stale.
pub const TIMES: [i64; 3] = [0, 20, 60];

/// The resource that is there from the start.
pub const OLD: &str = "a";
/// The temporary id of the one that is created, and its token.
pub const TEMPORARY: &str = "t";
/// The id that the server gives it.
pub const NEW: &str = "b";

/// What a user asks for, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    /// A new resource.
    Create,
    /// A value for a field. No two operations set the same.
    Update {
        /// The resource.
        id: &'static str,
        /// Its field.
        field: usize,
        /// The value.
        value: i64,
    },
    /// The end of a resource.
    Delete {
        /// The resource.
        id: &'static str,
    },
    /// Work on a resource, which the server refuses.
    Process {
        /// The resource.
        id: &'static str,
    },
}

impl Ask {
    /// The resource, as the client names it.
    pub fn id(self) -> &'static str {
        match self {
            Self::Create => TEMPORARY,
            Self::Update { id, .. } | Self::Delete { id } | Self::Process { id } => id,
        }
    }

    /// The same as the server names it.
    pub fn real_id(self) -> &'static str {
        match self.id() {
            TEMPORARY => NEW,
            id => id,
        }
    }

    /// Whether the server refuses it whatever it has.
    pub(crate) fn is_refused(self) -> bool {
        matches!(self, Self::Process { .. })
    }

    /// What an update sets.
    pub(crate) fn patch(self) -> Option<[Option<i64>; FIELD_COUNT]> {
        let Self::Update { field, value, .. } = self else {
            return None;
        };
        let mut patch = [None; FIELD_COUNT];
        patch[field] = Some(value);
        Some(patch)
    }
}

/// A mistake that is planted, to be found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mistake {
    /// None.
    #[default]
    No,
    /// The clients take their marks off a resource when its call has returned.
    MarkTakenOff,
    /// The clients guard nothing: their TTL is 0.
    NoTtl,
}

/// A world to explore.
#[derive(Clone, Debug)]
pub struct World {
    /// Its name.
    pub name: &'static str,
    /// Who asks for what: a client, 0 or 1, each in any order.
    pub asks: Vec<(usize, Ask)>,
    /// Whether the server gives versions and uids, and answers an update with the resource.
    pub versions: bool,
    /// Who lists. What a client shows depends on the other only by what that does at the server: to
    /// look at one at a time is much less work than at both, and finds the same.
    pub lists: Vec<usize>,
    /// Whether a list may arrive later than it was taken, so that others overtake it.
    pub slow_lists: bool,
    /// What is wrong with it.
    pub mistake: Mistake,
}

impl World {
    /// The worlds with everybody listing.
    fn whole() -> Vec<Self> {
        let two_users = vec![
            (0, Ask::Delete { id: OLD }),
            (
                1,
                Ask::Update {
                    id: OLD,
                    field: 0,
                    value: 1,
                },
            ),
            (1, Ask::Create),
            (0, Ask::Process { id: NEW }),
        ];
        let one_row = vec![
            (0, Ask::Create),
            (
                0,
                Ask::Update {
                    id: TEMPORARY,
                    field: 1,
                    value: 2,
                },
            ),
            (0, Ask::Delete { id: TEMPORARY }),
            (
                1,
                Ask::Update {
                    id: NEW,
                    field: 2,
                    value: 3,
                },
            ),
        ];
        let world = |name, asks: &Vec<_>, versions| Self {
            name,
            asks: asks.clone(),
            versions,
            lists: vec![0, 1],
            slow_lists: false,
            mistake: Mistake::No,
        };
        vec![
            world("two users, no versions", &two_users, false),
            world("two users, versions", &two_users, true),
            world("one row, no versions", &one_row, false),
            world("one row, versions", &one_row, true),
        ]
    }

    /// With one client at a time that lists: small enough for every day.
    pub fn small() -> Vec<Self> {
        let mut all = Self::one_by_one();
        all.retain(|world| world.name != "one row, versions");
        all
    }

    /// Those that take longer, those of two users with everybody listing, and those with lists that
    /// overtake each other.
    pub fn large() -> Vec<Self> {
        let mut all = Self::one_by_one();
        let slow: Vec<Self> = all.iter().cloned().map(Self::slow).collect();
        all.retain(|world| world.name == "one row, versions");
        let two_users = Self::whole().into_iter().chain(slow);
        all.extend(two_users.filter(|world| world.name.starts_with("two users")));
        all
    }

    fn one_by_one() -> Vec<Self> {
        let one = |world: Self| {
            [0, 1].map(|client| Self {
                lists: vec![client],
                ..world.clone()
            })
        };
        Self::whole().into_iter().flat_map(one).collect()
    }

    fn slow(self) -> Self {
        Self {
            slow_lists: true,
            ..self
        }
    }
}
