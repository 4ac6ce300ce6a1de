"""Long ASDUs: cut, acknowledged block by block, put together, given up when a block stays away."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from dissectors.aps import Aps, Fragmentation, FrameType
from dissectors.frame import Frame
from dissectors.layer import Record
from dissectors.mac import MAX_PSDU
from harness.faults import drop
from harness.stack.fragmentation import Reassembly, acknowledges, block_index, extended_header, is_fragment, split
from harness.stack.policy import Policy
from harness.stack.primitives import AsduConfirm, AsduIndication, LinkKeyKind
from harness.tests.virtual_party import Party, asdu

LONG = bytes(range(200))


@pytest.fixture
def party() -> Party:
    return Party()


def is_block(frame: Frame, index: int | None = None) -> bool:
    return (
        frame.aps is not None and frame.aps.frame_type == FrameType.DATA and is_fragment(frame.aps)
        and (index is None or block_index(frame.aps) == index)
    )


def is_block_ack(frame: Frame) -> bool:
    return frame.aps is not None and frame.aps.frame_type == FrameType.ACK and is_fragment(frame.aps)


@pytest.mark.parametrize("sleepy", [False, True])
@pytest.mark.parametrize("link_key", [False, True])
def test_200_octets_both_ways(party: Party, link_key: bool, sleepy: bool) -> None:
    esi, pct = party.pair(sleepy=sleepy)
    pct.data(asdu(0, LONG, link_key=link_key, max_transfer=256), party.now)
    party.run(5.0)
    esi.data(asdu(pct.short_address, LONG, link_key=link_key, max_transfer=256), party.now)
    party.run(60.0)
    kind = LinkKeyKind.PRECONFIGURED if link_key else None
    for name in ("esi", "pct"):
        assert party.received(name) == [LONG]
        assert party.last(name, AsduIndication).key is kind
        assert party.last(name, AsduConfirm).status == "success"
        blocks = party.frames(is_block, name)
        assert [frame.aps.fragmentation for frame in blocks if frame.aps] == [Fragmentation.FIRST] + [Fragmentation.PART] * 2
        assert [frame.aps.block_number for frame in blocks if frame.aps] == [3, 1, 2]
        assert max(len(frame.octets) for frame in blocks) <= MAX_PSDU
        assert all((frame.security.aps == "ok") is link_key for frame in blocks)
        acks = [frame.aps for frame in party.frames(is_block_ack, name) if frame.aps]
        assert [(ack.block_number, ack.ack_bitfield) for ack in acks] == [(0, 0xFF), (1, 0xFF), (2, 0xFF)]


def block_number(index: int) -> Callable[[Frame], bool]:
    return lambda frame: is_block(frame, index)


def block_ack_number(index: int) -> Callable[[Frame], bool]:
    return lambda frame: is_block_ack(frame) and frame.aps is not None and frame.aps.block_number == index


@pytest.mark.parametrize("chosen", [block_number, block_ack_number])
@pytest.mark.parametrize("index", range(3))
@pytest.mark.parametrize("sender", ["esi", "pct"])
def test_each_block_or_acknowledgement_lost_once(
    party: Party, sender: str, index: int, chosen: Callable[[int], Callable[[Frame], bool]],
) -> None:
    esi, pct = party.pair()
    source, dest, short = (esi, "pct", pct.short_address) if sender == "esi" else (pct, "esi", 0)
    with party.air.suffering(drop(chosen(index))):
        source.data(asdu(short, LONG, max_transfer=256), party.now)
        party.run(20.0)
    assert party.received(dest) == [LONG]
    assert party.last(sender, AsduConfirm).status == "success"
    assert len(party.frames(is_block, sender)) > 3


def test_every_block_and_acknowledgement_lost_once(party: Party) -> None:
    _, pct = party.pair()
    faults = [drop(chosen(index)) for chosen in (block_number, block_ack_number) for index in range(3)]
    with party.air.suffering(*faults):
        pct.data(asdu(0, LONG, link_key=True, max_transfer=256), party.now)
        party.run(60.0)
    assert party.received("esi") == [LONG]
    blocks = {frame.octets: frame.aps.security.frame_counter for frame in party.frames(is_block, "pct") if frame.aps}
    assert list(blocks.values()) == list(range(9))  # each block: lost, acknowledgement lost, acknowledged; no counter twice


def test_a_block_that_never_arrives_is_given_up(party: Party) -> None:
    _, pct = party.pair()
    with party.air.suffering(drop(block_number(1), times=None)):
        pct.data(asdu(0, LONG, max_transfer=256), party.now)
        party.run(30.0)
    assert party.received("esi") == []
    assert party.last("pct", AsduConfirm).status == "no_ack"
    assert party.nodes["esi"]._layers.aps._reassemblies == {}


@pytest.mark.parametrize(
    ("length", "status"), [(80, "success"), (82, "success"), (83, "success"), (128, "success"), (129, "too_long")]
)
def test_what_fits_goes_whole_and_128_octets_are_the_default_limit(party: Party, length: int, status: str) -> None:
    _, pct = party.pair()
    pct.data(asdu(0, bytes(length)), party.now)
    party.run(5.0)
    assert party.last("pct", AsduConfirm).status == status
    assert bool(party.frames(is_block, "pct")) is (82 < length <= 128)
    whole = [len(frame.octets) for frame in party.frames(lambda frame: frame.aps is not None, "pct")]
    assert length != 82 or max(whole) == MAX_PSDU


def test_with_a_link_key_73_octets_fit(party: Party) -> None:
    _, pct = party.pair()
    for length in (73, 74):
        pct.data(asdu(0, bytes(length), link_key=True), party.now)
        party.run(5.0)
    assert len(party.frames(is_block, "pct")) == 2
    assert party.received("esi") == [bytes(73), bytes(74)]


def test_a_broadcast_is_never_cut(party: Party) -> None:
    esi, _ = party.pair()
    handle = esi.data(asdu(0xFFFF, LONG, max_transfer=256), party.now)
    party.run(1.0)
    assert party.status("esi", handle) == "too_long"


@pytest.mark.parametrize(("checks", "received"), [(True, []), (False, [LONG])])
def test_more_than_a_node_takes_is_not_acknowledged(party: Party, checks: bool, received: list[bytes]) -> None:
    _, pct = party.pair(Policy(checks_reassembly_limit=checks), max_transfer=128)
    pct.data(asdu(0, LONG, max_transfer=256), party.now)
    party.run(10.0)
    assert party.received("esi") == received


def test_a_node_that_knows_no_fragments(party: Party) -> None:
    _, pct = party.pair(Policy(reassembles=False))
    pct.data(asdu(0, LONG, max_transfer=256), party.now)
    party.run(10.0)
    assert party.received("esi") == []
    assert party.last("pct", AsduConfirm).status == "no_ack"


@pytest.mark.parametrize(("checks", "received", "status"), [(True, [], "no_ack"), (False, [LONG], "success")])
def test_a_later_block_that_is_not_secured_like_the_first_is_not_taken(
    party: Party, checks: bool, received: list[bytes], status: str,
) -> None:
    _, pct = party.pair(Policy(checks_every_block=checks), pct_policy=Policy(secures_every_block=False))
    pct.data(asdu(0, LONG, link_key=True, max_transfer=256), party.now)
    party.run(30.0)
    secured = [frame.aps.security_enabled for frame in party.frames(is_block, "pct") if frame.aps]
    assert secured[0] == 1
    assert not any(secured[1:])
    assert party.received("esi") == received
    assert party.last("pct", AsduConfirm).status == status
    if received:
        assert party.last("esi", AsduIndication).key is LinkKeyKind.PRECONFIGURED


def test_blocks_that_are_sent_the_last_one_first_arrive_whole(party: Party) -> None:
    _, pct = party.pair(pct_policy=Policy(blocks_in_order=False))
    pct.data(asdu(0, LONG, max_transfer=256), party.now)
    party.run(5.0)
    assert [block_index(frame.aps) for frame in party.frames(is_block, "pct") if frame.aps] == [2, 1, 0]
    assert party.received("esi") == [LONG]
    assert party.last("pct", AsduConfirm).status == "success"


def test_blocks_that_wait_for_nothing_are_not_50_ms_apart(party: Party) -> None:
    _, pct = party.pair(pct_policy=Policy(waits_for_each_block=False))
    pct.data(asdu(0, LONG, max_transfer=256), party.now)
    party.run(5.0)
    times = [seen.time for seen in party.seen if is_block(seen.frame)]
    assert len(times) == 3
    assert all(later - earlier < 0.05 for earlier, later in pairwise(times))
    assert party.received("esi") == [LONG]


def test_blocks_are_50_ms_apart(party: Party) -> None:
    _, pct = party.pair()
    pct.data(asdu(0, LONG, max_transfer=256), party.now)
    party.run(5.0)
    times = [seen.time for seen in party.seen if is_block(seen.frame)]
    assert all(0.05 < later - earlier < 0.08 for earlier, later in pairwise(times))


@pytest.mark.parametrize(("length", "sizes"), [(0, [0]), (5, [5]), (6, [5, 1]), (10, [5, 5]), (11, [5, 5, 1])])
def test_split(length: int, sizes: list[int]) -> None:
    assert [len(block) for block in split(bytes(length), 5)] == sizes


def block(index: int, total: int) -> Record:
    return Aps.of(frame_type=FrameType.DATA).replace(**extended_header(index, total))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 1, 0, 2)])
def test_blocks_are_put_together_in_any_order(order: tuple[int, ...]) -> None:
    reassembly = Reassembly(100)
    for index in order:
        assert reassembly.whole is None
        assert reassembly.takes(block(index, 3), b"%d" % index)
        reassembly.add(block(index, 3), b"%d" % index)
    assert reassembly.whole == b"012"


def test_a_block_beyond_the_whole_does_not_belong() -> None:
    reassembly = Reassembly(100)
    reassembly.add(block(0, 3), b"a")
    assert not reassembly.takes(block(3, 4), b"d")
    assert not reassembly.takes(block(0, 50), b"abc")


def test_an_acknowledgement_without_the_bit_is_no_acknowledgement() -> None:
    ack = Aps.of(frame_type=FrameType.ACK, extended_header_present=1, fragmentation=Fragmentation.PART, block_number=1)
    assert acknowledges(ack.replace(ack_bitfield=0xFF), 1, 3)
    assert not acknowledges(ack.replace(ack_bitfield=0xFE), 1, 3)
    assert not acknowledges(ack.replace(ack_bitfield=0xFF), 2, 3)
    assert not acknowledges(ack.replace(ack_bitfield=0xFF), 0, 1)
