"""Steps 10 to 12: how the provisioning state of a HAN device travels back to the head-end. Knows frames and legs, no bench."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from dissectors import zcl
from dissectors.clusters.key_establishment import ConfirmKeyData
from harness.backhaul.message import LegKind, LegState
from harness.checkers.apart import at_the_meter
from harness.checkers.attempts import attempts
from harness.checkers.correspondence import Carried, carried, instant
from harness.checkers.legs import Leg, above_of
from harness.checkers.reading import Heard, air
from harness.checkers.standstill import by_a_clock_of_its_own, stopped_within
from harness.trace import Trace
from harness.usecase import Actor, Check, Point
from harness.values import Eui64
from harness.verdict import Finding, Verdict, failed, inconclusive, passed

ANSWER_TIME = 60.0  # seconds; PROFILE: how long an actor may keep what it has to report
TOLERANCE = 2.0  # seconds; PROFILE: what the time of a registration may be off by
BACKWARDS, UNPROMPTED, EARLY = "eui64-reversed", "reports-unprompted", "reports-before-registration"  # causes
UNALTERED = ("meter", "device", "state", "reason", "at")  # what a report says, beside its number
ALTERED = {  # causes
    "meter": "report-meter-altered", "state": "report-state-altered", "reason": "report-state-altered", "at": "report-time-altered",
}
SETTLED = 90.0  # seconds after the end of a window: what has not registered by then is a failure (PROFILE)


def state_is_reported(leg: Leg) -> Check:
    """NN-STATE: a device that is provisioned, or was reported so one leg before, is reported so, with its MAC address."""

    def check(trace: Trace) -> Iterator[Finding]:
        for cause, at, device in _causes(trace, leg):
            said = list(_states(trace, leg, LegState.PROVISIONED))
            reports = [each for each in said if each.exchange.time >= at]
            right = next((each for each in reports if _device_of(each) == device), None)
            if right is not None:
                yield passed(f"{device} was reported as provisioned", cause, right.number)
            elif reports:
                observed = _device_of(reports[0])
                yield failed(
                    "another device was reported as provisioned", cause, reports[0].number, expected=str(device),
                    observed=str(observed), hint=BACKWARDS if _is_backwards(observed, device) else "reports-another",
                )
            elif any(_device_of(each) == device for each in said):
                continue  # it was, and too early: that is another question
            elif _watched(trace, at):
                yield failed(
                    f"the {leg.producer} did not report that the device is provisioned", cause,
                    expected=f"state {LegState.PROVISIONED} of {device}", observed="no such report", hint="report-not-sent",
                )

    return _named(check, "state_is_reported", leg)


def reported_after_registration(leg: Leg) -> Check:
    """NN-AFTER-REGISTRATION: nothing is reported as provisioned before its cause: step 8, or the same report one leg before."""

    def check(trace: Trace) -> Iterator[Finding]:
        causes = _causes(trace, leg)
        for report in _states(trace, leg, LegState.PROVISIONED):
            before = [cause for cause, at, _ in causes if at <= report.exchange.time]
            if before:
                yield passed("reported as provisioned after it was", before[0], report.number)
            else:
                yield failed(
                    "the device was reported as provisioned before it was", report.number,
                    expected="a report after key establishment", observed="a report with nothing to report",
                    hint=EARLY if above_of(trace, leg) is None else UNPROMPTED,
                )

    return _named(check, "reported_after_registration", leg)


def reported_in_time(leg: Leg) -> Check:
    """NN-TIMELY: a report is on its way a minute after its cause; and the ESI, which made it, says when that was."""

    def check(trace: Trace) -> Iterator[Finding]:
        for cause, at, _ in _causes(trace, leg)[:1]:
            report = next((each for each in _states(trace, leg, LegState.PROVISIONED) if each.exchange.time >= at), None)
            if report is None or report.message is None:
                continue  # that it is missing is another question
            told, happened = report.message.at, instant(trace, at)
            ahead = inf if told is None else (told - happened).total_seconds()
            own = above_of(trace, leg) is None  # else it passes on what it was told
            by_its_clock = by_a_clock_of_its_own(ahead, stopped_within(trace, 0.0, at), TOLERANCE) if own else Verdict.PASS
            if report.exchange.time > at + ANSWER_TIME:
                yield failed(
                    "the report came late", cause, report.number, expected=f"within {ANSWER_TIME:g} s",
                    observed=f"after {report.exchange.time - at:.1f} s", hint="report-kept",
                )
            elif by_its_clock is Verdict.FAIL:
                yield failed(
                    "the report says another time than that of the registration", cause, report.number,
                    expected=happened.isoformat(), observed=str(told and told.isoformat()), hint="report-time-altered",
                )
            elif by_its_clock is Verdict.INCONC:
                yield inconclusive(
                    "whether the report says the time of the registration cannot be told: the bench's clock stood still before", cause,
                    report.number, expected=happened.isoformat(), observed=str(told),
                )
            else:
                yield passed("the report came in time", cause, report.number)

    return _named(check, "reported_in_time", leg)


def passed_on_unaltered(leg: Leg) -> Check:
    """NN-UNALTERED: a report goes on with meter, device, state, reason and time as they came."""

    def check(trace: Trace) -> Iterator[Finding]:
        came_here = list(_above(at_the_meter(trace), leg))  # also of another device, which may go on as this one
        for went in carried(trace, leg.producer, leg.receiver, LegKind.STATE):
            before = [
                each for each in came_here if _arrival(each) <= went.exchange.time
                and each.message is not None and went.message is not None and each.message.sequence == went.message.sequence
            ]
            alterations = [(came, _altered(came, went)) for came in before]  # empty: nobody told it, which is another question
            unaltered = next((came for came, altered in alterations if not altered), None)
            if unaltered is not None:
                yield passed("the report went on unaltered", unaltered.number, went.number)
            for came, altered in alterations[-1:] if unaltered is None else ():
                for name in altered:
                    yield failed(
                        f"the report went on with another {name}", came.number, went.number,
                        expected=str(getattr(came.message, name)), observed=str(getattr(went.message, name)),
                        hint=_cause_of(came, went, name),
                    )

    return _named(check, "passed_on_unaltered", leg)


def reported_once(leg: Leg) -> Check:
    """NN-ONCE: one provisioning is reported once, however often it was told."""

    def check(trace: Trace) -> Iterator[Finding]:
        told: dict[Eui64 | None, list[tuple[int, float]]] = {}
        for cause, at, device in _causes(trace, leg, again=True):
            told.setdefault(device, []).append((cause, at))
        for device, causes in told.items():
            reports = [
                each.number for each in _states(trace, leg, LegState.PROVISIONED)
                if _device_of(each) == device and each.exchange.time >= causes[0][1]
            ]
            if 0 < len(reports) <= len(causes):
                yield passed("reported once", causes[0][0], *reports)
            elif reports:
                yield failed(
                    "one provisioning was reported more than once", causes[0][0], *reports,
                    expected=f"reports: {len(causes)}", observed=f"{len(reports)} reports", hint=_why_again(trace, leg),
                )

    return _named(check, "reported_once", leg)


def failure_is_reported(leg: Leg) -> Check:
    """NN-FAILURE: a device that was not provisioned inside its window is reported so, and not as provisioned."""

    def check(trace: Trace) -> Iterator[Finding]:
        device, end = trace.header.order.device, trace.header.order.end
        if registrations(trace) or not _windows(trace, leg):  # the window of another device is not in question
            return
        claims = [each for each in _states(trace, leg, LegState.PROVISIONED) if each.message and each.message.device == device]
        reports = [each for each in _states(trace, leg, LegState.FAILED) if each.message and each.message.device == device]
        if claims:
            yield failed(
                "a device that never registered was reported as provisioned", claims[0].number,
                expected=f"state {LegState.FAILED}", observed=f"state {LegState.PROVISIONED}", hint="failure-as-success",
            )
        elif reports:
            yield passed(f"{device} was reported as not provisioned", reports[0].number)
        elif _watched(trace, end, SETTLED):
            yield failed(
                "nothing was reported of a device that was not provisioned", *_windows(trace, leg),
                expected=f"state {LegState.FAILED} of {device} when its window is over", observed="no report", hint="failure-kept-quiet",
            )

    return _named(check, "failure_is_reported", leg)


def _named(check: Check, name: str, leg: Leg) -> Check:
    check.__name__ = f"{name} by the {leg.producer}"
    return check


def _states(trace: Trace, leg: Leg, state: LegState) -> Iterator[Carried]:
    for each in carried(trace, leg.producer, leg.receiver, LegKind.STATE):
        if each.message is not None and each.message.state is state:
            yield each


def _windows(trace: Trace, leg: Leg) -> list[int]:
    """Where the leg's producer said, or was told, that a window is open for the ordered device."""
    return [
        each.number for each in carried(trace, leg.producer, leg.receiver, LegKind.WINDOW_STATE)
        if each.message is not None and each.message.state is LegState.OPENED and each.message.device == trace.header.order.device
    ]


