"""Where collections are kept."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from types import TracebackType

from ._border import native, refuse_copies
from ._errors import call
from ._forks import not_after_fork


class Store:
    """Keeps collections, each under a key: ``sqlite:PATH``, ``memory:``, or ``redis://HOST:6379/0`` and
    the other addresses of Redis and Valkey. Several caches may share it, and several processes what it
    keeps.

    >>> store = Store("memory:")
    >>> store.keys()
    []
    """

    def __init__(self, address: str) -> None:
        self._hold(call(native.Store.open, address))
        self._name = address.split(":", 1)[0]

    @classmethod
    def hosted(cls, store: CustomStore) -> Store:
        """A store that is written in Python."""
        made = cls.__new__(cls)
        made._hold(call(native.Store.hosted, _Hosted(store)))
        made._name = type(store).__name__
        return made

    def _hold(self, held: native.Store) -> None:
        self._native = held
        not_after_fork(self)

    def keys(self, after: str | None = None, limit: int = 1000) -> list[str]:
        """The keys of the collections after one (from the start for ``None``), in order, so many at
        most."""
        return call(self._native.keys, after, limit)

    def delete(self, key: str) -> bool:
        """Removes a collection for everybody; answers whether there was one."""
        return call(self._native.delete, key)

    def close(self) -> None:
        """Lets go of the file and every lock on it. What needs the store is refused from then on; what
        was committed stays, and what is in memory can be read."""
        call(self._native.disconnect)

    def reopen(self) -> None:
        """Opens it again."""
        call(self._native.reconnect)

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Store {self._name}>"


class CustomStore(ABC):
    """A store of your own: give it to `Store.hosted`.

    A collection is a revision and parts by name, under a key; look into none of them. The methods are
    called by whatever thread calls the cache, while it is locked: they must not call the cache. What
    they raise becomes a `StoreError` of the call that needed them, and nothing has changed then. There
    are no leases: let one instance alone send.
    """

    @abstractmethod
    def load(self, key: str) -> tuple[str, Mapping[str, bytes]] | None:
        """A collection: its revision, and its parts by their names; ``None`` where there is none."""

    @abstractmethod
    def revision(self, key: str) -> str | None:
        """At which revision a collection is; ``None`` where there is none."""

    @abstractmethod
    def commit(
        self, key: str, expected: str | None, revision: str, parts: Mapping[str, bytes | None]
    ) -> bool:
        """If the collection is at the expected revision (``None``: there is no such collection), writes
        the parts that have bytes, removes those that are ``None``, sets the new revision, all or
        nothing, and answers true once that is safe. Otherwise it changes nothing, and answers false."""

    @abstractmethod
    def keys(self) -> Iterable[str]:
        """The keys of all collections."""

    @abstractmethod
    def delete(self, key: str) -> bool:
        """Removes a collection; answers whether there was one."""


class _Hosted(native.HostStore):
    """As the native side has it."""

    def __init__(self, store: CustomStore) -> None:
        self._store = store

    def load(self, key: str) -> native.StoredCollection | None:
        loaded = self._store.load(key)
        if loaded is None:
            return None
        revision, parts = loaded
        return native.StoredCollection(
            revision=revision,
            parts=[native.StoredPart(name=name, bytes=part) for name, part in parts.items()],
        )

    def revision(self, key: str) -> str | None:
        return self._store.revision(key)

    def commit(
        self, key: str, expected: str | None, revision: str, parts: list[native.StoredPart]
    ) -> bool:
        return self._store.commit(key, expected, revision, {part.name: part.bytes for part in parts})

    def keys(self) -> list[str]:
        return list(self._store.keys())

    def delete(self, key: str) -> bool:
        return self._store.delete(key)


refuse_copies(Store)
