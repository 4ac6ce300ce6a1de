"""Step 6 and after: staying a member. The device does not leave by itself nor besiege its parent, the ESI comes back as it was.

Knows no bench.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from dissectors import aps, nwk, zcl
from dissectors.smart_energy import requires_link_key
from harness.backhaul.message import LegKind, LegState
from harness.checkers.associations import is_by_esi, of_the_device
from harness.checkers.attempts import attempts
from harness.checkers.correspondence import carried
from harness.checkers.dialogue import dialogue
from harness.checkers.freshness import ACK_TIME, Link, link_of
from harness.checkers.legs import LEG_10
from harness.checkers.reading import Heard, air, attested, claimed, marks
from harness.checkers.standstill import surest
from harness.trace import Trace
from harness.usecase import Actor, Point
from harness.values import Eui64
from harness.verdict import Finding, failed, passed

STAYING_TIME = 60.0  # PROFILE: seconds in which a device that is in service is watched
RETURN_TIME = 60.0  # PROFILE: seconds in which an ESI whose power is back is heard: link status alone comes every 15 s (3.6.3.4)
SIEGE = 60.0  # PROFILE: seconds over which rejoin requests are counted
FREQUENT = 12  # PROFILE: more rejoin requests in that time are no back-off; RejoinInterval is up to 60 s (SE 1.0, table 5-2)


def device_stays(trace: Trace) -> Iterator[Finding]:
    """06-STAYS: a device that has registered does not leave the network by itself."""
    link = link_of(trace)
    registered = _registered(link)
    if registered is None:
        return
    told = [each for each in air(trace) if each.time > registered.time and (_is_leave(each, 1) or _removes(each))]
    gone = next((
        each for each in link.of(Actor.HAN_DEVICE)
        if each.time > registered.time and each.sent and _is_leave(each, 0) and not _was_reset(trace, registered.time, each.time)
    ), None)
    before = next((each for each in told if gone is not None and each.time < gone.time), None)
    if gone is not None and before is not None and not _removes(before) and claimed(trace, "smart_energy_1_1"):
        yield failed(
            "the device left because a NWK Leave said so", registered.number, before.number, gone.number,
            expected="no NWK Leave: since SE 1.1 a device that has registered obeys an APS-secured Remove-Device alone",
            observed=f"one at {gone.time:.3f} s", hint="leave-obeyed",
        )
    elif gone is not None and before is not None:
        yield passed("the device left when it was told to", before.number, gone.number)
    elif gone is not None:
        yield failed(
            "the device left the network, and nobody had told it to", registered.number, gone.number,
            expected="no NWK Leave", observed=f"one at {gone.time:.3f} s", hint="leaves-by-itself",
        )
    elif attested(trace, Point.MAC, registered.time, registered.time + STAYING_TIME, registered.channel):
        yield passed("the device stayed on the network", registered.number)


def device_obeys_no_unsecured_leave(trace: Trace) -> Iterator[Finding]:
    """06-UNSECURED-COMMANDS, the device: a NWK Leave without NWK security, in its parent's name, has no effect on it."""
    link = link_of(trace)
    for each in air(trace):
        told = _is_leave(each, 1) and not each.nwk.security_enabled and each.mac.source_short == nwk.COORDINATOR
        if not told or not link.reaches(each, Actor.HAN_DEVICE):
            continue
        after = [other for other in link.of(Actor.HAN_DEVICE) if each.time < other.time <= each.time + STAYING_TIME]
        gone = next((other for other in after if _is_leave(other, 0)), None)
        if gone is not None:
            yield failed(
                "the device obeyed a NWK Leave that was not secured", each.number, gone.number, expected="no reaction",
                observed=f"it left at {gone.time:.3f} s", hint="unsecured-commands-obeyed",
            )
            return
        if after:
            yield passed("the device did not obey a NWK Leave that was not secured", each.number, after[-1].number)


def esi_believes_no_unsecured_leave(trace: Trace) -> Iterator[Finding]:
    """06-UNSECURED-COMMANDS, the ESI: a NWK Leave without NWK security, in a device's name, does not end its membership."""
    link = link_of(trace)
    for each in air(trace):
        said = _is_leave(each, 0) and not each.nwk.security_enabled and link.sender(each) is Actor.HAN_DEVICE
        if not said or each.mac.dest_short != nwk.COORDINATOR or not air(trace).is_acknowledged(each):
            continue
        asked = [
            other for other in link.of(Actor.HAN_DEVICE)
            if each.time < other.time <= each.time + STAYING_TIME and link.asks(other, Actor.ESI)
        ]
        answered = [other for other in asked if link.acknowledgement(other, Actor.ESI, other.time, other.time + ACK_TIME)]
        if answered:
            yield passed("the ESI did not believe a NWK Leave that was not secured", each.number, answered[0].number)
        elif asked and attested(trace, Point.MAC, each.time, asked[-1].time + ACK_TIME, each.channel):
            yield failed(
                "the ESI dropped a device for a NWK Leave that was not secured", each.number, asked[0].number,
                expected="APS acknowledgements as before", observed="none", hint="unsecured-commands-obeyed",
            )
        return


