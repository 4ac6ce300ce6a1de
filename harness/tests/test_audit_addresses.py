"""A short address that is given to another device after its first one has left: whose a frame is, the word of its own sealing says."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from dissectors import mac
from dissectors.capture import CapturedFrame
from dissectors.frame import Frame
from dissectors.layer import encode
from dissectors.sealing import seal, unseal
from harness.checkers.reading import air
from harness.tests.field_captures import audited, judgements, packets
from harness.tests.test_audit import of
from harness.tests.test_two_orders import OTHER, played
from harness.verdict import Verdict

MODES = {0: 0, 2: 2, 3: 8}  # octets of an address
NAME = "another device"  # takes the place of the first, in the same network


def renamed(frame: Frame, old: int, new: int) -> bytes:
    """A frame with one short address in the place of another, sealed again, with its FCS."""
    before, after = old.to_bytes(2, "little"), new.to_bytes(2, "little")
    octets, control, place = bytearray(frame.octets[:-2]), int.from_bytes(frame.octets[:2], "little"), 3
    for mode, pan in ((control >> 10 & 3, True), (control >> 14 & 3, not control & 0x40)):
        place += 2 if mode and pan else 0
        if mode == 2 and octets[place : place + 2] == before:
            octets[place : place + 2] = after
        place += MODES[mode]
    if frame.find(mac.AssociationResponse) is not None:
        octets[place + 1 : place + 3] = bytes(octets[place + 1 : place + 3]).replace(before, after)
    if frame.nwk is not None and "source" in frame.nwk:
        for field in (place + 2, place + 4):
            if octets[field : field + 2] == before:
                octets[field : field + 2] = after
        if frame.security.nwk == "ok" and frame.nwk_key is not None:
            auxiliary = frame.nwk.security
            at = bytes(octets).index(encode(auxiliary), place)
            own = frame.octets[place:at], auxiliary, frame.octets[at + len(encode(auxiliary)) : -2], frame.nwk_key, auxiliary.source_ieee
            plain = unseal(*own)
            assert plain is not None
            plain = plain.replace(before, after) if frame.zdp is not None else plain
            octets[place:] = seal(bytes(octets[place:at]), auxiliary, plain, *own[3:])
    return bytes(octets) + mac.fcs(bytes(octets))


@cache
def heard() -> tuple[tuple[CapturedFrame, Frame], ...]:
    """The capture with each frame, the second device under the short address that the first one had."""
    trace = played(NAME)
    shorts = {device: short for short, device in air(trace).short_addresses.items()}
    old, new = shorts[OTHER], shorts[trace.header.order.device]
    begun = next(each.number for each in air(trace).of(mac.AssociationRequest) if each.mac.source_ieee == OTHER)
    return tuple(
        (packet if each.number < begun else replace(packet, octets=renamed(each.frame, old, new)), each.frame)
        for packet, each in zip(packets(trace), air(trace), strict=True)
    )


@pytest.mark.parametrize("missing", ["nothing", "who it was given to"])
def test_a_short_address_that_is_given_again_is_whoever_seals_under_it(missing: str) -> None:
    trace = played(NAME)
    kept = [
        packet for packet, frame in heard()
        if missing == "nothing" or frame.find(mac.AssociationResponse) is None or frame.mac is None or frame.mac.dest_ieee != OTHER
    ]
    joins = {join.device: join for join in audited(trace, kept)}
    plain = {join.device: join for join in audited(trace)}
    assert of(judgements(joins.values()), Verdict.FAIL) | of(judgements(joins.values()), Verdict.ERROR) == set()
    first = str(trace.header.order.device)
    lost = of(plain[first].judgements, Verdict.PASS) - of(joins[first].judgements, Verdict.PASS)
    assert lost == (set() if missing == "nothing" else {"UC2.7-06-KEY-SEALED@ESI"}), "a key that was sent to nobody knows whom"
    wanted = of(plain[str(OTHER)].judgements, Verdict.PASS)
    found = of(joins[str(OTHER)].judgements, Verdict.PASS)
    assert found == wanted if missing == "nothing" else len(found) > len(wanted) / 2
    if missing == "nothing":
        assert [join.missing for join in joins.values()] == [(), ()], "the numbers of two are not taken for those of one"
