"""Step 1: what the DR Application asks for when it orders a joining window. Knows EndDeviceControls, no bench.

The order of the trace's header says what was to be asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from harness.checkers.cim_dialogue import ANSWER_TIME
from harness.checkers.cim_message import STEP_1, nouns_of, sent
from harness.checkers.correspondence import Letter, instant, profile_of
from harness.checkers.reading import attested, marks
from harness.cim import codes, end_device_controls
from harness.cim.codes import Code
from harness.cim.correspondent import CREATE
from harness.cim.end_device_controls import ControlText
from harness.cim.identity import eui64_of
from harness.cim.instant import instant_of, lacks_zone
from harness.crypto.install_code import CRC_LENGTH, Flaw, InstallCode, InstallCodeError
from harness.trace import Trace
from harness.usecase import Actor, Point
from harness.values import Eui64
from harness.verdict import Finding, failed, inconclusive, noted, passed

MINUTE = 60  # seconds; a control's duration is in minutes
TOLERANCE = timedelta(seconds=1)  # PROFILE: what a start or a duration may be off by; minutes of an xs:float are not exact


@dataclass(frozen=True)
class Control:
    """One command to a joining window as it was written, and the message it stands in."""

    letter: Letter
    text: ControlText = field(repr=False)

    @property
    def number(self) -> int:
        """The exchange's number, for evidence."""
        return self.letter.number

    @property
    def code(self) -> Code | None:
        """The code of the command, None for none that can be read."""
        try:
            return Code.parse(self.text.code or "")
        except ValueError:
            return None

    @property
    def opens(self) -> bool:
        """Whether it is to open a window."""
        return self.code is not None and self.code.about == codes.OPEN_WINDOW

    @property
    def closes(self) -> bool:
        """Whether it is to withdraw one."""
        return self.code is not None and self.code.about == codes.CLOSE_WINDOW


def controls_in(trace: Trace, letter: Letter) -> list[Control]:
    """The commands of one message, as far as they can be read."""
    payload = letter.message.payload if letter.message is not None else None
    if letter.message is None or payload is None or STEP_1.noun not in nouns_of(letter.message):
        return []
    return [Control(letter, text) for text in end_device_controls.texts(payload, profile_of(trace))]


def window_is_asked_for(trace: Trace) -> Iterator[Finding]:
    """01-COMMAND: told to order a window, the DR Application sends create EndDeviceControls with the code that opens one."""
    asked = [control for letter in sent(trace, STEP_1) for control in controls_in(trace, letter)]
    opening = [each for each in asked if each.opens]
    for each in opening:
        verb = (each.letter.message and each.letter.message.verb) or ""
        if verb.lower() == CREATE:  # that it is written small is the envelope's affair
            yield passed("a joining window was asked for", each.number)
        else:
            yield failed(
                "the window was not asked for by create", each.number, expected=CREATE, observed=verb or "no verb", hint="another-verb",
            )
    for at in () if opening else marks(trace, "order_window", Actor.DR_APPLICATION):
        others = [each for each in asked if not each.closes and each.letter.exchange.time >= at]
        if others or attested(trace, Point.CIM, at, at + ANSWER_TIME):
            yield failed(
                "the DR Application did not ask for the window", *(each.number for each in others),
                expected=f"a control with a code of {'.'.join(str(int(part)) for part in codes.OPEN_WINDOW)}",
                observed=", ".join(each.text.code or "a control without a code" for each in others) or "no control at all",
                hint="orders-nothing" if not others else "orders-something-else" if any(each.code for each in others) else "control-code",
            )


def device_is_the_ordered_one(trace: Trace) -> Iterator[Finding]:
    """01-MAC: every command names the HAN device that was ordered, by its EUI-64."""
    wanted = trace.header.order.device
    for control in _commands(trace):
        written = control.text.mac
        if eui64_of(written) == wanted:
            yield passed(f"the command is for {wanted}", control.number)
            continue
        backwards = Eui64(int.from_bytes(wanted.octets, "little"))
        yield failed(
            "the command does not name the device that was ordered", control.number, expected=f"{wanted}, 16 hex digits",
            observed=written or "no address",
            hint="eui64-reversed" if eui64_of(written) == backwards else "eui64-of-another" if eui64_of(written) else "mac",
        )


