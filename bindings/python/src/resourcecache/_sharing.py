"""A collection that is kept in a store, and shared by it."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TypeVar

from ._base import Base
from ._border import native
from ._errors import call
from ._names import to_ms
from ._rows import Changes

T = TypeVar("T")

_UNWATCHED = 1.0
"""How long, in seconds, is waited at most where the store cannot tell of commits."""


class Sharing(Base[T]):
    """What is for collections in a store alone; others refuse it."""

    _watch: native.CommitWatch | None = None

    @property
    def key(self) -> str | None:
        """Under which key it is kept; ``None`` where it is in memory alone."""
        return call(self._native.key)

    def sync(self) -> Changes[T]:
        """Takes what other instances have committed since."""
        return self._told(call(self._native.sync))

    def wait_for_commits(self, timeout: timedelta | float = 60.0) -> bool:
        """Waits until another instance, or this one, may have committed since the last time: then
        `sync`. False when nothing was heard of for so long. It blocks its thread, and nobody else's;
        a store that cannot tell is to be asked each second."""
        if self._watch is None:
            self._watch = call(self._native.watch)
        milliseconds = to_ms(timeout) or 0
        if self._watch is None:
            time.sleep(min(milliseconds / 1000, _UNWATCHED))
            return True
        return call(self._watch.wait, milliseconds)

    def lead(self, holder: str, ttl: timedelta | float) -> bool:
        """Asks to be the one of several instances that sends what is queued, for so long; asked again
        before that is over, goes on to be. Answers whether it is. From the first call on,
        `poll_attempt` hands out attempts only while it is."""
        return call(self._native.lead, holder, to_ms(ttl) or 0)

    def step_down(self, holder: str) -> None:
        """Leaves the sending to another instance."""
        call(self._native.step_down, holder)
