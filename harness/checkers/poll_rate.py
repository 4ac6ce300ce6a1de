"""Step 7: how often a sleepy device polls when nothing is expected. Knows frames, no bench.

Clause: 08006r03, 7.7: a recommendation, and a loose one, so that nothing here is ever a fail.
"""

from __future__ import annotations

from collections.abc import Iterator

from dissectors import mac
from harness.checkers.dialogue import dialogue
from harness.checkers.reading import Heard, air
from harness.trace import Trace
from harness.usecase import Actor
from harness.verdict import Finding, noted, passed

RECOMMENDED = 7.5  # seconds between two polls of a device that expects nothing, at least (08006r03, 7.7)
GRANULARITY = 0.2  # seconds by which a poll may be early all the same
STEADY = 3  # so many pauses in a row are a habit


def quiet_polls(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """07-POLL-RATE: in service, with nothing expected, the device polls no more often than every 7.5 s; else it is noted."""
    registered = dialogue(trace).registered()
    if registered is None:
        return
    pauses = [later.time - poll.time for poll, later in _quiet_pairs(trace, actor, registered.time)]
    if len(pauses) < STEADY:
        return
    usual = sorted(pauses)[len(pauses) // 2]
    yield passed(f"{len(pauses)} pauses between polls were seen", registered.number, observed=f"{usual:.1f} s")
    if usual < RECOMMENDED - GRANULARITY:
        yield noted(
            "the device polls more often than is recommended", registered.number, expected=f"every {RECOMMENDED} s at most",
            observed=f"every {usual:.1f} s",
        )


def _quiet_pairs(trace: Trace, actor: Actor, since: float) -> Iterator[tuple[Heard, Heard]]:
    """Polls of the device one after the other, with no frame of its own or to it since the one before the first."""
    heard = air(trace)
    own = {short for short, ieee in heard.short_addresses.items() if ieee == trace.header.order.device}
    about = [
        each for each in heard
        if each.mac is not None and each.time > since and {each.mac.source_short, each.mac.dest_short} & own
    ]
    for before, poll, later in zip(about, about[1:], about[2:], strict=False):
        if all(_is_poll(each) for each in (before, poll, later)):
            yield poll, later


def _is_poll(heard: Heard) -> bool:
    return heard.find(mac.DataRequest) is not None
