"""One play twice: in virtual time, and in real time in two processes over a socket radio; the same verdicts, the same order of frames in
each conversation.

`python -m harness.tests.parity [REPETITIONS]` plays every pair of role and device so often, and says where two plays differ.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from difflib import unified_diff
from functools import partial
from math import inf
from pathlib import Path
from typing import Any, TypeVar

from cases.table import clauses
from dissectors import aps, mac, nwk, zdp_management
from harness.bench import Bench
from harness.checkers.reading import Heard, air
from harness.declarations import BenchFile, Device, Filled, read_bench
from harness.judge import judge
from harness.plan import Plan
from harness.radio_declaration import Plugged
from harness.stack.happenings import ApplicationDone, DeviceProvisioned
from harness.stack.polling import LISTENING_TIME
from harness.tests.served import ServedProcess, serving
from harness.trace import Trace
from harness.usecase import ACROSS_THE_HAN, Actor
from harness.verdict import Verdict

VIRTUAL = read_bench(Path(__file__).parents[2] / "fixtures" / "benches" / "virtual.yaml")
RCP = "harness.radio.rcp:Rcp"
THERE = "harness.tests.peers.on_served_air:There"
CHANNEL = 15  # of our virtual ESI
WITHIN = 30.0  # seconds in which a device is provisioned
WITHOUT_DELAY = replace(VIRTUAL, window_start=0.0, latencies={})
REST = 3.0  # seconds until what was begun then is over
AIR = ("05", "06", "07", "08", "09")  # the steps that the air can show
REPEATED = 10.0  # seconds within which the same MAC sequence number is that of the same frame
AGAIN = 5  # times that a play is repeated in which an answer came too late
LATE = "were played again, since an answer came too late for a device that listened"
UNREAD = "Nwk AuxiliaryHeader"  # nobody knows the network key: it may as well be a link status
SAID_AGAIN = (zdp_management.MgmtPermitJoiningReq,)  # to all, and once is enough: how often in a row is a matter of time
BY_TIME = (mac.BeaconRequest, mac.DataRequest, nwk.LinkStatus)  # how many there are is a matter of time
DUTS = {Actor.HAN_DEVICE: (Actor.HAN_DEVICE,), Actor.ESI: (Actor.NIC, Actor.ESI)}


@dataclass(frozen=True)
class Played:
    """One play: its trace, and how it ended."""

    trace: Trace
    is_provisioned: bool

    def verdicts(self) -> dict[str, Verdict]:
        """By clause and actor, those of the air."""
        asked = [clause for clause in clauses().values() if clause.step in AIR]
        return {each.id: each.verdict for each in judge(self.trace, asked)}


Sent = dict[str, list[str]]
"""What was sent in each conversation of an actor, in order."""


def sent_by(trace: Trace, until: float = inf) -> Sent:
    """What every actor sent up to an instant, in order, by what is in it, of each conversation apart: how two of them interleave is a
    matter of timers. What came again because nobody had heard it counts once."""
    sent: Sent = {}
    numbers: dict[tuple[Any, ...], float] = {}
    for each in air(trace):
        actor = _sender(each, trace)
        kind = " ".join(record.layer.__name__ for record in each.frame.records())
        if actor is None or each.time > until or kind.endswith(UNREAD) or any(each.find(layer) is not None for layer in BY_TIME):
            continue
        conversation = f"{actor}, {_conversation(each)}"
        said = sent.setdefault(conversation, [])
        again = said[-1:] == [kind] and any(each.find(layer) is not None for layer in SAID_AGAIN)
        number = (conversation, kind, *_number(each))
        is_new = each.time - numbers.get(number, -REPEATED) >= REPEATED
        if is_new and each.find(mac.AssociationRequest) is not None:
            numbers.clear()  # who joins counts from anywhere
        if is_new and not again:
            said.append(kind)
        numbers[number] = each.time
    return sent


def _number(heard: Heard) -> tuple[Any, ...]:
    """What a frame has in common with its repetitions: its APS counter and block, or its MAC sequence number."""
    if heard.aps is not None and heard.aps.counter is not None:
        return heard.aps.counter, heard.aps.block_number
    return (heard.mac.sequence if heard.mac is not None else None,)


def comes_late(trace: Trace) -> bool:
    """Whether a device listened in vain for what its parent said to have for it: the machine that plays the parent was too busy to give it
    in time, and the device goes on otherwise than in virtual time, where nobody is ever late."""
    polls: dict[int | None, bool] = {}  # by MAC sequence number: those that await an acknowledgement
    until = inf
    for each in air(trace):
        if each.mac is None:
            continue
        if each.find(mac.DataRequest) is not None:
            polls, until = {each.mac.sequence: True}, inf
        elif each.mac.frame_type == mac.FrameType.ACK:
            if polls.pop(each.mac.sequence, False) and each.mac.frame_pending:
                until = each.time + LISTENING_TIME
        elif each.time > until:
            return True
        else:  # if it is the device's own, that takes the channel
            until = inf
    return False


Play = TypeVar("Play")


def in_time(play: Callable[[], Play], is_disturbed: Callable[[Play], bool]) -> tuple[Play, int]:
    """A play that was not disturbed, or the last of `AGAIN` more; and how many were played before it."""
    for times in range(AGAIN):
        played = play()
        if not is_disturbed(played):
            return played, times
    return play(), AGAIN


def virtual(judged: Actor, device: Device) -> Played:
    """In virtual time."""
    return play(replace(WITHOUT_DELAY, dut=DUTS[judged]), device)


def real(judged: Actor, device: Device) -> Played:
    """In real time, whoever is judged in another process, and a sniffer beside."""
    with serving("air", "--radios", "2", *role_of(judged, device), "--control") as there:
        return play(bench_of(there, judged), device)


def role_of(judged: Actor, device: Device) -> tuple[str, str]:
    """Who is on a served air, as its options say it."""
    return "--han-device" if judged is Actor.HAN_DEVICE else "--esi", device.name


def bench_of(there: ServedProcess, judged: Actor, file: BenchFile = WITHOUT_DELAY) -> BenchFile:
    """The same bench, in which who is judged is on a served air."""
    filled = Filled(THERE, {"control": there.where["control"], "said": there})
    along = {Actor.NIC: replace(filled, along=Actor.ESI)} if judged is Actor.ESI else {}
    radios = {
        str(ACROSS_THE_HAN[judged]): Plugged(RCP, {"port": there.where["radio 1"]}),
        "sniffer": Plugged(RCP, {"port": there.where["radio 2"], "channel": str(CHANNEL)}),
    }
    return replace(file, dut=DUTS[judged], adapters={**file.adapters, **along, judged: filled}, radios=radios)


def play(file: BenchFile, device: Device) -> Played:
    """Have a device provisioned on a bench, and judge it."""
    bench = Bench(file, device, Plan(window_duration=WITHIN), scenario="parity")
    done = DeviceProvisioned if Actor.HAN_DEVICE in file.dut else ApplicationDone
    try:
        bench.open()
        bench.switch_on()
        provisioned = bench.wait_until(lambda: bench.happened(done), WITHIN)
        bench.wait_until(lambda: False, REST)
    finally:
        bench.close()
    return Played(bench.trace, provisioned)


def _sender(heard: Heard, trace: Trace) -> Actor | None:
    """Who sent a frame, by its address; an acknowledgement has none."""
    header = heard.mac
    if header is None or header.frame_type == mac.FrameType.ACK:
        return None
    if header.source_ieee is not None:
        return Actor.HAN_DEVICE if header.source_ieee == trace.header.order.device else Actor.ESI
    return Actor.ESI if header.source_short == nwk.COORDINATOR else Actor.HAN_DEVICE


def _conversation(heard: Heard) -> str:
    """By the cluster, acknowledgements by themselves: an actor that asks and is asked the same at once does so in any order."""
    if heard.nwk is None:
        return "MAC"
    if heard.aps is None or heard.aps.cluster is None:
        return "network"
    return f"{'acknowledgements of ' if heard.aps.frame_type == aps.FrameType.ACK else ''}cluster {heard.aps.cluster:04x}"


def differences(one: Played, other: Played) -> Iterator[str]:
    """In what two plays differ, a line each."""
    if not (one.is_provisioned and other.is_provisioned):
        yield f"provisioned: {one.is_provisioned}, {other.is_provisioned}"
    theirs = other.verdicts()
    for clause, verdict in one.verdicts().items():
        if theirs.get(clause) not in (verdict, *((Verdict.PASS,) if verdict is Verdict.NONE else ())):  # what repeats is judged as well
            yield f"{clause}: {verdict}, {theirs.get(clause)}"
    yield from difference_of_frames(one.trace, other.trace)


def difference_of_frames(one: Trace, other: Trace) -> Iterator[str]:
    """In what was sent two plays differ, a line each. What was said in their last `REST` seconds, one of them may have been stopped from
    saying."""
    ours, others = sent_by(one), sent_by(other)
    whole = [sent_by(each, max(attestation.end or 0.0 for attestation in each.attestations) - REST) for each in (one, other)]
    for each in sorted({*ours, *others}):
        count = max(len(sent.get(each, [])) for sent in whole)
        for line in unified_diff(ours.get(each, [])[:count], others.get(each, [])[:count], n=0, lineterm=""):
            if not line.startswith(("---", "+++", "@@")):
                yield f"{each}: {line}"


def compared(judged: Actor, device: Device, expected: Played) -> tuple[list[str], int]:
    """In what a play in real time differs, and how often it was played again because an answer came too late."""
    played, again = in_time(
        partial(real, judged, device), lambda one: any(differences(expected, one)) and comes_late(one.trace)
    )
    return list(differences(expected, played)), again


def main(repetitions: int) -> int:
    """Play all pairs; returns how many differed."""
    differed = late = 0
    for judged in DUTS:
        for device in VIRTUAL.devices:
            expected = virtual(judged, device)
            for repetition in range(1, repetitions + 1):
                found, again = compared(judged, device, expected)
                differed, late = differed + bool(found), late + again
                print(f"{judged} {device.name} {repetition}: {'; '.join(found) or 'the same'}", flush=True)
    print(f"{differed} differed; {late} {LATE}")
    return differed


if __name__ == "__main__":
    sys.exit(min(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1), 1))
