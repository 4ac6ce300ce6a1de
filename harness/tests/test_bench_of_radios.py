"""What a bench makes of radios that keep to their contract and are late, deaf or broken: nothing is attested that it has not seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dissectors.frame import encode_mpdu
from dissectors.mac import FrameType
from harness.bench import Bench
from harness.clock import LiveClock
from harness.declarations import BenchFile, read_bench
from harness.errors import BenchError, Unsupported
from harness.ports import RadioSettings, Received, Transmit, Transmitted
from harness.radio_declaration import Plugged
from harness.stack.mac_frames import addressed
from harness.usecase import Point

VIRTUAL = read_bench(Path(__file__).parents[2] / "fixtures" / "benches" / "virtual.yaml")
FRAME = encode_mpdu(addressed(FrameType.DATA, (0x1234, 0), (0x1234, 7), True), b"up")


class Stick:
    """Takes everything and says what a test has it say."""

    about: Mapping[str, str] = {}
    made: list[Stick] = []

    def __init__(self, options: Mapping[str, Any], interrupt: Callable[[], None]) -> None:
        self.offers = frozenset({"promiscuous"} - {options.get("without")})
        self.breaks = options.get("breaks")
        self.inbox: list[Received | Transmitted] = []
        self.closed = 0
        self.made.append(self)

    def submit(self, pdu: RadioSettings | Transmit, now: float) -> None:
        if self.breaks == "submit":
            raise BenchError("the line is cut")

    def told(self, now: float) -> list[tuple[float, Received | Transmitted]]:
        inbox, self.inbox = self.inbox, []
        return [(now, each) for each in inbox]

    def perform(self, operation: str, **given: object) -> object:
        raise Unsupported(f"a test's stick cannot {operation}")

    def close(self) -> None:
        self.closed += 1
        if self.breaks == "close":
            raise BenchError("it does not let go")


@pytest.fixture(autouse=True)
def sticks() -> Iterator[list[Stick]]:
    Stick.made.clear()
    yield Stick.made
    Stick.made.clear()


def over(**sniffer: str) -> BenchFile:
    stick = f"{__name__}:Stick"
    return replace(VIRTUAL, radios={"ESI": Plugged(stick), "sniffer": Plugged(stick, {"channel": "15", **sniffer})})


def test_what_came_before_a_limit_is_seen_by_whoever_waited_until_then(
    monkeypatch: pytest.MonkeyPatch, sticks: list[Stick],
) -> None:
    reading = [100.0]
    monkeypatch.setattr("harness.clock.time.monotonic", lambda: reading[0])
    bench = Bench(over(), VIRTUAL.devices[0], clock=LiveClock())
    try:
        bench.wait_until(lambda: False, 0.0)
        reading[0] += 5.0  # the bench has been busy for long
        sticks[1].inbox.append(Received(FRAME, 15))
        bench.clock.interrupt()  # type: ignore[attr-defined]
        bench.wait_until(lambda: False, 1e-9)
        assert [each.octets for each in bench.trace if each.point is Point.MAC] == [FRAME]
    finally:
        bench.close()


def test_nothing_is_attested_after_a_radio_broke(sticks: list[Stick]) -> None:
    bench = Bench(over(), VIRTUAL.devices[0], clock=LiveClock())
    bench.wait_until(lambda: False, 0.01)
    ends = [each.end for each in bench.trace.attestations if each.point is Point.MAC]
    sticks[0].told = sticks[1].told = _broken  # type: ignore[method-assign]
    with pytest.raises(BenchError, match="it is gone"):
        bench.wait_until(lambda: False, 0.05)
    assert [each.end for each in bench.trace.attestations if each.point is Point.MAC] == ends
    bench.close()


def _broken(now: float) -> list[tuple[float, Received | Transmitted]]:
    raise BenchError("it is gone")


@pytest.mark.parametrize(("sniffer", "says"), [
    ({"without": "promiscuous"}, "hears only what is for itself; right would be a radio that offers promiscuous"),
    ({"breaks": "submit"}, "the line is cut"),
])
def test_a_sniffer_that_hears_nothing_ends_the_bench_and_every_radio_is_let_go(
    sniffer: Mapping[str, str], says: str, sticks: list[Stick],
) -> None:
    with pytest.raises(BenchError, match=says):
        Bench(over(**sniffer), VIRTUAL.devices[0])
    assert [each.closed for each in sticks] == [1, 1]


def test_a_radio_that_does_not_let_go_holds_up_no_other(sticks: list[Stick]) -> None:
    bench = Bench(over(breaks="close"), VIRTUAL.devices[0])
    sticks[0].breaks = "close"
    with pytest.raises(BenchError, match="it does not let go"):
        bench.close()
    assert [each.closed for each in sticks] == [1, 1]
