"""A stream that is behind its log is waited for, one at fault is named."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from careline_cli.drill import stream_equality
from careline_cli.drill.platform_commands import PlatformCommands
from careline_cli.drill.stream_equality import streams_that_differ
from runtime.service_names import SERVICES


class Verifying(PlatformCommands):
    """The command `streams verify`, which finds in turn what it is given for conversations."""

    def __init__(self, *found: dict[str, Any]) -> None:
        super().__init__(Path(), lambda _: None)
        self._found: Iterator[dict[str, Any]] = iter(found)

    async def attempt(self, *arguments: str) -> tuple[int, str, str]:
        assert arguments == ("streams", "verify", "--json")
        equal = {one: check(one, ok=True, end=1) for one in SERVICES}
        equal["conversations"] = next(self._found)
        return 0, json.dumps({"streams": list(equal.values())}), ""


def check(service: str, *, ok: bool, end: int) -> dict[str, Any]:
    return {"service": service, "ok": ok, "head": 1, "stream": {"last_position": end}}


async def test_a_stream_that_is_behind_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_equality, "_PAUSE_SECONDS", 0)
    monkeypatch.setattr(stream_equality, "_SHOWN_EVERY_SECONDS", 0)
    behind = check("conversations", ok=True, end=0)
    commands = Verifying(*[behind] * 5, check("conversations", ok=True, end=1))
    said: list[str] = []

    assert await streams_that_differ(commands, said.append) == ()
    assert said == ["conversations: 0 of 1 in its stream"] * 5


async def test_a_stream_that_stays_behind_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_equality, "_PAUSE_SECONDS", 0)
    monkeypatch.setattr(stream_equality, "_STALLED_SECONDS", 0)
    behind = check("conversations", ok=True, end=0)

    assert await streams_that_differ(Verifying(behind, behind), lambda _: None) == (
        "conversations",
    )


async def test_a_fault_that_a_relay_was_mending_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream_equality, "_PAUSE_SECONDS", 0)
    faulty = check("conversations", ok=False, end=1)
    commands = Verifying(faulty, faulty, check("conversations", ok=True, end=1))

    assert await streams_that_differ(commands, lambda _: None) == ()


async def test_a_fault_that_stays_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_equality, "_PAUSE_SECONDS", 0)
    faulty = check("conversations", ok=False, end=1)

    assert await streams_that_differ(Verifying(*[faulty] * 3), lambda _: None) == ("conversations",)
