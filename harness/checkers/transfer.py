"""Step 7: how long messages may be, and how long ones travel in blocks. Knows frames, no bench.

Clauses: 05-3474, 2.2.8.4.5 and 2.3.2.3.9; the sizes and the window are Smart Energy's (SE 1.0, 075356r15, table 5-8).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dissectors import aps, zcl, zdp
from dissectors.smart_energy import MAXIMUM_INCOMING_TRANSFER_SIZE
from harness.checkers.dialogue import ANSWER_TIME, REPEAT_SPAN, dialogue, party
from harness.checkers.reading import Air, Heard, air, attested
from harness.trace import Trace
from harness.usecase import Actor, Point
from harness.verdict import Finding, failed, passed

ACK_TIME = 2.0  # seconds: apscAckWaitDuration is 1.6 s (2.2.7.1)
REPEAT_TIME = 12.0  # seconds (PROFILE) in which a block that nobody acknowledged is sent again: stacks wait 1.6 to 10 s
THIS_BLOCK = 0x01  # the bit of an acknowledgement's bitfield for its first block, which is the only one of a window of one


@dataclass(frozen=True)
class Train:
    """The blocks of one message, in the order they were first sent, each with all its transmissions."""

    by: Actor | None
    to: Actor | None
    blocks: tuple[tuple[Heard, ...], ...]

    @property
    def first(self) -> Heard:
        """The first transmission of the first block."""
        return self.blocks[0][0]

    @property
    def right(self) -> bool:
        """Whether its blocks come in order and are secured alike: what a receiver must be able to take."""
        numbers = [_number(block[0]) for block in self.blocks]
        return numbers == list(range(len(numbers))) and len({_security(block[0]) for block in self.blocks}) == 1

    @property
    def least_length(self) -> int:
        """How long the message is at least, octets: the last block may not have been sent."""
        sizes = [len(block[0].aps.payload) for block in self.blocks]
        announced = self.first.aps.block_number if self.first.aps.fragmentation == aps.Fragmentation.FIRST else 1
        return max(sum(sizes), (announced - 1) * sizes[0] + 1)


def transfer_size_is_advertised(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """07-TRANSFER-SIZE: the node descriptor says that 128 octets or more can be received."""
    for answer in dialogue(trace).by(actor, zdp.NodeDescRsp):
        if answer.command.status == zdp.Status.SUCCESS:
            size = answer.command.node_descriptor.maximum_incoming_transfer_size
            if size >= MAXIMUM_INCOMING_TRANSFER_SIZE:
                yield passed(f"{size} octets can be received", answer.number)
            else:
                yield failed(
                    "the node descriptor advertises too small a transfer size", answer.number,
                    expected=f"{MAXIMUM_INCOMING_TRANSFER_SIZE} octets or more", observed=f"{size} octets",
                    hint="transfer-size-too-small",
                )


def transfer_size_is_respected(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """07-TRANSFER-SIZE: nothing is sent that is longer than the partner's node descriptor says it can receive."""
    talk = dialogue(trace)
    sizes = {
        answer.by: (answer, answer.command.node_descriptor.maximum_incoming_transfer_size)
        for answer in talk.said if answer.is_a(zdp.NodeDescRsp) and answer.command.status == zdp.Status.SUCCESS
    }
    for train in _trains(trace):
        if train.by is not actor or train.to not in sizes:
            continue
        answer, size = sizes[train.to]
        if train.least_length > size:
            yield failed(
                "a message was sent that is longer than its addressee can receive", answer.number, train.first.number,
                expected=f"{size} octets at most", observed=f"{train.least_length} octets or more",
                hint="transfer-size-ignored",
            )
        else:
            yield passed("a long message fits its addressee", answer.number, train.first.number)


