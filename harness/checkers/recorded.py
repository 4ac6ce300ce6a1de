"""A run's CIM messages as a recorded exchange, judged by the functions that judge one from a file. Knows no step's content."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from harness.checkers.correspondence import profile_of
from harness.cim.finding import RULES
from harness.cim.record import Record, RecordedFinding, Recording
from harness.cim.sequence import check_sequence
from harness.composite import step_inside
from harness.remembered import Remembered
from harness.trace import Exchange, Trace
from harness.usecase import Actor, Point
from harness.verdict import Finding, failed, passed

ELSEWHERE = frozenset({"unanswered", "key-told"})
"""Rules between messages that other clauses ask about: what is missing is held against nobody without an attestation (NN-REPLY), and
a key that is told contradicts nothing (01-SECRET, 02-CONFIDENTIAL, SEQ-NO-LEAK)."""
NEED_ALL = frozenset({"step-order"})
"""Rules that hold something to be missing: they say nothing where a wire lies inside the device under test."""

AS_REPORTED = frozenset({"in-force"})
"""Rules that NN-TIME-LOGIC asks where step 12 is seen: a linkage is in force since when that says, right or wrong."""

_JUDGED: Remembered[Trace, tuple[int, list[RecordedFinding]]] = Remembered()


def contradicts_nothing(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """INT-SEQUENCE: what this actor says agrees with everything that it and the others say."""
    own = [exchange for exchange in trace.at(Point.CIM) if exchange.producer == actor and "instead_of" not in exchange.about]
    unasked = ELSEWHERE
    if any(step_inside(trace.header.dut, step) for step in (1, 14)):
        unasked |= NEED_ALL
    if Point.LEG in trace.observed() and not step_inside(trace.header.dut, 12):
        unasked |= AS_REPORTED
    against = [each for each in _findings(trace) if each.by == actor and each.rule not in unasked]
    for each in against:
        yield failed(f"breaks the rule {each.rule}", *each.records, expected=RULES[each.rule][1], observed=each.message, hint=each.rule)
    if own and not against:
        yield passed(f"what the {actor} said agrees with all that was said", *(exchange.number for exchange in own))


def recording_of(trace: Trace) -> Recording:
    """The CIM messages and the log of a run, numbered as its exchanges are."""
    tokens = {exchange.about["exchange"]: exchange.number for exchange in trace if exchange.about.get("exchange")}
    last = trace.exchanges[-1].time if trace.exchanges else 0.0
    attested = [each for each in trace.attestations if each.point is Point.CIM and each.start <= 0.0]
    return Recording(
        tuple(_record(exchange, tokens) for exchange in trace.at(Point.CIM, Point.LOG)),
        datetime.fromisoformat(trace.header.epoch), max((each.end or last for each in attested), default=last),
        whole=bool(attested), profile=profile_of(trace),
    )


def _record(exchange: Exchange, tokens: dict[str, int]) -> Record:
    about = exchange.about
    transport = {**(about.get("transport") or {}), **({"address": about["address"]} if about.get("address") else {})}
    return Record(
        exchange.number, exchange.time, exchange.producer or "", exchange.receiver or "", exchange.octets,
        transport, tokens.get(about.get("answers", "")), about.get("flaw", ""),
        about.get("arrives", exchange.time) if exchange.fate == "arrived" else None, "instead_of" in about,
    )


def _findings(trace: Trace) -> list[RecordedFinding]:
    """What is wrong between the messages of a run, looked for once for all actors; again when the trace has grown."""
    size = len(trace.exchanges)
    known = _JUDGED.get(trace)
    if known is None or known[0] != size:
        known = _JUDGED[trace] = (size, check_sequence(recording_of(trace)))
    return known[1]
