"""Captures as others would have taken them of a run's air, for the tests of `hanproof audit`: packets, files, and what an audit says."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path

from cases.table import clauses
from dissectors.capture import CapturedFrame, write_pcapng
from harness.audit.intake import Intake
from harness.audit.known import Claimant, Known
from harness.audit.verdicts import Audited, audit
from harness.bench import Bench
from harness.crypto.install_code import InstallCodeError, ordered_link_key
from harness.judge import Judgement, judge
from harness.tests.test_defects import BREAKING, bench_file
from harness.trace import Key, Trace
from harness.usecase import Clause, Point
from harness.values import Eui64

STEPS = ("05", "06", "07", "08", "09")
DEVICES = [device.name for device in bench_file().devices]


@cache
def asked() -> tuple[Clause, ...]:
    """The clauses of steps 5 to 9."""
    return tuple(clause for clause in clauses().values() if clause.step in STEPS)


@cache
def run_of(device: str, *defects: str) -> Trace:
    """The undisturbed provisioning of a device, or one with defects planted."""
    bench = Bench(bench_file(), bench_file().device(device), defects=tuple(BREAKING[each] for each in defects))
    bench.play()
    bench.close()
    return bench.trace


@cache
def verdicts_of(device: str, *defects: str) -> dict[str, Judgement]:
    """What the run itself says, by clause and actor."""
    return {each.id: each for each in judge(run_of(device, *defects), asked())}


def packets(trace: Trace, link_type: int = 283, start: int = 1) -> list[CapturedFrame]:
    """A run's air as a sniffer hears it: nobody's name on a frame, the channel only where the link type has it."""
    epoch = datetime.fromisoformat(trace.header.epoch).timestamp()
    return [
        CapturedFrame(
            number, epoch + each.time, link_type, each.octets, channel=each.about.get("channel") if link_type == 283 else None,
        )
        for number, each in enumerate(trace.at(Point.MAC), start=start)
    ]


def write(path: Path, trace: Trace, link_type: int = 283, cut: Callable[[list[CapturedFrame]], list[CapturedFrame]] = list) -> Path:
    """Write what was heard as pcapng."""
    write_pcapng(path, cut(packets(trace, link_type)), link_type)
    return path


def intake_of(trace: Trace, heard: Iterable[CapturedFrame], keys: Iterable[Key] | None = None) -> Intake:
    """What was heard, with the keys of the run or with these."""
    order, ordered = trace.header.order, {}
    with suppress(InstallCodeError):
        ordered[ordered_link_key(order.key_form, order.key_material)] = order.device
    intake = Intake(trace.keys, ordered) if keys is None else Intake(keys)
    for packet in heard:
        intake.take(packet)
    return intake


def audited(
    trace: Trace, heard: Iterable[CapturedFrame] | None = None, keys: Iterable[Key] | None = None,
    claimants: Mapping[Eui64, Claimant] | None = None,
) -> list[Audited]:
    """The joins that an audit finds, with the public key of the run's authority, and with what is claimed."""
    known = Known(claimants or {}, authority_of(trace))
    return audit(intake_of(trace, packets(trace) if heard is None else heard, keys), asked(), known)


def authority_of(trace: Trace) -> dict[str, str]:
    """The authority of a run, public."""
    return {name: trace.header.pixit[name] for name in ("issuer", "ca")}


def claimant_of(device: str, **pics: bool | None) -> Claimant:
    """What a device of the bench claims, with some items otherwise."""
    declared = bench_file().device(device)
    return Claimant(device, declared.device_type, declared.link_key, {**declared.pics, **pics})


def judgements(joins: Iterable[Audited]) -> list[Judgement]:
    """All of them."""
    return [judgement for join in joins for step in join.steps.values() for judgement in step]


def pcap(link_type: int, wrapped: Iterable[tuple[float, bytes]]) -> bytes:
    """A pcap file in microseconds."""
    records = (
        struct.pack("<4I", int(time), int(time % 1 * 1e6), len(octets), len(octets)) + octets for time, octets in wrapped
    )
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 16, link_type) + b"".join(records)


def zep(frame: CapturedFrame) -> bytes:
    """The frame as a ZEP v2 datagram with its FCS."""
    header = struct.pack(">2sBBBHBBQI10xB", b"EX", 2, 1, frame.channel or 11, 1, 1, 200, 0, frame.number, len(frame.octets))
    return header + frame.octets


def wrong(keys: Iterable[Key]) -> list[Key]:
    """The same keys, each with a bit turned in every octet."""
    return [replace(key, octets=bytes(octet ^ 1 for octet in key.octets)) for key in keys]
