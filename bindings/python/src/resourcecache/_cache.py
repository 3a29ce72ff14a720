"""The collection as a user of Python has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from types import TracebackType
from typing import NoReturn, TypeVar, overload

from ._base import Bytes, as_bytes
from ._clock import ManualClock
from ._codec import Codec
from ._following import ChangeStream, Subscription, deadlines, run_deadlines, subscription
from ._names import Json, JsonObject, Kind, ResourceId, id_text
from ._outbox import Outbox
from ._scopes import Scope
from ._settings import Config, Schema
from ._sharing import Sharing
from ._store import Store
from ._verbs import Verbs
from ._view import View

T = TypeVar("T")


class ResourceCache(Verbs[T], Outbox[T], View[T], Sharing[T]):
    """One list of resources: what the server last said, and what this client has asked for.

    >>> zones = ResourceCache()
    >>> _ = zones.merge(b'[{"id": "a"}, {"id": "b"}]')
    >>> with zones.deleting("a"):
    ...     pass  # call the API
    >>> _ = zones.merge(b'[{"id": "a"}, {"id": "b"}]')  # the server still lists it
    >>> [zone["id"] for zone in zones]
    ['b']

    Without a type, resources are dicts; with one, TypedDicts, dataclasses or pydantic models, or
    whatever a codec of your own makes of them. It may be used from many threads; it can be neither
    copied nor pickled, nor used in the child of a fork.
    """

    @overload
    def __init__(
        self: ResourceCache[JsonObject],
        resource_type: None = None,
        *,
        codec: None = None,
        config: Config | None = None,
        schema: Schema | None = None,
        clock: ManualClock | None = None,
        _saved: bytes | None = None,
        _kept: tuple[Store, str] | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self,
        resource_type: type[T] | None = None,
        *,
        codec: Codec[T] | None = None,
        config: Config | None = None,
        schema: Schema | None = None,
        clock: ManualClock | None = None,
        _saved: bytes | None = None,
        _kept: tuple[Store, str] | None = None,
    ) -> None: ...
    def __init__(
        self,
        resource_type: type[T] | None = None,
        *,
        codec: Codec[T] | None = None,
        config: Config | None = None,
        schema: Schema | None = None,
        clock: ManualClock | None = None,
        _saved: bytes | None = None,
        _kept: tuple[Store, str] | None = None,
    ) -> None:
        super().__init__(
            resource_type,
            codec=codec,
            config=config,
            schema=schema,
            clock=clock,
            _saved=_saved,
            _kept=_kept,
        )
        self._own: Store | None = None

    @overload
    @classmethod
    def open(
        cls,
        store: str | Store,
        resource_type: None = None,
        *,
        key: str = "default",
        codec: None = None,
        config: Config | None = None,
        schema: Schema | None = None,
        clock: ManualClock | None = None,
    ) -> ResourceCache[JsonObject]: ...
    @overload
    @classmethod
    def open(
        cls,
        store: str | Store,
        resource_type: type[T] | None = None,
        *,
        key: str = "default",
        codec: Codec[T] | None = None,
        config: Config | None = None,
        schema: Schema | None = None,
        clock: ManualClock | None = None,
    ) -> ResourceCache[T]: ...
    @classmethod
    def open(
        cls,
        store: str | Store,
        resource_type: type[T] | None = None,
        *,
        key: str = "default",
        codec: Codec[T] | None = None,
        config: Config | None = None,
        schema: Schema | None = None,
        clock: ManualClock | None = None,
    ) -> ResourceCache[T] | ResourceCache[JsonObject]:
        """Opens a collection of a store by its key, a new one where there is none: ``sqlite:PATH``,
        ``memory:``, ``redis://HOST``, or a `Store` that several caches share.

        >>> with ResourceCache.open("memory:") as zones:
        ...     _ = zones.merge(b'[{"id": "a"}]')

        Every call that changes something commits it before it answers; where another instance
        committed first, that is taken first. Give every instance the same settings, each time."""
        opened = Store(store) if isinstance(store, str) else store
        try:
            cache = cls(
                resource_type,
                codec=codec,
                config=config,
                schema=schema,
                clock=clock,
                _kept=(opened, key),
            )
        except BaseException:
            if isinstance(store, str):
                opened.close()
            raise
        cache._own = opened if isinstance(store, str) else None
        return cache

    def close(self) -> None:
        """Closes the store that `open` opened by its address: what changes something is refused from
        then on. A cache of a shared store, or in memory alone, stays as it is."""
        if self._own is not None:
            self._own.close()

    def __enter__(self) -> ResourceCache[T]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @overload
    @classmethod
    def restore(
        cls,
        saved: Bytes,
        resource_type: None = None,
        *,
        codec: None = None,
        config: Config | None = None,
        schema: Schema | None = None,
        clock: ManualClock | None = None,
    ) -> ResourceCache[JsonObject]: ...
    @overload
    @classmethod
    def restore(
        cls,
        saved: Bytes,
        resource_type: type[T] | None = None,
        *,
        codec: Codec[T] | None = None,
        config: Config | None = None,
        schema: Schema | None = None,
        clock: ManualClock | None = None,
    ) -> ResourceCache[T]: ...
    @classmethod
    def restore(
        cls,
        saved: Bytes,
        resource_type: type[T] | None = None,
        *,
        codec: Codec[T] | None = None,
        config: Config | None = None,
        schema: Schema | None = None,
        clock: ManualClock | None = None,
    ) -> ResourceCache[T] | ResourceCache[JsonObject]:
        """A cache as ``save`` wrote it; what has become due since is done. Settings are not part of
        what is saved: give the same ones."""
        return cls(
            resource_type,
            codec=codec,
            config=config,
            schema=schema,
            clock=clock,
            _saved=as_bytes(saved),
        )

    def deleting(self, id: ResourceId, *, min_ttl: timedelta | None = None) -> Scope[T]:
        """Hides a resource while the block deletes it at the server, and until lists agree."""
        return Scope(self, self.mark_as_deleting(id, min_ttl=min_ttl), id_text(id))

    def updating(
        self, id: ResourceId, patch: Mapping[str, Json], *, min_ttl: timedelta | None = None
    ) -> Scope[T]:
        """Shows a resource with a patch while the block updates it, and until lists agree."""
        return Scope(self, self.mark_as_updating(id, patch, min_ttl=min_ttl), id_text(id))

    def creating(self, resource: T | Bytes, *, min_ttl: timedelta | None = None) -> Scope[T]:
        """Shows a new resource while the block creates it, and until lists have it. Set the scope's
        ``answer`` to what the server answered, with the real id."""
        changes = self.add_as_creating(resource, min_ttl=min_ttl)
        return Scope(self, changes, changes.upserted[0].id)

    def processing(self, id: ResourceId, operation: Kind = Kind.PROCESS) -> Scope[T]:
        """Marks a resource while the block has something done with it."""
        return Scope(self, self.mark_as_processing(id, operation), id_text(id))

    def subscribe(self, function: Callable[[int], object]) -> Subscription:
        """Has a function called with the revision after every change, by the thread that made it. It
        may call the cache. What it raises is logged."""
        return subscription(self, function)

    def changes(self, since: int | None = None) -> ChangeStream[T]:
        """The changes from now on, or since a revision, for ``async for``, in asyncio or trio."""
        return ChangeStream(self, since)

    async def run_deadlines(self) -> NoReturn:
        """Does what is due when it is due, for ever: run it as a task of your own."""
        await run_deadlines(self)

    def deadline_timer(self) -> AbstractAsyncContextManager[None]:
        """The same while an ``async with`` block runs. In trio this needs anyio."""
        return deadlines(self)

    def __repr__(self) -> str:
        return f"<ResourceCache: {len(self)} visible, revision {self.revision}>"
