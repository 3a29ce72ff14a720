"""Wakes a task from whatever thread, in asyncio or trio."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from ._border import native


class Waker(native.ChangeObserver):
    """Made within a running event loop; `set` may be called by any thread."""

    def __init__(self) -> None:
        self._set = False
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
            self._event: Any = asyncio.Event()
        except RuntimeError:
            trio: Any = sys.modules.get("trio")
            if trio is None:
                raise RuntimeError("no event loop runs here; call this within asyncio or trio") from None
            self._loop = None
            self._event = trio.Event()
            self._token = trio.lowlevel.current_trio_token()
            self._gone: Any = trio.RunFinishedError

    def changed(self, revision: int) -> None:
        self.set()

    def set(self) -> None:
        """Wakes whoever waits, or the next who does."""
        if self._set:
            return
        self._set = True
        try:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._wake)
            else:
                self._token.run_sync_soon(self._wake)
        except RuntimeError:
            pass  # the loop has ended, and nobody waits
        except Exception as error:
            if self._loop is not None or not isinstance(error, self._gone):
                raise

    def _wake(self) -> None:
        self._event.set()

    async def wait(self, seconds: float | None = None) -> None:
        """Waits until it is set, or for so long; then it is unset."""
        if self._loop is not None:
            try:
                await asyncio.wait_for(self._event.wait(), seconds)
            except (asyncio.TimeoutError, TimeoutError):
                pass
            self._event = asyncio.Event()
        else:
            trio: Any = sys.modules["trio"]
            with trio.move_on_after(float("inf") if seconds is None else seconds):
                await self._event.wait()
            self._event = trio.Event()
        self._set = False
