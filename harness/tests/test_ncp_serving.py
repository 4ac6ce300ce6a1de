"""The child of a radio library at its lines: what fails is told, and a bench that is gone, however it went, leaves no window open."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from harness.ncp.__main__ import OPERATIONS, Radio, _perform, serve
from harness.ncp.line import NotALine


def test_a_failure_without_words_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, Any]] = []

    async def fail(radio: Radio) -> dict[str, Any]:
        raise TimeoutError

    monkeypatch.setitem(OPERATIONS, "still", fail)
    asyncio.run(_perform(Radio(told.append), "still", 7, {}, told.append))
    assert told == [{"n": 7, "failed": "TimeoutError"}]


class Application:
    """A library's, which notes what is asked of it."""

    closing = False

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def permit_ncp(self, time_s: int) -> None:
        self.asked.append(f"permit {time_s}")

    async def disconnect(self) -> None:
        self.asked.append("disconnect")


@pytest.mark.parametrize(("lines", "is_gone", "ends"), [
    (b'{"n": 1, "do": "open"}\n{"n": 2, "do"', False, NotALine),  # amid a line
    (b'{"n": 1, "do": "open"}\n', True, BrokenPipeError),  # before it is answered
    (b'{"n": 1, "do": "open"}\n', False, None), (b'{"n": 1, "do": "open"}\n{"n": 2, "do": "close"}\n', False, None),
])
def test_a_bench_that_is_gone_leaves_no_window_open(
    lines: bytes, is_gone: bool, ends: type[Exception] | None, monkeypatch: pytest.MonkeyPatch,
) -> None:
    application = Application()

    async def opened(radio: Radio) -> dict[str, Any]:
        radio._application = application
        return {}

    def tell(line: dict[str, Any]) -> None:
        if is_gone and "done" in line:
            raise BrokenPipeError

    async def course() -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(lines)
        reader.feed_eof()
        await serve(reader, tell)

    monkeypatch.setitem(OPERATIONS, "open", opened)
    if ends is None:
        asyncio.run(course())
    else:
        with pytest.raises(ends):
            asyncio.run(course())
    assert application.asked == ["permit 0", "disconnect"]
