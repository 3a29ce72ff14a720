"""Keeps a list right while the server catches up.

A server that accepts a change at once and shows it seconds later makes naive clients flicker: the
deleted row comes back, the new one vanishes, the edit jumps back. `ResourceCache` keeps the server's
last known word and the user's pending operations apart, and computes what to show.
"""

from ._cache import ResourceCache
from ._clock import ManualClock
from ._codec import Codec, DataclassCodec, DictCodec, PydanticCodec
from ._errors import (
    AlreadyExistsError,
    BadInputError,
    BadSnapshotError,
    BatchError,
    BrokenError,
    ForkedError,
    NotFoundError,
    Refusal,
    ResourceCacheError,
    StoreError,
    TransitionError,
)
from ._following import ChangeStream, Subscription
from ._keys import (
    DNS_RECORDS,
    DNS_ZONES,
    DOMAINS,
    PROJECTS,
    ResourceConfig,
    lifecycle_diagram,
)
from ._names import (
    BadItems,
    Json,
    JsonObject,
    Kind,
    NewItems,
    OnFailure,
    ResourceId,
    Settlement,
    Status,
    VersionOrder,
)
from ._outbox import Attempt, Create, Delete, Process, Request, Update
from ._rows import Badge, Changes, Conflict, Metadata, Outcome, Progress, Removed, Row, Rows, Warned
from ._scopes import Scope
from ._settings import (
    Completes,
    Config,
    Exponential,
    Fails,
    HistoryLimits,
    Labels,
    Linear,
    ProgressPlan,
    RetryPolicy,
    Schema,
    Stage,
)
from ._store import CustomStore, Store
from ._verbs import After, ByStatus, FetchToken, Ids, Page
from ._view import Deadline, Explanation, Operation

__all__ = [
    "After",
    "AlreadyExistsError",
    "Attempt",
    "BadInputError",
    "BadItems",
    "BadSnapshotError",
    "Badge",
    "BatchError",
    "BrokenError",
    "ByStatus",
    "ChangeStream",
    "Changes",
    "Codec",
    "Completes",
    "Config",
    "Conflict",
    "Create",
    "CustomStore",
    "DNS_RECORDS",
    "DNS_ZONES",
    "DOMAINS",
    "DataclassCodec",
    "Deadline",
    "Delete",
    "DictCodec",
    "Explanation",
    "Exponential",
    "Fails",
    "FetchToken",
    "ForkedError",
    "HistoryLimits",
    "Ids",
    "Json",
    "JsonObject",
    "Kind",
    "Labels",
    "Linear",
    "ManualClock",
    "Metadata",
    "NewItems",
    "NotFoundError",
    "OnFailure",
    "Operation",
    "Outcome",
    "PROJECTS",
    "Page",
    "Process",
    "Progress",
    "ProgressPlan",
    "PydanticCodec",
    "Refusal",
    "Removed",
    "Request",
    "ResourceCache",
    "ResourceCacheError",
    "ResourceConfig",
    "ResourceId",
    "RetryPolicy",
    "Row",
    "Rows",
    "Schema",
    "Scope",
    "Settlement",
    "Stage",
    "Status",
    "Store",
    "StoreError",
    "Subscription",
    "TransitionError",
    "Update",
    "VersionOrder",
    "Warned",
    "lifecycle_diagram",
]