def _causes(trace: Trace, leg: Leg, *, again: bool = False) -> list[tuple[int, float, Eui64 | None]]:
    """What a report of provisioning rests on, when, and of which device: the same report on the leg before, or the registration.

    `again`: also further registrations of the device, which may be reported, and which nothing says must be.
    """
    if above_of(trace, leg) is None:
        known = registrations(trace)
        return [(each.number, each.time, trace.header.order.device) for each in (known if again else known[:1])]
    return [
        (each.number, _arrival(each), each.message.device)
        for each in _above(trace, leg) if each.message is not None and each.message.state is LegState.PROVISIONED
    ]


def _above(trace: Trace, leg: Leg) -> Iterator[Carried]:
    """The reports that reached the leg's producer, each once: what comes again is no further cause."""
    above, met = above_of(trace, leg), set[bytes]()
    for each in () if above is None else carried(trace, above.producer, above.receiver, LegKind.STATE):
        if each.arrived and each.exchange.octets not in met:
            met.add(each.exchange.octets)
            yield each


def _arrival(each: Carried) -> float:
    return float(each.exchange.about.get("arrives") or each.exchange.time)


def _device_of(each: Carried) -> Eui64 | None:
    return None if each.message is None else each.message.device


def _is_backwards(said: Eui64 | None, wanted: Eui64 | None) -> bool:
    return said is not None and wanted is not None and said.octets == wanted.octets[::-1]


