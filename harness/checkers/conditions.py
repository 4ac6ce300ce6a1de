"""Pre- and postconditions of the use case, by what actors say when they are asked. Knows answers and messages, no bench.

A real system cannot be asked: where its messages show a precondition they are taken for the answer, and a postcondition that
nothing shows stays undecided. A precondition that does not hold is never a fail: it says that the bench cannot put the use
case's questions.
"""

from __future__ import annotations

from collections.abc import Iterator

from dissectors import zcl
from dissectors.clusters import metering
from harness.checkers.cim_dialogue import result_of
from harness.checkers.cim_message import METER_RECORD, STEP_1, STEP_14, arrival, received, sent
from harness.checkers.correspondence import profile_of
from harness.checkers.dialogue import dialogue
from harness.checkers.integration import meters_in
from harness.checkers.linkage import linkages, text_of
from harness.checkers.linkage_chain import linkages_taken
from harness.checkers.window_request import controls_in
from harness.cim.identity import eui64_of
from harness.inquiry import (
    DEMAND_RESPONSE,
    DEVICES_AT,
    ENROLLED_IN,
    JOINED,
    KNOWS_METER,
    REAL_TIME_PRICING,
    STATE_OF,
    YES,
    answers,
    could_be_asked,
    is_enrolled,
)
from harness.trace import Trace
from harness.usecase import Actor, Point
from harness.verdict import Finding, failed, inconclusive, passed

# -- before


def meter_is_registered(trace: Trace) -> Iterator[Finding]:
    """PRE-METER-REGISTERED: asked, the head-end knows the meter; where it cannot be asked, it took the CIS's record of it."""
    meter = trace.header.order.meter
    for exchange, said in list(answers(trace, Actor.AMI_HEAD_END, KNOWS_METER))[:1]:
        if said == YES:
            yield passed(f"{meter} is registered with the AMI Head-End", exchange.number)
        else:
            yield inconclusive(
                f"{meter} is not registered with the AMI Head-End", exchange.number, expected=YES, observed=said,
                hint="meter-not-registered",
            )
    if not could_be_asked(trace, Actor.AMI_HEAD_END):
        yield from _record_was_taken(trace, meter)


def _record_was_taken(trace: Trace, meter: str) -> Iterator[Finding]:
    for letter in received(trace, METER_RECORD):
        result = result_of(trace, METER_RECORD, letter) if meter in meters_in(trace, letter) else None
        if result == "OK":
            yield passed(f"the AMI Head-End took the record of {meter}", letter.number)
        elif result is not None:
            yield inconclusive(
                f"the AMI Head-End did not take the record of {meter}", letter.number, expected="OK", observed=result,
                hint="meter-not-registered",
            )


def meter_is_in_cis(trace: Trace) -> Iterator[Finding]:
    """PRE-METER-IN-CIS: the CIS has a record of the meter, for it publishes it."""
    meter = trace.header.order.meter
    records = [letter.number for letter in sent(trace, METER_RECORD) if meter in meters_in(trace, letter)]
    if records:
        yield passed(f"the CIS has a record of {meter}", *records)
    elif Point.CIM in trace.observed():
        yield inconclusive(
            f"the CIS published no record of {meter}", expected=f"MeterConfig of {meter}", observed="none", hint="meter-not-recorded",
        )


def device_is_imported(trace: Trace) -> Iterator[Finding]:
    """PRE-DEVICE-IMPORTED: asked before the order, the DR Application knows the device; where it cannot be asked, it orders."""
    device = trace.header.order.device
    for exchange, said in list(answers(trace, Actor.DR_APPLICATION, STATE_OF))[:1]:
        if said:
            yield passed(f"{device} is known to the DR Application", exchange.number, observed=said)
        else:
            yield inconclusive(
                f"{device} was never imported into the DR Application", exchange.number, expected="a state", observed="none",
                hint="device-not-imported",
            )
    for letter in () if could_be_asked(trace, Actor.DR_APPLICATION) else sent(trace, STEP_1):
        if any(control.opens and eui64_of(control.text.mac) == device for control in controls_in(trace, letter)):
            yield passed(f"the DR Application ordered a window for {device}", letter.number)


