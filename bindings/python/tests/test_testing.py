"""The tools by which users verify their own rules."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from resourcecache import JsonObject, ManualClock, ResourceCache
from resourcecache.testing import CacheMachine, LaggingServer

SETTINGS = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def test_the_cache_holds() -> None:
    run_state_machine_as_test(CacheMachine, settings=SETTINGS)


class Forgetful(ResourceCache[JsonObject]):
    """A client that believes every list: what the machine is there to find."""

    def merge(self, response: object, **_: object) -> object:  # type: ignore[override]
        for row in self.all():
            self.revert(row.id)
            self.remove(row.id)
        return super().merge(response)  # type: ignore[arg-type]


class ForgetfulMachine(CacheMachine):
    def make_cache(self, clock: ManualClock) -> ResourceCache[JsonObject]:
        return Forgetful(clock=clock)


def test_the_machine_finds_a_client_that_flickers() -> None:
    with pytest.raises(AssertionError):
        run_state_machine_as_test(ForgetfulMachine, settings=SETTINGS)


def test_the_server_lags() -> None:
    server = LaggingServer([{"id": "a"}])
    with pytest.raises(KeyError):
        server.create({"id": "a"})
    server.create({"id": "b"})
    server.update("b", {"n": 1})
    assert server.behind == 2 and server.list() == b'[{"id":"a"}]'
    server.catch_up(1)
    assert server.list() == b'[{"id":"a"},{"id":"b"}]'
