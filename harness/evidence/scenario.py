"""The evidence of one scenario: trace, keys, CIM messages, capture; written once, and read back to be judged again.

Every octet written follows from the trace: two runs from one seed leave identical files. Knows no case and no verdict but the
comments it is given for the capture.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from dissectors.capture import IEEE802_15_4, IEEE802_15_4_TAP, CapturedFrame, write_pcapng
from dissectors.key_file import KINDS, KeyEntry, KeyFileError, read_key_file, write_key_file
from harness.declarations import Device
from harness.errors import InputError
from harness.evidence.withheld import Withheld
from harness.trace import ASKED_OF_OPERATOR, LEG_CODEC, Key, Trace
from harness.usecase import Point
from harness.values import Eui64

FOLDER = "scenarios"
TRACE, KEYS, CAPTURE, CIM = "trace.jsonl", "zigbee_pc_keys", "air.pcapng", "cim"
WITHHELD = "withheld"  # in the trace's header: how many secrets were covered
_KEY, _ORDERED, _WITHHELD = "# key ", "# ordered ", "# withheld "  # lines of the key file that Wireshark takes for comments
_ORDER = "order"  # the kind of a withheld key that is the order's material


def write_scenario(run: Path, name: str, trace: Trace, secrets: Sequence[bytes] = ()) -> str:
    """Write what a scenario left, once; returns its folder below the run's. `secrets` are covered wherever they stand."""
    folder = run / FOLDER / name
    if not folder.exists():
        draft = folder.with_name(f".{name}.{os.getpid()}")
        draft.mkdir(parents=True)
        covered = _covered(trace, secrets) if secrets else trace
        (draft / TRACE).write_text("".join(f"{line}\n" for line in covered.lines()), encoding="utf-8")
        write_keys(draft / KEYS, trace, secrets)
        _write_messages(draft / CIM, covered)
        try:
            draft.rename(folder)
        except OSError:  # another xdist worker recorded the same scenario meanwhile
            shutil.rmtree(draft)
    return f"{FOLDER}/{name}"


def read_scenario(folder: Path, device: Device | None = None, leg_codecs: Mapping[str, Any] | None = None) -> Trace:
    """The trace of a scenario with its keys. What was withheld is put back from `device`, the device file it came from.

    `leg_codecs` are those at hand by name: the one that the trace names is given to it, and none is ever loaded on the word of
    a trace. Raises InputError for a file that is missing or wrong.
    """
    secrets = device.confidential if device is not None else ()
    keys, material = read_keys(folder / KEYS, secrets)
    trace = Trace.read(folder / TRACE, keys, material)
    trace.leg_codec = (leg_codecs or {}).get(str(trace.header.about.get(LEG_CODEC)))
    if WITHHELD in trace.header.about and secrets:
        withheld = Withheld(secrets)
        trace.exchanges = [
            replace(each, octets=withheld.uncover(each.octets), about=withheld.uncover_within(each.about)) for each in trace.exchanges
        ]
    return trace


def write_capture(folder: Path, comments: Mapping[int, Sequence[str]]) -> None:
    """Write what was on the air as pcapng, with its channel, and LQI and RSSI where radios measured them.

    `comments` are put on packets by exchange number.
    """
    trace = Trace.read(folder / TRACE)
    start = datetime.fromisoformat(trace.header.epoch).timestamp()
    frames: list[CapturedFrame] = []
    for exchange in trace.at(Point.MAC):
        told = [*(() if exchange.fate == "arrived" else (exchange.fate,)), *comments.get(exchange.number, ())]
        frames.append(CapturedFrame(
            number=len(frames) + 1, time=start + exchange.time, link_type=IEEE802_15_4, octets=exchange.octets,
            comment="\n".join((f"exchange {exchange.number}", *told)), channel=exchange.about.get("channel"),
            lqi=exchange.about.get("lqi"), rssi=exchange.about.get("rssi"),
        ))
    known = any((frame.channel, frame.rssi, frame.lqi) != (None, None, None) for frame in frames)
    write_pcapng(folder / CAPTURE, frames, link_type=IEEE802_15_4_TAP if known else IEEE802_15_4)


