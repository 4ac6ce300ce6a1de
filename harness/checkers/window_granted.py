"""Step 1: what the AMI Head-End makes of requests for joining windows, as leg 2 shows it. Knows requests and legs, no bench."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from math import inf

from harness.backhaul.message import LONGEST_WINDOW, LegKind
from harness.checkers.cim_dialogue import ANSWER_TIME, Objection, objections, requests
from harness.checkers.cim_message import METER_RECORD, STEP_1, arrival, received
from harness.checkers.correspondence import Carried, Letter, carried, instant, profile_of
from harness.checkers.reading import attested
from harness.checkers.window_request import controls_in
from harness.cim import end_device_controls, meter_config
from harness.cim.end_device_controls import WindowCommand
from harness.cim.reply_codes import ReplyCode
from harness.crypto.install_code import InstallCode, InstallCodeError
from harness.trace import Trace
from harness.usecase import Actor, Point
from harness.values import Eui64
from harness.verdict import Finding, failed, passed


def wrong_orders(trace: Trace, letter: Letter) -> Iterator[Objection]:
    """01-REJECTS: what is wrong with a request that keeps every rule: its meter, its install code, or nothing to withdraw."""
    command = command_in(trace, letter)
    if command is None:
        yield Objection(frozenset({ReplyCode.LOCAL_CODE}), "no command to a joining window", binding=False)
        return
    if command.duration > LONGEST_WINDOW:
        yield Objection(frozenset({ReplyCode.LOCAL_WINDOW}), "the window is longer than a leg can say", binding=False)
    if command.meter not in _meters(trace):
        yield Objection(frozenset({ReplyCode.METER}), f"nobody registered a meter {command.meter}", overlooked="meter-not-looked-up")
    if command.opens and command.key_material and command.key_form == "install_code":
        try:
            InstallCode.parse(command.key_material)
        except InstallCodeError as fault:
            why = f"the install code is wrong: {fault.flaw}"
            yield Objection(frozenset({ReplyCode.LOCAL_KEY}), why, overlooked="install-code-not-checked")
    if not command.opens:
        before = [order for order, _ in _ordered_before(trace, letter, command)]
        if all(objections(trace, order, wrong_orders) for order in before):  # one that was wrong may have been refused
            yield Objection(frozenset({ReplyCode.NOT_ATTEMPTED}), "there is nothing to withdraw", binding=not before)


def opened_windows(trace: Trace, letter: Letter) -> Iterator[int]:
    """Where leg 2 carries a window for the device of a request (any device, where the request does not say) after it came."""
    command = command_in(trace, letter)
    for each in _down(trace, command.device if command else None, LegKind.OPEN_WINDOW):
        if each.exchange.time >= arrival(letter):
            yield each.number


def withdrawal_is_obeyed(trace: Trace) -> Iterator[Finding]:
    """01-CANCEL: a window that is withdrawn is not forwarded any more, or, where it was, its withdrawal is; what is said to who
    withdraws it is 01-REPLY's affair."""
    read = [(each, command_in(trace, each)) for each, _ in requests(trace, STEP_1)]
    given = [(each, command) for each, command in read if command is not None and command.opens]
    for letter, command in read:
        if command is None or command.opens or objections(trace, letter, wrong_orders):
            continue
        at = arrival(letter)
        orders = list(_down(trace, command.device, LegKind.OPEN_WINDOW))
        before = [each for each in orders if each.exchange.time <= at]
        anew = min((arrival(each) for each, other in given if other.device == command.device and arrival(each) > at), default=inf)
        after = [each for each in orders if at < each.exchange.time < anew]
        withdrawn = [each for each in _down(trace, command.device, LegKind.CANCEL_WINDOW) if each.exchange.time >= at]
        if after:
            yield failed(
                "a window went on after it was withdrawn", letter.number, after[0].number,
                expected="nothing on leg 2 but its withdrawal", observed="an order to open it", hint="opened-after-withdrawal",
            )
        elif withdrawn or not before:
            starts = next((starts for _, starts in _ordered_before(trace, letter, command)), at)
            if withdrawn or attested(trace, Point.LEG, at, max(starts, at) + ANSWER_TIME):
                yield passed("the withdrawn window stays closed", letter.number, *(each.number for each in withdrawn))
        elif attested(trace, Point.LEG, at, at + ANSWER_TIME):
            yield failed(
                "the withdrawal of a window did not go on", letter.number, before[0].number,
                expected=f"a withdrawal on leg 2 within {ANSWER_TIME:g} s", observed="none", hint="withdrawal-kept",
            )


def command_in(trace: Trace, letter: Letter) -> WindowCommand | None:
    """The command of a request; None where it cannot be read as one. A key that was kept out of the evidence is empty."""
    payload = letter.message.payload if letter.message is not None else None
    if payload is None or len(controls_in(trace, letter)) != 1:
        return None
    if not trace.header.order.key_material:
        payload = deepcopy(payload)
        for key in payload.iter("{*}installCode"):
            key.text = ""
    try:
        return end_device_controls.read(payload, profile_of(trace))
    except ValueError:
        return None


def _ordered_before(trace: Trace, letter: Letter, withdrawal: WindowCommand) -> Iterator[tuple[Letter, float]]:
    """The orders that a withdrawal may be about and that were not over, with when their windows were to start, seconds."""
    for earlier in received(trace, STEP_1):
        command = command_in(trace, earlier)
        if command is None or not command.opens or command.start is None or arrival(earlier) > arrival(letter):
            continue
        starts = _seconds(trace, command)
        same = (command.device, command.meter) == (withdrawal.device, withdrawal.meter)
        if same and starts + command.duration > arrival(letter):
            yield earlier, starts


def _seconds(trace: Trace, command: WindowCommand) -> float:
    assert command.start is not None
    return (command.start - instant(trace, 0.0)).total_seconds()


def _down(trace: Trace, device: Eui64 | None, kind: LegKind) -> Iterator[Carried]:
    """What the head-end itself put on leg 2 about a device (None: about any)."""
    for each in carried(trace, Actor.AMI_HEAD_END, Actor.AMI_NETWORK, kind):
        assert each.message is not None
        if "instead_of" not in each.exchange.about and device in (None, each.message.device):
            yield each


def _meters(trace: Trace) -> set[str]:
    """The meters that are registered: the ordered one by the precondition, others by the CIS."""
    told = (letter.message.payload for letter in received(trace, METER_RECORD) if letter.message is not None)
    registered = {meter for payload in told if payload is not None for meter in meter_config.read(payload, profile_of(trace))}
    return {trace.header.order.meter, *registered}
