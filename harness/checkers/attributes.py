"""Steps 7 and 9: what attributes say when they are read: Basic, the suites, time, the meter. Knows frames, no bench.

Clauses: ZCL 075123, 3.2 and 3.12; SE 1.0 (075356r15), 5.4.2 and annexes C and D.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from dissectors import zcl, zdp
from dissectors.clusters import Attribute, Cluster, basic, drlc, key_establishment, messaging, metering
from dissectors.clusters import time as time_cluster
from dissectors.clusters.key_establishment import Suite
from dissectors.clusters.time import INVALID_TIME, TimeStatus
from dissectors.layer import Record
from dissectors.zcl import DataType, Status
from harness.checkers.answering import answered_wrongly, requested
from harness.checkers.dialogue import Said, dialogue
from harness.checkers.reading import demand
from harness.checkers.standstill import by_a_clock_of_its_own, stood_within
from harness.clock import smart_energy_time
from harness.trace import Trace, Unknown
from harness.usecase import Actor
from harness.verdict import Finding, Verdict, failed, inconclusive, noted, passed

SUITE_TYPES = (DataType.ENUM16, DataType.BITMAP16)  # lists differ
POWER_SOURCES = {int(source) | backup for source in basic.PowerSource for backup in (0, basic.BATTERY_BACKUP)}
DAY = 24 * 3600.0  # seconds between two readings of the time, at least (SE 1.0, 5.4.2)
CLOCK_TOLERANCE = 60  # seconds that a clock may be off (SE 1.0, 5.4.2: a minute in 24 h)
TIME_TO_TELL_APART = 3 * CLOCK_TOLERANCE  # seconds after which a clock that began at ffffffff shows
TOLD_APART = 3600  # seconds by which a time must be wrong to be known for the one that was offered


def basic_is_complete(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """07-BASIC: ZCLVersion, PowerSource and DeviceEnabled are there, with their types and values that mean something."""
    for question, answer in _read(trace, actor, basic.CLUSTER):
        for record in answer.command.records:
            declared = basic.CLUSTER.attributes.get(record.attribute)
            if declared is None or record.attribute not in question.command.attributes:
                continue
            if record.status != Status.SUCCESS:
                yield from _missing(trace, question, answer, record, declared)
            elif record.type != declared.type:
                yield _wrong_type(question, answer, record, declared.name, declared.type)
            elif record.attribute == basic.POWER_SOURCE and record.value not in POWER_SOURCES:
                yield answered_wrongly(
                    question, answer, "a power source of 3.2.2.2.8", f"{declared.name} {record.value:02x}", "power-source-unknown",
                )
            else:
                yield passed(f"{declared.name} is there", question.number, answer.number, observed=str(record.value))
                if record.attribute == basic.ZCL_VERSION and not record.value:
                    yield noted("ZCLVersion is 0", answer.number, expected="1 to 3 in that time", observed="0")


def suite_is_the_first(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """07-SUITE: attribute 0000 of Key Establishment has bit 0; the 0000 of old stacks is reported, not failed."""
    for question, answer in _read(trace, actor, key_establishment.CLUSTER):
        record = _record(answer, key_establishment.KEY_ESTABLISHMENT_SUITE)
        if record is None:
            continue
        if record.status != Status.SUCCESS:
            observed = f"status {record.status:02x}"
            yield answered_wrongly(question, answer, "the suites, a mandatory attribute", observed, "attribute-missing")
        elif record.type not in SUITE_TYPES:
            yield _wrong_type(question, answer, record, "KeyEstablishmentSuite", *SUITE_TYPES)
        elif record.value & ~int(sum(Suite)) or (record.value and not record.value & Suite.CBKE_ECMQV_K163):
            yield answered_wrongly(question, answer, "bit 0, crypto suite 1", f"{record.value:04x}", "suite-of-another")
        else:
            yield passed("the suite attribute can be read", question.number, answer.number, observed=f"{record.value:04x}")
            if not record.value:
                yield noted(
                    "the suite attribute names no suite", answer.number, expected="bit 0, crypto suite 1", observed="0000",
                )


def missing_suite_is_survived(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """07-SUITE of the HAN Device: it asks; that it registers with a trust centre whose old stack names no suite nobody demands."""
    talk = dialogue(trace)
    asked = [each for each in talk.by(actor, zcl.ReadAttributes) if each.cluster == key_establishment.CLUSTER.identifier]
    for answer in (each for question in asked if (each := talk.answer(question)) is not None):
        record = _record(answer, key_establishment.KEY_ESTABLISHMENT_SUITE) if answer.is_a(zcl.ReadAttributesResponse) else None
        if record is None or record.value != 0:
            continue
        begun = next((e for e in talk.by(actor, key_establishment.InitiateKeyEstablishment) if e.number > answer.number), None)
        if begun is not None:
            yield passed("no suite was named, and the device registered all the same", answer.number, begun.number)
        else:
            yield passed("no suite was named, and the device keeps away", answer.number)
            yield noted(
                "the device does not register where no suite is named", answer.number,
                expected="old stacks are tolerated", observed="no Initiate Key Establishment",
            )


def time_is_told(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """07-TIME of the ESI: the Time attribute is a valid UTCTime and runs with the clock."""
    told: list[tuple[Said, int]] = []
    for question, answer in _read(trace, actor, time_cluster.CLUSTER):
        record = _record(answer, time_cluster.TIME)
        if record is None:
            continue
        if record.status != Status.SUCCESS:
            yield answered_wrongly(question, answer, "the time, a mandatory attribute", f"status {record.status:02x}", "attribute-missing")
        elif record.type != DataType.UTC_TIME:
            yield _wrong_type(question, answer, record, "Time", DataType.UTC_TIME)
        elif record.value == INVALID_TIME:
            yield answered_wrongly(question, answer, "a valid time", "ffffffff", "time-invalid")
        elif told and (runs := _runs(trace, told[0], (answer, record.value))) is not Verdict.PASS:
            expected = f"{answer.time - told[0][0].time:.0f} s later than in exchange {told[0][0].number}"
            observed = f"{record.value - told[0][1]} s later"
            if runs is Verdict.FAIL:
                yield answered_wrongly(question, answer, expected, observed, "time-does-not-run")
            else:
                yield inconclusive(
                    "whether the ESI's clock runs cannot be told: the bench's stood still meanwhile", told[0][0].number, answer.number,
                    expected=expected, observed=observed,
                )
        else:
            told.append((answer, record.value))
            yield passed("the time is valid", question.number, answer.number, observed=str(record.value))
            off = record.value - _utc(trace, answer.time)
            if abs(off) > CLOCK_TOLERANCE:
                yield noted(
                    "the ESI's time is not the laboratory's", answer.number, expected=f"at most {CLOCK_TOLERANCE} s apart",
                    observed=f"{off} s apart",
                )


def _runs(trace: Trace, first: tuple[Said, int], later: tuple[Said, int]) -> Verdict:
    """Whether the ESI's clock went on between two answers as long as they are apart."""
    start, end = first[0].time, later[0].time
    return by_a_clock_of_its_own(later[1] - first[1] - (end - start), stood_within(trace, start, end), CLOCK_TOLERANCE)


