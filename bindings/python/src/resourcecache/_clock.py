"""A clock that one can set, for tests."""

from __future__ import annotations

from datetime import datetime, timedelta

from ._border import native, refuse_copies
from ._names import from_epoch_ms, to_epoch_ms


class ManualClock:
    """A clock that stands until it is moved: give it to a cache in place of the system's.

    >>> from datetime import timezone
    >>> clock = ManualClock(datetime(2025, 1, 19, tzinfo=timezone.utc))
    >>> clock.advance(timedelta(seconds=2))
    >>> print(clock.now)
    2025-01-19 00:00:02+00:00
    """

    def __init__(self, now: datetime) -> None:
        self._native = native.ManualClock(to_epoch_ms(now))

    @property
    def now(self) -> datetime:
        """What it shows; may be set, back too."""
        return from_epoch_ms(self._native.now_ms())

    @now.setter
    def now(self, now: datetime) -> None:
        self._native.set_ms(to_epoch_ms(now))

    def advance(self, by: timedelta | float) -> None:
        """Moves it by a duration; a number counts as seconds."""
        by = by if isinstance(by, timedelta) else timedelta(seconds=by)
        self.now += by

    def __repr__(self) -> str:
        return f"ManualClock({self.now!r})"


refuse_copies(ManualClock)
