"""The ReplayDetection of a header: a number that is used once, and when it was made; knows no sender and keeps no memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.cim.envelope import CimMessage
from harness.cim.finding import CimFinding
from harness.cim.instant import instant_of, lacks_zone
from harness.cim.tree import child, path_of, text

_NAME = "ReplayDetection"
_IN_OCTETS = _NAME.encode()


@dataclass(frozen=True)
class ReplayDetection:
    """What a header says against being replayed, as text; empty where an element is missing or says nothing."""

    nonce: str
    created: str


def replay_detection(message: CimMessage) -> ReplayDetection | None:
    """What the header says; None where it says nothing."""
    if _IN_OCTETS not in message.octets:  # XML has no other way to write a name, and no header is compressed
        return None
    element = child(message.root, "Header", _NAME)
    return None if element is None else ReplayDetection(text(element, "Nonce") or "", text(element, "Created") or "")


def check(message: CimMessage) -> Iterator[CimFinding]:
    """A nonce says something, and was made no later than the message, at an instant with a zone."""
    said = replay_detection(message)
    if said is None:
        return
    path = path_of(message.root, "Header", _NAME)
    if not said.nonce:
        yield CimFinding("replay-detection", "the Nonce is empty", path)
    if lacks_zone(said.created):
        yield CimFinding("time-zone", f"{said.created} leaves its zone open", path)
        return
    created, sent = instant_of(said.created), instant_of(message.header.timestamp) if message.header else None
    if created is not None and sent is not None and created > sent:
        yield CimFinding("replay-detection", f"made at {said.created}, after the message", path)