def blocks_are_right(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """07-FRAGMENTS of a sender: numbered blocks, each acknowledged before the next, each secured like the first."""
    heard = air(trace)
    for train in _trains(trace):
        if train.by is not actor:
            continue
        numbers = [_number(block[0]) for block in train.blocks]
        hasty = next((each[0] for before, each in _pairs(train) if not _acknowledged(heard, before, each[0].time)), None)
        odd = next((block[0] for block in train.blocks if _security(block[0]) != _security(train.first)), None)
        silent = next((block[0] for block in train.blocks if not block[0].aps.ack_request), None)
        if numbers != list(range(len(numbers))) or len(numbers) > train.first.aps.block_number:
            expected = f"0 to {train.first.aps.block_number - 1}, one after the other"
            yield _wrong("blocks are numbered wrongly", train.first, expected, ", ".join(map(str, numbers)), "block-numbers")
        elif odd is not None:
            yield _wrong("a block is secured otherwise than the first", odd, _words(train.first), _words(odd), "later-block-unsecured")
        elif silent is not None:
            yield _wrong(
                "a block asks for no acknowledgement", silent, "an acknowledgement request", "none",
                "block-without-acknowledgement-request",
            )
        elif hasty is not None:
            yield _wrong(
                "a block was sent before the one before it was acknowledged", hasty, "a window of 1", "a larger one",
                "window-above-one",
            )
        else:
            yield passed(f"{len(numbers)} blocks, one by one", *(block[0].number for block in train.blocks))


def blocks_are_taken(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """07-FRAGMENTS of a receiver: each block is acknowledged by its number, with its bit set."""
    heard = air(trace)
    for train in _trains(trace):
        limit = MAXIMUM_INCOMING_TRANSFER_SIZE
        if train.to is not actor or train.least_length > limit or not train.right:
            continue
        for block in train.blocks:
            arrived = next((each for each in block if each.arrived and heard.is_acknowledged(each)), None)
            if arrived is None:
                continue
            acks = list(_acks(heard, block, arrived.time + ACK_TIME * len(block)))
            right = next((ack for ack in acks if ack.aps.ack_bitfield is not None and ack.aps.ack_bitfield & THIS_BLOCK), None)
            if right is not None:
                yield passed(f"block {_number(arrived)} was acknowledged", arrived.number, right.number)
            elif acks or attested(trace, Point.MAC, arrived.time, arrived.time + ACK_TIME, arrived.channel):
                observed = f"bitfield {acks[0].aps.ack_bitfield}" if acks else "none"
                expected = f"an APS acknowledgement of block {_number(arrived)}, its bit set"
                yield _wrong("a block was not acknowledged", arrived, expected, observed, "block-said-to-be-lost" if acks else None)


def lost_blocks_are_sent_again(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """07-FRAGMENTS of a sender: a block that nobody acknowledged is sent again (05-3474, 2.2.8.4.4)."""
    heard = air(trace)
    for train in _trains(trace):
        if train.by is not actor:
            continue
        for block in train.blocks:
            first, until = block[0], block[0].time + REPEAT_TIME
            again = next((each for each in block if _counter(each) != _counter(first)), None)
            if again is not None:
                yield passed(f"block {_number(first)} was sent again", first.number, again.number)
            elif not any(_acks(heard, block, until)) and attested(trace, Point.MAC, first.time, until, first.channel):
                expected = "further transmissions of it, under new frame counters"
                yield _wrong("a block that was not acknowledged was not sent again", first, expected, "none", "lost-block-given-up")


def mixed_blocks_have_no_effect(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """07-FRAGMENTS of a receiver: a message of which a block is secured otherwise than the first is not taken; one whose blocks
    come in another order is put together or passed over."""
    talk = dialogue(trace)
    whole = {block[0].number: said for said in talk.said for block in said.blocks}
    for train in _trains(trace):
        if train.to is not actor or train.right:
            continue
        odd = next((block[0] for block in train.blocks if _security(block[0]) != _security(train.first)), None)
        said = whole.get(train.first.number)
        answers = [] if said is None else talk.answers(said)
        taken = next((each for each in answers if not each.is_a(zcl.DefaultResponse)), None)
        if odd is not None and taken is not None:
            yield failed(
                "a message was taken of which a block was secured otherwise than the first", odd.number, taken.number,
                expected="silence, or Default Response FAILURE", observed=taken.name, hint="unsecured-block-taken",
            )
        elif attested(trace, Point.MAC, train.first.time, train.first.time + ANSWER_TIME, train.first.channel):
            what = "out of order" if odd is None else "secured differently"
            yield passed(f"blocks {what} did no harm", *(block[0].number for block in train.blocks))


def _trains(trace: Trace) -> list[Train]:
    underway: dict[tuple[int, int, int], dict[int, list[Heard]]] = {}
    found: list[tuple[tuple[int, int, int], dict[int, list[Heard]]]] = []
    for each in air(trace):
        if not _is_block(each, aps.FrameType.DATA) or each.aps.payload is None:
            continue
        name = (each.nwk.source, each.nwk.dest, each.aps.counter)
        blocks = underway.get(name)
        if blocks is None or each.time - max(block[-1].time for block in blocks.values()) > REPEAT_SPAN:
            blocks = underway[name] = {}
            found.append((name, blocks))
        blocks.setdefault(_number(each), []).append(each)
    return [
        Train(party(trace, source), party(trace, dest), tuple(tuple(block) for block in blocks.values()))
        for (source, dest, _), blocks in found
    ]


def _is_block(heard: Heard, kind: aps.FrameType) -> bool:
    header = heard.aps
    return (
        header is not None and header.frame_type == kind and bool(header.extended_header_present)
        and header.fragmentation in (aps.Fragmentation.FIRST, aps.Fragmentation.PART)
    )


def _number(heard: Heard) -> int:
    """The number of a block, from 0."""
    first = heard.aps.frame_type == aps.FrameType.DATA and heard.aps.fragmentation == aps.Fragmentation.FIRST
    return 0 if first else int(heard.aps.block_number)


def _counter(heard: Heard) -> int | None:
    """The NWK frame counter: a MAC retransmission repeats it, an APS retry does not."""
    auxiliary = heard.nwk.security
    return None if auxiliary is None else int(auxiliary.frame_counter)


def _pairs(train: Train) -> Iterator[tuple[tuple[Heard, ...], tuple[Heard, ...]]]:
    return zip(train.blocks, train.blocks[1:], strict=False)


def _acks(heard: Air, block: tuple[Heard, ...], until: float) -> Iterator[Heard]:
    sent = block[0]
    for each in heard.between(sent.time, until):
        if not _is_block(each, aps.FrameType.ACK) or (each.nwk.source, each.nwk.dest) != (sent.nwk.dest, sent.nwk.source):
            continue
        if each.aps.counter == sent.aps.counter and _number(each) == _number(sent):
            yield each


def _acknowledged(heard: Air, block: tuple[Heard, ...], until: float) -> bool:
    return any(each.arrived for each in _acks(heard, block, until))


def _security(heard: Heard) -> tuple[bool, str | None]:
    return bool(heard.aps.security_enabled), heard.frame.aps_key_kind


def _words(heard: Heard) -> str:
    return "APS security" if heard.aps.security_enabled else "no APS security"


def _wrong(message: str, heard: Heard, expected: str, observed: str, hint: str | None) -> Finding:
    return failed(message, heard.number, expected=expected, observed=observed, hint=hint)