def _covered(trace: Trace, secrets: Sequence[bytes]) -> Trace:
    withheld = Withheld(secrets)
    by_hand = {name: withheld.cover_within(value) for name, value in trace.header.about.items() if name == ASKED_OF_OPERATOR}
    covered = Trace(replace(trace.header, about={**trace.header.about, **by_hand, WITHHELD: len(secrets)}))
    covered.attestations = trace.attestations
    covered.exchanges = [
        each if each.point in (Point.MAC, Point.APS)
        else replace(each, octets=withheld.cover(each.octets), about=withheld.cover_within(each.about))
        for each in trace.exchanges
    ]
    return covered


def _write_messages(folder: Path, trace: Trace) -> None:
    for exchange in trace.at(Point.CIM):
        folder.mkdir(exist_ok=True)
        ends = "-".join((end or "unknown").lower().replace(" ", "_") for end in (exchange.producer, exchange.receiver))
        (folder / f"{exchange.number:03d}-{ends}.xml").write_bytes(exchange.octets)


def write_keys(path: Path, trace: Trace, secrets: Sequence[bytes]) -> None:
    """Write the key file of a trace, without `secrets`.

    What Wireshark has no use for stands in comments: private keys of certificates and key establishments, the key material of
    the order, and in the place of a secret which of them it was.
    """
    keys = [key for key in trace.keys if key.octets not in secrets]
    write_key_file(path, (KeyEntry(key.kind, key.octets, key.device) for key in keys if key.kind in KINDS))
    comments = [f"{_KEY}{key.kind} {key.device or '-'} {key.octets.hex()}\n" for key in keys if key.kind not in KINDS]
    order = trace.header.order
    if order.key_material and order.key_material not in secrets:
        comments.append(f"{_ORDERED}{order.key_form} {order.device} {order.key_material.hex()}\n")
    withheld = [(key.kind, key.device, key.octets) for key in trace.keys] + [(_ORDER, order.device, order.key_material)]
    comments += [
        f"{_WITHHELD}{kind} {device or '-'} {secrets.index(octets):02x}\n" for kind, device, octets in withheld if octets in secrets
    ]
    with path.open("a", encoding="ascii") as file:
        file.writelines(comments)


def read_keys(path: Path, secrets: Sequence[bytes] = ()) -> tuple[list[Key], bytes]:
    """The keys of a key file, and the order's key material (empty where it was withheld). Raises InputError.

    `secrets` are what was withheld when it was written: they are put back in their places.
    """
    try:
        entries = read_key_file(path)
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as fault:
        raise InputError(f"{path}: cannot be read: {fault.strerror}") from fault
    except KeyFileError as fault:
        raise InputError(str(fault)) from fault
    keys = [Key(entry.kind or "link", entry.key, None if entry.device is None else Eui64(entry.device)) for entry in entries]
    material = b""
    for number, line in enumerate(lines, start=1):
        mark = next((mark for mark in (_KEY, _ORDERED, _WITHHELD) if line.startswith(mark)), None)
        if mark is None:
            continue
        try:
            kind, device, digits = line.removeprefix(mark).split()
            octets = bytes.fromhex(digits)
            if mark == _KEY and kind in KINDS:
                raise ValueError("these stand in lines that Wireshark reads")
            if mark == _WITHHELD:
                if int(digits, 16) >= len(secrets):
                    continue
                octets = secrets[int(digits, 16)]
            if mark != _ORDERED and kind != _ORDER:
                keys.append(Key(kind, octets, None if device == "-" else Eui64.parse(device)))
            else:
                material = octets
        except ValueError:
            raise InputError(f"{path}: line {number}: right would be `{mark}KIND DEVICE HEX`") from None
    return keys, material
