"""Step 9: what a NWK Leave does to a node that has registered. Knows frames, no bench.

Clause: SE 1.1 (075356r16), 5.5.5; a stack of r17 must process a Leave from its parent (08006r03, item NLF130).
"""

from __future__ import annotations

from collections.abc import Iterator

from dissectors import nwk
from harness.checkers.dialogue import dialogue, party
from harness.checkers.reading import Heard, air, attested, claimed
from harness.trace import Trace
from harness.usecase import Actor, Point
from harness.verdict import Finding, failed, passed

LEAVING_TIME = 10.0  # seconds in which a node that obeys has said that it leaves


def leave_is_ignored(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """09-LEAVE-IGNORED: asked to leave by a NWK Leave after registration, it stays; an end device may obey its parent."""
    heard, registered = air(trace), dialogue(trace).registered()
    for asked in heard.of(nwk.Leave):
        command = asked.find(nwk.Leave)
        ours = command.request and asked.arrived and party(trace, asked.nwk.dest) is actor
        if registered is None or asked.number < registered.number or not ours:
            continue
        until = asked.time + LEAVING_TIME
        gone = next((each for each in heard.between(asked.time, until) if _announces(trace, each, actor)), None)
        if gone is not None and not _may_obey(trace, asked, actor):
            yield failed(
                "a NWK Leave was obeyed", asked.number, gone.number,
                expected="no effect: only Remove-Device under the link key counts", observed="it says that it leaves",
                hint="leave-obeyed-after-registration",
            )
        elif gone is not None:
            yield passed("an end device obeyed its parent, as it may", asked.number, gone.number)
        elif attested(trace, Point.MAC, asked.time, until, asked.channel):
            yield passed("a NWK Leave was not obeyed", asked.number)


def _announces(trace: Trace, each: Heard, actor: Actor) -> bool:
    command = each.find(nwk.Leave)
    return command is not None and not command.request and party(trace, each.nwk.source) is actor


def _may_obey(trace: Trace, asked: Heard, actor: Actor) -> bool:
    return actor is Actor.HAN_DEVICE and party(trace, asked.nwk.source) is Actor.ESI and not claimed(trace, "router")
