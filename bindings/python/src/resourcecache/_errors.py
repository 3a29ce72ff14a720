"""What a cache refuses, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from ._border import native

P = ParamSpec("P")
R = TypeVar("R")


class ResourceCacheError(Exception):
    """The base of all errors of this package. A refused call has changed nothing, not even the time."""

    problem: str
    """The whole story, as a sentence."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return self.problem


class TransitionError(ResourceCacheError):
    """The lifecycle has no such pair of state and trigger."""

    def __init__(self, problem: str, id: str = "", state: str = "", trigger: str = "") -> None:
        super().__init__(problem)
        self.args = (problem, id, state, trigger)
        self.id = id
        self.state = state
        self.trigger = trigger


class NotFoundError(ResourceCacheError, KeyError):
    """No such resource, or no such operation."""

    def __init__(self, problem: str, id: str | None = None, operation: int | None = None) -> None:
        super().__init__(problem)
        self.args = (problem, id, operation)
        self.id = id
        self.operation = operation


class AlreadyExistsError(ResourceCacheError):
    """A resource with this id is already visible: update it, or take another id."""

    def __init__(self, problem: str, id: str = "") -> None:
        super().__init__(problem)
        self.args = (problem, id)
        self.id = id


class BadInputError(ResourceCacheError, ValueError):
    """A value out of range, an empty id, a patch that would change an id, and the like."""

    def __init__(self, problem: str, subject: str = "") -> None:
        super().__init__(problem)
        self.args = (problem, subject)
        self.subject = subject


class BadSnapshotError(ResourceCacheError, ValueError):
    """A list that cannot be taken; ``position`` is the bad item's, from 0."""

    def __init__(self, problem: str, position: int | None = None) -> None:
        super().__init__(problem)
        self.args = (problem, position)
        self.position = position


@dataclass(frozen=True)
class Refusal:
    """One part of a batch that was refused."""

    position: int
    """Its place in the batch, from 0."""
    id: str
    """The resource."""
    kind: str
    """``transition``, ``not_found``, ``already_exists``, ``bad_input`` or ``bad_snapshot``."""
    problem: str
    """The whole story."""


class BatchError(ResourceCacheError):
    """A batch is refused whole when one of its parts is."""

    def __init__(self, problem: str, refusals: tuple[Refusal, ...] = (), kind: str = "") -> None:
        super().__init__(problem)
        self.args = (problem, refusals, kind)
        self.refusals = refusals
        self.kind = kind


class StoreError(ResourceCacheError):
    """The store in which a collection is kept did not do what was asked."""

    def __init__(
        self, problem: str, key: str | None = None, kind: str = "other", retryable: bool = False
    ) -> None:
        super().__init__(problem)
        self.args = (problem, key, kind, retryable)
        self.key = key
        """The collection's; ``None`` when it is about the store itself."""
        self.kind = kind
        """``conflict``, ``fenced``, ``busy``, ``unavailable``, ``closed``, ``full``, ``read_only``,
        ``foreign``, ``newer``, ``damaged`` or ``other``."""
        self.retryable = retryable
        """Whether the same may succeed when tried again later, without anybody's doing."""


class BrokenError(ResourceCacheError):
    """A fault of the cache itself while it changed: this one refuses all that follows."""


class ForkedError(ResourceCacheError):
    """The cache was made before a fork, and belongs to the parent; make another in the child."""


def translated(error: native.CacheError) -> ResourceCacheError:
    """The package's error of a native one."""
    known: type[native.CacheError] = type(error)
    if isinstance(error, native.CacheError.Transition):
        return TransitionError(error.problem, error.id, error.state, error.trigger)
    if isinstance(error, native.CacheError.NotFound):
        return NotFoundError(error.problem, error.id, error.operation)
    if isinstance(error, native.CacheError.AlreadyExists):
        return AlreadyExistsError(error.problem, error.id)
    if isinstance(error, native.CacheError.BadInput):
        return BadInputError(error.problem, error.subject)
    if isinstance(error, native.CacheError.BadSnapshot):
        return BadSnapshotError(error.problem, error.position)
    if isinstance(error, native.CacheError.Batch):
        refusals = (Refusal(r.position, r.id, r.kind, r.problem) for r in error.refusals)
        return BatchError(error.problem, tuple(refusals), error.kind)
    if isinstance(error, native.CacheError.Store):
        return StoreError(error.problem, error.key, error.kind, error.retryable)
    return BrokenError(getattr(error, "problem", known.__name__))


def call(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Calls the native function; its errors become the package's."""
    try:
        return function(*args, **kwargs)
    except native.CacheError as error:
        raise translated(error) from None
    except native.InternalError as error:
        raise BrokenError(f"a fault at the border, please report it: {error}") from None
