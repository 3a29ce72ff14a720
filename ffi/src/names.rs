//! The core's plain enums, word by word.

use serde::Serialize;

/// The same enum as the core's, with a way there and back.
macro_rules! mirror {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, uniffi::Enum)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl From<resourcecache::$name> for $name {
            fn from(value: resourcecache::$name) -> Self {
                match value {
                    $(resourcecache::$name::$variant => Self::$variant,)*
                }
            }
        }

        impl From<$name> for resourcecache::$name {
            fn from(value: $name) -> Self {
                match value {
                    $($name::$variant => Self::$variant,)*
                }
            }
        }
    };
}

mirror! {
    /// What an operation does to its resource.
    Kind {
        /// Makes the resource.
        Create,
        /// Changes some of its fields.
        Update,
        /// Anything that takes time and changes no field that this client knows.
        Process,
        /// Removes it.
        Delete,
    }
}

mirror! {
    /// The status of a resource. An idle, created or updated resource has none.
    Status {
        /// It is being deleted, or was and is guarded by its tombstone.
        Deleting,
        /// It is being created.
        Creating,
        /// It is being changed.
        Updating,
        /// Something else goes on, or was just completed.
        Processing,
        /// An attempt failed, and another is to come.
        Retrying,
    }
}

mirror! {
    /// How the server's versions compare. Nothing is assumed about an opaque one but equality.
    VersionOrder {
        /// Equal or not, such as an HTTP `ETag`.
        Opaque,
        /// Decimal integers of any length, such as Kubernetes' `resourceVersion`.
        Integer,
        /// RFC 3339 times.
        Timestamp,
    }
}

mirror! {
    /// Where resources stand that the server does not list yet.
    NewItems {
        /// Before the list, the newest first.
        Start,
        /// After the list, the newest last.
        End,
    }
}

mirror! {
    /// What a final failure leaves on screen.
    OnFailure {
        /// The server's values at once, with the error for a while.
        Revert,
        /// The user's values, marked failed, until the user retries or drops them.
        Keep,
    }
}

mirror! {
    /// What a list with items that have no id leads to.
    BadItems {
        /// The list is refused whole.
        Reject,
        /// They are skipped with a warning each, unless every item is bad.
        Skip,
    }
}

mirror! {
    /// How a badge is coloured.
    Variant {
        /// As usual.
        Default,
        /// Less prominent.
        Secondary,
        /// A deletion, or a failure.
        Destructive,
    }
}

mirror! {
    /// A badge's icon.
    Icon {
        /// Something goes on.
        Spinner,
        /// It is done.
        Check,
        /// It failed.
        Cross,
    }
}