def type_is_the_ordered_one(trace: Trace) -> Iterator[Finding]:
    """01-TYPE: the first number of the code is the device's type; the generic PAN device is legal, and noted."""
    wanted = trace.header.order.device_type
    for control in _commands(trace):
        code = control.code
        assert code is not None
        if code.kind == codes.Kind.PAN_DEVICE and profile_of(trace).device_code == "specific":
            yield noted("the code leaves open which HAN device it is", control.number, expected=codes.KIND_OF[wanted].name)
        if code.kind in (codes.KIND_OF[wanted], codes.Kind.PAN_DEVICE):
            yield passed("the command names the type of the device", control.number)
        else:
            yield failed(
                "the command names another type of device", control.number, observed=f"{code} ({code.name})",
                expected=f"{codes.KIND_OF[wanted].value} ({codes.KIND_OF[wanted].name}) as first number of the code",
                hint="orders-another-type",
            )


def meter_is_the_ordered_one(trace: Trace) -> Iterator[Finding]:
    """01-METER: every command names the meter whose ESI the device is to join."""
    wanted = trace.header.order.meter
    for control in _commands(trace):
        if control.text.meter == wanted:
            yield passed(f"the command is for {wanted}", control.number)
        else:
            yield failed(
                "the command does not name the meter that was ordered", control.number, expected=wanted,
                observed=control.text.meter or "no meter", hint="orders-at-another-meter" if control.text.meter else "target",
            )


def key_is_the_ordered_one(trace: Trace) -> Iterator[Finding]:
    """01-KEY: the order carries the device's key material, in the form that was agreed on. No finding shows it."""
    wanted = trace.header.order.key_material
    for control in _commands(trace):
        if not control.opens:
            continue
        written = control.text.install_code
        if not written:
            yield failed("the order carries no key", control.number, expected="an installCode", observed="none", hint="incomplete")
        elif not wanted:
            yield inconclusive("the key that was ordered is not in the evidence", control.number, expected="the order's key")
        elif written.lower() == wanted.hex():
            yield passed("the order carries the device's key", control.number)
        else:
            hint, observed = _difference(written, wanted)
            yield failed(
                "the order carries another key", control.number, expected=f"the {trace.header.order.key_form} that was ordered",
                observed=observed, hint=hint,
            )


def _difference(written: str, wanted: bytes) -> tuple[str, str]:
    """What is wrong with a key, without showing it: the id of a known mistake, and in words."""
    try:
        octets = bytes.fromhex(written)
    except ValueError:
        return "key", "something that is not pairs of hex digits"
    if octets == wanted[::-1]:
        return "code-reversed", "its octets in reverse order"
    if octets == wanted[:-CRC_LENGTH]:
        return "crc-left-out", "the install code without its CRC"
    try:
        code = InstallCode.parse(wanted)
        if octets == code.link_key:
            return "link-key-for-install-code", "the link key made from the install code"
        InstallCode.parse(octets)
    except InstallCodeError as fault:
        hint = "crc-most-significant-first" if fault.flaw is Flaw.CRC_ORDER else "orders-with-another-key"
        return hint, f"{len(octets)} octets that are no install code: {fault.flaw}"
    return "orders-with-another-key", "another install code"


def window_is_the_ordered_one(trace: Trace) -> Iterator[Finding]:
    """01-WINDOW: the order says when the window starts, with a zone, and for how long, and both are what was ordered."""
    order = trace.header.order
    start, duration = instant(trace, order.start), timedelta(seconds=order.duration)
    expected = f"from {start.isoformat()} for {order.duration:g} s"
    for control in _commands(trace):
        if not control.opens:
            continue
        text = control.text
        told, length = instant_of(text.start), _minutes(text.duration)
        if lacks_zone(text.start):
            hint = "time-zone"
            observed = f"{text.start}, which leaves its zone open"
        elif told is None or length is None:
            hint = "incomplete"
            observed = f"start {text.start or 'missing'}, duration {text.duration or 'missing'}"
        elif max(abs(told - start), abs(length - duration)) > TOLERANCE:
            hint = "seconds-for-minutes" if abs(length / MINUTE - duration) <= TOLERANCE else "orders-another-window"
            observed = f"from {told.isoformat()} for {length.total_seconds():g} s"
        else:
            yield passed(f"the order is for a window {expected}", control.number)
            continue
        yield failed("the order is not for the window that was ordered", control.number, expected=expected, observed=observed, hint=hint)


def _minutes(written: str | None) -> timedelta | None:
    try:
        return timedelta(minutes=float(written or ""))
    except (ValueError, OverflowError):
        return None


def _commands(trace: Trace) -> Iterator[Control]:
    """The commands to open or withdraw a window."""
    for letter in sent(trace, STEP_1):
        yield from (control for control in controls_in(trace, letter) if control.opens or control.closes)
