"""All that one CIM message alone can get wrong, from its octets to its meaning; knows neither sender nor other messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import islice
from pathlib import Path

from lxml import etree

from harness.cim import (
    end_device_config,
    end_device_controls,
    end_device_events,
    master_data_linkage_config,
    meter_config,
    operation_set,
    replay,
)
from harness.cim.envelope import CimMessage, read
from harness.cim.finding import CimFinding
from harness.cim.instant import instant_of
from harness.cim.rules import check_envelope
from harness.cim.schema import MAX_FINDINGS, noun_of, second_opinion, validate
from harness.cim.tree import MAX_OCTETS, local
from harness.cim_profile import DEFAULT, CimProfile
from harness.errors import InputError
from harness.verdict import Verdict

TESTING = "TESTING"

_PAYLOAD_RULES: dict[str, Callable[[etree._Element, datetime | None, datetime | None, CimProfile], Iterator[CimFinding]]] = {
    module.NOUN: module.check
    for module in (end_device_config, end_device_controls, end_device_events, master_data_linkage_config, meter_config)
}
_AS_TOLD = {"2008": replace(DEFAULT, envelope="2008"), "2011": DEFAULT}  # by what namespaces tell


def check_message(
    octets: bytes, now: datetime | None = None, *, profile: CimProfile | None = None, context: str | None = TESTING,
    second: bool = False,
) -> list[CimFinding]:
    """What is wrong with a message; nothing with a verdict of fail when it is right.

    `now` is the receiver's UTC time on arrival: without it nothing is too old or too early. `profile` is the receiver's (None:
    the default one, in the generation that the namespaces tell). `context` is what a header's Context must be where it has one
    (None: anything). `second` asks xmlschema whether it agrees with lxml.
    """
    message, findings = read(octets)
    if message is None or (findings and any(finding.failed for finding in findings)):
        return findings
    return findings + check_read(message, now, profile=profile, context=context, second=second)


def check_read(
    message: CimMessage, now: datetime | None = None, *, profile: CimProfile | None = None, context: str | None = TESTING,
    second: bool = False,
) -> list[CimFinding]:
    """The same for a message that is already read, without the layer of XML."""
    profile = profile or _AS_TOLD[message.generation]
    invalid = validate(message, profile.envelope)
    findings = list(invalid)
    if second and bool(invalid) != bool(opinion := second_opinion(message, profile.envelope)):
        said = opinion[0] if opinion else "nothing wrong"
        findings.append(CimFinding("validators-disagree", f"xmlschema says: {said}", verdict=Verdict.INCONC))
    if not invalid or all("/Payload/" in finding.path for finding in invalid):
        findings += check_envelope(message, now, context)
        findings += [*replay.check(message), *islice(operation_set.check(message), MAX_FINDINGS)]
    if not invalid and message.payload is not None and not operation_set.holds_one(message):
        findings += _check_payload(message, message.payload, now, profile)
    return findings


def check_file(
    path: Path, now: datetime | None = None, *, profile: CimProfile | None = None, context: str | None = TESTING,
    second: bool = False,
) -> list[CimFinding]:
    """The findings on the message in a file. Raises InputError when the file cannot be read."""
    return check_message(read_octets(path), now, profile=profile, context=context, second=second)


def read_octets(path: Path) -> bytes:
    """What a file holds, read once: it may be a pipe. Raises InputError when it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(64 * MAX_OCTETS)  # enough to say how much too long it is; some files never end
    except (OSError, ValueError) as fault:  # ValueError: a name that no file can have
        said = getattr(fault, "strerror", None) or fault
        raise InputError(f"{path}: cannot be read: {said}; give a CIM message or a recorded exchange") from fault


def _check_payload(
    message: CimMessage, payload: etree._Element, now: datetime | None, profile: CimProfile,
) -> Iterable[CimFinding]:
    noun = noun_of(message)
    if noun is None:
        return [CimFinding("payload-unknown", f"no schema for {local(payload)}", "/Payload", Verdict.INCONC)]
    made = instant_of(message.header.timestamp) if message.header else None
    return islice(_PAYLOAD_RULES[noun](payload, made, now, profile), MAX_FINDINGS)
