"""The rules about the use case's own course: step 1, then 13, then 14, all about one device, meter, premise and window.

Knows what those steps say and who says it to whom; how a message is answered stands in `answers`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from lxml import etree

from harness.cim import codes, end_device_controls
from harness.cim.answers import Asked, paired
from harness.cim.codes import Code
from harness.cim.end_device_controls import ControlText
from harness.cim.envelope import Kind
from harness.cim.identity import eui64_of, name_in
from harness.cim.instant import instant_of
from harness.cim.record import Record, RecordedFinding, Recording, found
from harness.cim.redaction import redacted
from harness.cim.rules import MIN_KEY_DIGITS
from harness.cim.tree import child, children, local, text
from harness.cim_profile import CimProfile
from harness.usecase import Actor

TO_REGISTER = timedelta(seconds=60)  # docs/cim-profile.md: how long a device that is inside may take after the window's end
TOLERANCE = timedelta(seconds=1)
_MINUTE = 60.0

STEP_1 = (Actor.DR_APPLICATION, Actor.AMI_HEAD_END)
STEP_13 = (Actor.AMI_HEAD_END, Actor.DR_APPLICATION)
STEP_14 = (Actor.DR_APPLICATION, Actor.CIS)


@dataclass(frozen=True)
class Step:
    """A request of step 1, 13 or 14, with what it is about: the device as it is written."""

    asked: Asked
    device: str | None

    @property
    def record(self) -> Record:
        """The request, as it came first."""
        return self.asked.first

    @property
    def correlation_id(self) -> str | None:
        """The chain that it belongs to."""
        return self.record.header("correlation_id")

    def belongs_to(self, other: Step) -> bool:
        """Whether both speak of one provisioning: of one chain, or of one device."""
        return self.correlation_id == other.correlation_id or (self.device or "").lower() == (other.device or "").lower()


def orders(recording: Recording) -> list[tuple[Step, ControlText]]:
    """The orders of step 1 that open a window."""
    return [
        (Step(asked, control.mac), control)
        for asked in _requests(recording, STEP_1) for control in _controls(asked.first, recording.profile) if _opens(control)
    ]


def linkages(recording: Recording, way: tuple[Actor, Actor]) -> list[Step]:
    """The linkages of HAN devices of step 13 or 14."""
    found_there = []
    for asked in _requests(recording, way):
        payload = _payload(asked.first, "MasterDataLinkageConfig")
        device = child(payload, "EndDevice")
        if device is not None:
            found_there.append(Step(asked, name_in(device, recording.profile.mac)))
    return found_there


def devices_of(record: Record, profile: CimProfile) -> set[str]:
    """The HAN devices that a request names, as they are written."""
    payload = _payload(record, "MasterDataLinkageConfig")
    linked = [] if payload is None else [name_in(each, profile.mac) for each in children(payload, "EndDevice")]
    return {device for device in (*linked, *(control.mac for control in _controls(record, profile))) if device}


# -- the rules


def steps_in_order(recording: Recording) -> Iterator[RecordedFinding]:
    """step-order: 13 follows an order that was granted, 14 a linkage of 13 that was taken."""
    ordered, announced = [step for step, _ in orders(recording)], linkages(recording, STEP_13)
    for step in announced:
        yield from _follows(recording, step, ordered, "an order of step 1")
    for step in linkages(recording, STEP_14):
        yield from _follows(recording, step, announced, "a linkage of step 13")


def _follows(recording: Recording, step: Step, causes: list[Step], what: str) -> Iterator[RecordedFinding]:
    related = [each for each in causes if each.belongs_to(step)]
    before = [each for each in related if (each.record.arrives or 0.0) <= step.record.at]
    by = step.record.producer
    if not before and (related or recording.whole):
        yield found("step-order", f"{what} did not come before it", by, step.record, *(each.record for each in related[:1]))
    elif before and all(_refused_by(each.asked, step.record.at) for each in before):
        refusal = before[-1].asked.answers[0]
        yield found("step-order", f"{what} came before it, and was refused", by, step.record, before[-1].record, refusal)


def _refused_by(asked: Asked, at: float) -> bool:
    return asked.refused and asked.answers[0].at <= at


def passed_on_once(recording: Recording) -> Iterator[RecordedFinding]:
    """passed-on-once: a linkage of step 13 goes on to the CIS once, however often it came."""
    announced = linkages(recording, STEP_13)
    passed = linkages(recording, STEP_14)
    for index, step in enumerate(passed):
        alike = [each for each in passed[:index] if each.belongs_to(step)]
        causes = [each for each in announced if each.belongs_to(step)]
        if causes and len(alike) >= len(causes):
            yield found("passed-on-once", "the CIS was told of it before", step.record.producer, step.record, alike[0].record)


def one_device(recording: Recording) -> Iterator[RecordedFinding]:
    """device-chain: a linkage is of the device that was ordered in step 1."""
    ordered = [step for step, _ in orders(recording)]
    for step in (*linkages(recording, STEP_13), *linkages(recording, STEP_14)):
        chain = [each for each in ordered if each.correlation_id == step.correlation_id] or ordered
        wanted = {eui64_of(each.device) for each in chain}
        device = eui64_of(step.device)
        if not chain or device is None or device in wanted:
            continue
        backwards = any(each is not None and each.octets[::-1] == device.octets for each in wanted)
        said = "the address of step 1 with its octets reversed" if backwards else "not the device of step 1"
        yield found("device-chain", said, step.record.producer, step.record, chain[0].record)


def one_premise(recording: Recording) -> Iterator[RecordedFinding]:
    """premise-chain: step 14 names the premise of the enrolment, and the one that step 13 names where it names any."""
    announced, profile = linkages(recording, STEP_13), recording.profile
    for step in linkages(recording, STEP_14):
        told = _premise(step, profile)
        earlier = next((each for each in announced if each.belongs_to(step) and _premise(each, profile)), None)
        wanted = recording.premise or (None if earlier is None else _premise(earlier, profile))
        by, beside = step.record.producer, () if earlier is None else (earlier.record,)
        if told is None:
            yield found("premise-chain", "names no premise", by, step.record, *beside)
        elif wanted is not None and told != wanted:
            yield found("premise-chain", f"names {told}; the premise is {wanted}", by, step.record, *beside)


def in_force_inside_the_window(recording: Recording) -> Iterator[RecordedFinding]:
    """in-force: a device has joined inside its window, or at most TO_REGISTER after its end."""
    ordered = orders(recording)
    for step in (*linkages(recording, STEP_13), *linkages(recording, STEP_14)):
        event = child(_payload(step.record, "MasterDataLinkageConfig"), "ConfigurationEvent")
        since = instant_of(text(event, "effectiveDateTime")) or instant_of(text(event, "status", "dateTime"))
        windows = [_window(control) for order, control in ordered if order.belongs_to(step)]
        known = [window for window in windows if window is not None]
        if since is None or not known:
            continue
        if not any(start - TOLERANCE <= since <= end + TO_REGISTER + TOLERANCE for start, end in known):
            start, end = known[-1]
            said = f"joined {since.isoformat()}, the window is from {start.isoformat()} to {end.isoformat()}"
            yield found("in-force", said, step.record.producer, step.record)


def key_is_kept(recording: Recording) -> Iterator[RecordedFinding]:
    """key-told: the key of an order stands in no other place, neither in a message nor in a log."""
    told = {(control.install_code or "").lower() for _, control in orders(recording)}
    keys = [key.encode() for key in told if len(key) >= MIN_KEY_DIGITS]
    for record in recording.made():
        digits = b"".join(redacted(record.octets).lower().split()).replace(b":", b"").replace(b"-", b"")
        if any(key in digits for key in keys):
            yield found("key-told", "the key of an order", record.producer, record)


# -- reading


def _requests(recording: Recording, way: tuple[Actor, Actor]) -> list[Asked]:
    return [
        each for each in paired(recording)[0]
        if each.first.kind is Kind.REQUEST and not each.first.disturbed and (each.first.producer, each.first.receiver) == way
    ]


def _payload(record: Record, noun: str) -> etree._Element | None:
    payload = None if record.message is None else record.message.payload
    return payload if payload is not None and local(payload) == noun else None


def _controls(record: Record, profile: CimProfile) -> list[ControlText]:
    payload = _payload(record, end_device_controls.NOUN)
    return [] if payload is None else end_device_controls.texts(payload, profile)


def _opens(control: ControlText) -> bool:
    try:
        return Code.parse(control.code or "").about == codes.OPEN_WINDOW
    except ValueError:
        return False


def _premise(step: Step, profile: CimProfile) -> str | None:
    payload = _payload(step.record, "MasterDataLinkageConfig")
    return name_in(child(payload, "ServiceLocation"), profile.premise)


def _window(control: ControlText) -> tuple[datetime, datetime] | None:
    start = instant_of(control.start)
    try:
        minutes = float(control.duration or "")
        return None if start is None else (start, start + timedelta(seconds=minutes * _MINUTE))
    except (ValueError, OverflowError):
        return None