def rejoins_are_paced(trace: Trace) -> Iterator[Finding]:
    """06-REJOIN-PACE: a device whose rejoins are not answered does not ask again and again without growing pauses."""
    own = {each.device for each in of_the_device(trace)}
    asked: list[Heard] = []
    for each in air(trace).of(nwk.RejoinRequest):
        known = each.sent and each.nwk.source_ieee is not None and Eui64(each.nwk.source_ieee) in own
        if known and not (asked and asked[-1].nwk.sequence == each.nwk.sequence):
            asked.append(each)
    wrong = list(surest(trace, _sieges(asked)))
    yield from wrong
    pauses = [later.time - earlier.time for earlier, later in pairwise(asked)]
    if not wrong and len(asked) > 2 and attested(trace, Point.MAC, asked[0].time, asked[-1].time, asked[0].channel):
        yield passed("the device pauses between its rejoins", asked[0].number, asked[-1].number, observed=f"{max(pauses):.1f} s")


def _sieges(asked: list[Heard]) -> Iterator[Finding]:
    for place, each in enumerate(asked):
        within = [other for other in asked[place:] if other.time <= each.time + SIEGE]
        if len(within) > FREQUENT:
            yield failed(
                "the device goes on rejoining without backing off", each.number, within[-1].number,
                expected=f"at most {FREQUENT} rejoin requests in {SIEGE:g} s", observed=str(len(within)), hint="rejoins-besiege",
            )


def esi_comes_back(trace: Trace) -> Iterator[Finding]:
    """06-RETURNS: when its power is back the ESI is the coordinator of the network that it was before."""
    own = [each for each in air(trace) if each.sent and is_by_esi(each) and each.nwk is not None]
    for at in marks(trace, "power_cycle", Actor.ESI):
        before = [each for each in own if each.time < at and each.frame.security.nwk == "ok"]
        if not before:
            continue
        after = [each for each in own if at < each.time <= at + RETURN_TIME and each.nwk.security_enabled]
        first, was = (after[0] if after else None), before[-1]
        same = first is not None and (first.mac.source_pan, first.frame.security.nwk) == (was.mac.source_pan, "ok")
        if first is not None and same:
            yield passed("the ESI came back with its network", was.number, first.number)
        elif first is not None:
            yield failed(
                "the ESI came back with another network", was.number, first.number,
                expected=f"PAN {was.frame.pan:04x} and its network key", observed=f"PAN {first.frame.pan:04x}, another key",
                hint="network-forgotten",
            )
        elif attested(trace, Point.MAC, at, at + RETURN_TIME, was.channel):
            yield failed(
                "the ESI's network was not there any more when its power was back", was.number,
                expected="frames under the network key, as link status every 15 s", observed=f"none in {RETURN_TIME:g} s",
                hint="network-forgotten",
            )


def unregistered_device_gets_nothing(trace: Trace) -> Iterator[Finding]:
    """06-UNREGISTERED: a device that joined and never registers is told nothing that needs a link key, nor called provisioned."""
    link = link_of(trace)
    member = next((each for each in link.of(Actor.HAN_DEVICE) if each.frame.security.nwk == "ok"), None)
    if member is None or any(attempt.completed for attempt in attempts(trace)):
        return
    device = link.member(member.time)
    talk = dialogue(trace)
    questions = [
        each for each in talk.to(Actor.ESI)
        if each.smart_energy and requires_link_key(each.cluster) and each.key != "link" and each.zcl is not None
    ]
    answers = [answer for question in questions for answer in talk.answers(question) if answer.by is Actor.ESI]
    told = next((each for each in answers if not each.is_a(zcl.DefaultResponse)), None)
    report = next((
        each for each in carried(trace, LEG_10.producer, LEG_10.receiver, LegKind.STATE)
        if device is not None and each.message is not None
        and (each.message.state, each.message.device) == (LegState.PROVISIONED, device.device)
    ), None)
    if told is not None:
        yield failed(
            "a device that has not registered was given data that needs a link key", member.number, told.number,
            expected="Default Response FAILURE, or silence", observed=told.name,
            hint="unregistered-has-access",
        )
    elif report is not None:
        yield failed(
            "a device that has not registered was reported as provisioned", member.number, report.number,
            expected="no such report", observed="provisioned", hint="reports-before-registration",
        )
    elif questions:
        yield passed("a device that has not registered was given nothing that needs a link key", questions[0].number)


def _registered(link: Link) -> Heard | None:
    """The device's first frame under a key that was established."""
    sealed = (each for each in link.of(Actor.HAN_DEVICE) if each.frame.security.aps == "ok" and each.frame.aps_key_kind == "link")
    return next(sealed, None)


def _is_leave(each: Heard, request: int) -> bool:
    leave = each.find(nwk.Leave)
    return leave is not None and leave.request == request


def _removes(each: Heard) -> bool:
    return each.find(aps.RemoveDevice) is not None


def _was_reset(trace: Trace, start: float, end: float) -> bool:
    return any(start < at <= end for at in marks(trace, "factory_reset", Actor.HAN_DEVICE))
