"""What is far too large is refused unread, and recorded by its beginning, its length and its sum: nothing of it is lost silently."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from harness.backhaul.faults import SeenMessage
from harness.cim.check import check_message
from harness.cim.hostile import Hostile, sizes
from harness.cim.tree import MAX_OCTETS
from harness.cim_strategies import MESSAGES, ORDER
from harness.ports import Message
from harness.taps import LONGEST_KEPT, Taps
from harness.trace import Header, Trace
from harness.usecase import Actor, Order
from harness.values import DeviceType, Eui64

RIGHT = (MESSAGES / f"{ORDER}.xml").read_bytes()


@pytest.mark.parametrize("kind", ["size", "depth"])
def test_what_is_too_much_is_refused_for_what_it_is(kind: str) -> None:
    for size in sizes(kind):
        assert {finding.rule for finding in check_message(Hostile(kind, size).made_of(RIGHT))} == {kind}


def test_a_hundred_million_octets_leave_a_million_and_a_sum() -> None:
    octets = Hostile("size", sizes("size")[-1]).made_of(RIGHT)
    trace = Trace(Header(Order(Eui64(0x00124B0001020304), DeviceType.PCT, bytes(16), key_form="link_key"), "2026-01-15T12:00:00+00:00"))
    seen = SeenMessage(1, 0.0, Message("cim", Actor.DR_APPLICATION, Actor.AMI_HEAD_END, octets), arrives=0.2)
    taps = Taps(trace)
    taps.see(seen)
    taps.see(replace(seen, number=2, message=replace(seen.message, octets=RIGHT)))
    large, small = trace.exchanges
    assert len(octets) > 100_000_000
    assert (large.octets, len(large.octets)) == (octets[:LONGEST_KEPT], MAX_OCTETS + 1)
    assert (large.about["length"], large.about["sha256"]) == (len(octets), sha256(octets).hexdigest())
    assert (small.octets, "length" in small.about) == (RIGHT, False)
    assert {finding.rule for finding in check_message(large.octets)} == {"size"}