def time_is_read_once_a_day(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """07-TIME of the HAN Device: it reads the time, and having got a good one not again for 24 hours."""
    talk = dialogue(trace)
    readings = [each for each in talk.by(actor, zcl.ReadAttributes) if _is_time(each)]
    good: Said | None = None
    for each in sorted([*readings, *talk.by(actor, zdp.DeviceAnnce)], key=lambda said: said.number):
        if each.is_a(zdp.DeviceAnnce):
            good = None  # a device that joined or rejoined may have lost its clock
        elif good is not None and time_cluster.TIME in each.command.attributes and each.time - good.time < DAY:
            yield failed(
                "the time was read again", good.number, each.number, expected="once in 24 hours at most",
                observed=f"after {each.time - good.time:.0f} s", hint="time-read-too-often",
            )
            return
        else:
            answer = talk.answer(each)
            taken = answer is not None and answer.arrival is not None and answer.key == each.key
            good = each if taken and answer is not None and _trusted(answer) else good
    yield from requested(talk, readings, "the time", "time-never-read")


def time_status_is_right(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """07-TIME-STATUS of the ESI: a bitmap in which a master is not synchronised by another."""
    for question, answer in _read(trace, actor, time_cluster.CLUSTER):
        record = _record(answer, time_cluster.TIME_STATUS)
        if record is None:
            continue
        if record.status != Status.SUCCESS:
            observed = f"status {record.status:02x}"
            yield answered_wrongly(question, answer, "the status, a mandatory attribute", observed, "attribute-missing")
        elif record.type != DataType.BITMAP8:
            yield _wrong_type(question, answer, record, "TimeStatus", DataType.BITMAP8)
        elif record.value & TimeStatus.MASTER and record.value & TimeStatus.SYNCHRONIZED:
            yield answered_wrongly(question, answer, "Master, or Synchronized, not both", f"{record.value:02x}", "master-and-synchronized")
        else:
            yield passed("the time status is right", question.number, answer.number, observed=f"{record.value:02x}")
            if record.value & ~int(TimeStatus.MASTER | TimeStatus.SYNCHRONIZED | TimeStatus.MASTER_ZONE_DST):
                yield noted(
                    "the time status has bits of later revisions", answer.number, expected="bits 3 to 7 are 0 in ZCL r02",
                    observed=f"{record.value:02x}",
                )


def untrusted_time_is_not_used(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """07-TIME-STATUS of the HAN Device: a time that nobody vouches for appears in none of its reports and confirmations.

    It is judged by a time so wrong that it can come from nowhere else.
    """
    talk = dialogue(trace)
    offer: tuple[Said, int] | None = None
    for each in talk.said:
        if each.to is actor and each.arrival is not None and _is_time(each) and each.is_a(zcl.ReadAttributesResponse):
            record = _record(each, time_cluster.TIME)
            valid = record is not None and record.status == Status.SUCCESS and not _trusted(each)
            offer = (each, record.value) if record is not None and valid else None
        said = _said_time(each) if each.by is actor else None
        if offer is None or said is None:
            continue
        answer, offered = offer
        if offered == INVALID_TIME and each.time - answer.time < TIME_TO_TELL_APART:
            continue  # what follows upon it is the first minutes of 2000, which a device without a clock may say as well
        demand(trace, Unknown.CLOCK)
        if abs(offered - _utc(trace, answer.time)) < TOLD_APART:
            yield inconclusive("the time that must not be used is nearly the right one", answer.number, each.number)
        elif abs(said - (offered + each.time - answer.time) % (INVALID_TIME + 1)) <= CLOCK_TOLERANCE:
            yield failed(
                "the device uses a time that nobody vouches for", answer.number, each.number,
                expected="a time of its own, or none", observed=f"{said}, that of a server neither Master nor Synchronized",
                hint="invalid-time-used" if offered == INVALID_TIME else "untrusted-time-used",
            )
        else:
            yield passed("a time that nobody vouches for is not used", answer.number, each.number)


def meter_is_read(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """09-METERING of the ESI: what is read of the meter is there where it is mandatory, and has its type."""
    for question, answer in _read(trace, actor, metering.CLUSTER):
        for record in answer.command.records:
            declared = metering.CLUSTER.attributes.get(record.attribute)
            if declared is None:
                continue
            if record.status == Status.SUCCESS and record.type != declared.type:
                drafted = record.attribute in metering.PARTIAL_PROFILE
                hint = "attribute-of-a-draft" if drafted else "attribute-type"
                yield _wrong_type(question, answer, record, declared.name, declared.type, hint=hint)
            elif record.status != Status.SUCCESS and declared.mandatory:
                yield answered_wrongly(
                    question, answer, f"{declared.name}, which is mandatory", f"status {record.status:02x}", "attribute-missing",
                )
            else:
                yield passed(f"{declared.name} was answered", question.number, answer.number)


# -- reading


def _read(trace: Trace, actor: Actor, cluster: Cluster) -> Iterator[tuple[Said, Said]]:
    """Questions for attributes of a cluster's server that the actor answered with attributes.

    Of silence, and of refusals, 07-UNSUPPORTED and 09-LINK-KEY-REQUIRED speak.
    """
    talk = dialogue(trace)
    for question in talk.to(actor, zcl.ReadAttributes):
        if question.cluster == cluster.identifier and question.header.direction == zcl.Direction.CLIENT_TO_SERVER:
            answer = talk.answer(question)
            if answer is not None and answer.is_a(zcl.ReadAttributesResponse):
                yield question, answer


def _record(answer: Said, attribute: int) -> Record | None:
    return next((record for record in answer.command.records if record.attribute == attribute), None)


def _is_time(said: Said) -> bool:
    return said.cluster == time_cluster.CLUSTER.identifier


def _trusted(answer: Said) -> bool:
    """Whether an answer gives a valid time, of a server that is Master or Synchronized."""
    if not answer.is_a(zcl.ReadAttributesResponse):
        return False
    time, status = _record(answer, time_cluster.TIME), _record(answer, time_cluster.TIME_STATUS)
    if time is None or time.status != Status.SUCCESS or time.value == INVALID_TIME:
        return False
    if status is None or status.status != Status.SUCCESS:
        return False
    return bool(status.value & (TimeStatus.MASTER | TimeStatus.SYNCHRONIZED))


def _said_time(said: Said) -> int | None:
    """The time that a device says in a report or a confirmation."""
    if said.is_a(drlc.ReportEventStatus):
        return int(said.command.event_status_time)
    return int(said.command.confirmation_time) if said.is_a(messaging.MessageConfirmation) else None


def _utc(trace: Trace, seconds: float) -> int:
    """The laboratory's UTCTime."""
    return smart_energy_time(datetime.fromisoformat(trace.header.epoch), seconds)


# -- findings


def _wrong_type(
    question: Said, answer: Said, record: Record, name: str, *types: DataType, hint: str = "attribute-type",
) -> Finding:
    expected = " or ".join(f"{kind.value:02x}" for kind in types)
    return answered_wrongly(question, answer, f"{name} of data type {expected}", f"data type {record.type:02x}", hint)


def _missing(trace: Trace, question: Said, answer: Said, record: Record, declared: Attribute) -> Iterator[Finding]:
    """A mandatory attribute of Basic is not there; DeviceEnabled is mandatory up to r04 only."""
    if not declared.mandatory:
        return
    if record.attribute == basic.DEVICE_ENABLED and trace.header.pics.get("zcl_r03") is not False:
        yield noted(
            "DeviceEnabled is missing, which was mandatory in ZCL r01 to r04", answer.number, expected=declared.name,
            observed=f"status {record.status:02x}",
        )
    else:
        yield answered_wrongly(
            question, answer, f"{declared.name}, which is mandatory", f"status {record.status:02x}", "attribute-missing",
        )