def customer_is_enrolled(trace: Trace) -> Iterator[Finding]:
    """PRE-ENROLLED: asked, the CIS has the customer in DR and not in RTP; where it cannot be asked, it took the enrolment."""
    premise = trace.header.order.premise
    for exchange, said in list(answers(trace, Actor.CIS, ENROLLED_IN))[:1]:
        if is_enrolled(said):
            yield passed(f"the CIS has the customer at {premise} in a DR programme", exchange.number, observed=said)
        else:
            yield inconclusive(
                f"the CIS does not have the customer at {premise} in a DR programme alone", exchange.number,
                expected=f"{DEMAND_RESPONSE}, and not {REAL_TIME_PRICING}", observed=said or "no programme", hint="not-enrolled",
            )
    if not could_be_asked(trace, Actor.CIS):
        for letter, told in linkages(trace, STEP_14):
            if told.agreement and result_of(trace, STEP_14, letter) == "OK":
                yield passed(f"the CIS took a linkage under the agreement {told.agreement}", letter.number)


def meter_reading_is_shown(trace: Trace) -> Iterator[Finding]:
    """PRE-METERING-CLUSTER: the device, which claims the metering cluster, uses it; else 09-METERING has nothing to judge."""
    talk = dialogue(trace)
    used = [
        each.number for each in talk.by(Actor.HAN_DEVICE, zcl.ReadAttributes, metering.GetProfile)
        if each.cluster == metering.CLUSTER.identifier
    ]
    if used:
        yield passed("the HAN Device uses the metering cluster that it claims", used[0])
    elif talk.by(Actor.HAN_DEVICE, zcl.ReadAttributes):
        yield inconclusive(
            "the HAN Device claims the metering cluster and shows none", expected="a request to the metering cluster",
            observed="none",
        )


# -- after


def state_is_in_drms(trace: Trace) -> Iterator[Finding]:
    """POST-STATE-IN-DRMS: asked after it took step 13, the DR Application says that the device has joined."""
    for cause, at in linkages_taken(trace)[:1]:
        if not could_be_asked(trace, Actor.DR_APPLICATION):
            yield inconclusive("the DR Application of this bench cannot be asked for the device's state", cause)
        for exchange, said in answers(trace, Actor.DR_APPLICATION, STATE_OF):
            if exchange.time < at:
                continue
            if said == JOINED:
                yield passed("the DR Application holds the device as joined", cause, exchange.number)
            else:
                yield failed(
                    "the DR Application does not hold the device as joined", cause, exchange.number, expected=JOINED,
                    observed=said or "nothing", hint="linkage-forgotten",
                )


def linkage_is_in_cis(trace: Trace) -> Iterator[Finding]:
    """POST-CONFIG-IN-CIS: asked after it took step 14, the CIS has the device at the premise."""
    for letter in received(trace, STEP_14):
        told = text_of(letter, profile_of(trace))
        device = None if told is None else eui64_of(told.device)
        if told is None or told.premise != trace.header.order.premise or result_of(trace, STEP_14, letter) != "OK":
            continue
        if not could_be_asked(trace, Actor.CIS):
            yield inconclusive("the CIS of this bench cannot be asked for the devices at a premise", letter.number)
        for exchange, said in answers(trace, Actor.CIS, DEVICES_AT):
            if exchange.time < arrival(letter):
                continue
            if str(device) in said.split():
                yield passed("the CIS has the device at its premise", letter.number, exchange.number)
            else:
                yield failed(
                    "the CIS does not have the device at its premise", letter.number, exchange.number, expected=str(device),
                    observed=said or "no device", hint="linkage-forgotten",
                )


def enrolment_is_passed_on(trace: Trace) -> Iterator[Finding]:
    """POST-ENROLMENT-PASSED: the linkage of step 14 names the customer's agreement."""
    for letter, told in linkages(trace, STEP_14):
        if told.agreement:
            yield passed(f"the enrolment {told.agreement} was passed on", letter.number)
        else:
            yield failed(
                "the enrolment was not passed on", letter.number, expected="a CustomerAgreement", observed="none",
                hint="agreement-left-out",
            )