def _altered(came: Carried, went: Carried) -> list[str]:
    """What a report says otherwise than it came."""
    return [name for name in UNALTERED if getattr(went.message, name) != getattr(came.message, name)]


def _cause_of(came: Carried, went: Carried, name: str) -> str:
    said, wanted = _device_of(went), _device_of(came)
    if name == "device":
        return BACKWARDS if _is_backwards(said, wanted) else "reports-another"
    return ALTERED[name]


def _why_again(trace: Trace, leg: Leg) -> str:
    """Why something is reported more than once: because it came more than once, or of the producer's own accord."""
    above = above_of(trace, leg)
    came = [] if above is None else [
        each.exchange.octets for each in carried(trace, above.producer, above.receiver, LegKind.STATE) if each.arrived
    ]
    return "report-repeats-obeyed" if len(set(came)) < len(came) else "report-doubled"


def registrations(trace: Trace) -> list[Heard]:
    """The ESI's confirmations that end key establishment with the ordered device, and are not refused by it: of each attempt one."""
    heard = air(trace)
    ending = {
        said.number for attempt in attempts(trace) if not attempt.terminated
        for said in [attempt.find(Actor.ESI, ConfirmKeyData)] if said is not None
    }
    return [
        each for each in heard.of(ConfirmKeyData)
        if each.zcl.direction == zcl.Direction.SERVER_TO_CLIENT and heard.from_coordinator(each)
        and heard.short_addresses.get(each.nwk.dest) == trace.header.order.device and each.number in ending
    ]


def _watched(trace: Trace, since: float, span: float = ANSWER_TIME) -> bool:
    legs = [each for each in trace.attestations if each.point is Point.LEG]
    last = trace.exchanges[-1].time if trace.exchanges else 0.0
    return any((last if each.end is None else each.end) >= since + span for each in legs)
