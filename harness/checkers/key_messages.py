"""Step 8: each message of key establishment by itself: its fields, its certificate, its security. Knows no conversation.

Smart Energy 1.0 (075356), annex C.3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dissectors.clusters.key_establishment import (
    MAXIMUM_SECONDS,
    InitiateKeyEstablishment,
    Suite,
    TerminateKeyEstablishment,
    TerminateStatus,
)
from dissectors.zcl import Direction
from harness.checkers.attempts import INITIATOR, RESPONDER, TURNS, Said, address, attempts, said_by
from harness.crypto.ecqv import CertificateError, CertificateFlaw, check_certificate
from harness.trace import Trace
from harness.usecase import Actor
from harness.verdict import Finding, failed, noted, passed

DIRECTIONS = {INITIATOR: Direction.CLIENT_TO_SERVER, RESPONDER: Direction.SERVER_TO_CLIENT}


def names_one_suite(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """08-SUITE-BIT: Initiate names exactly one suite, one that there is."""
    for said in said_by(trace, judged, InitiateKeyEstablishment):
        assert said.command is not None
        suite = said.command.suite
        if suite in tuple(Suite):
            yield passed(f"the {judged} names suite {suite:#06x}", said.number)
        else:
            yield failed(
                f"the {judged} does not name exactly one suite", said.number,
                expected="one of " + ", ".join(f"{each:#06x}" for each in Suite), observed=f"{suite:#06x}",
            )


def certificate_is_its_own(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """08-CERTIFICATE: 48 octets of the run's authority, issued to the sender's IEEE address, with a point that is one."""
    for attempt in attempts(trace):
        said = attempt.find(judged, InitiateKeyEstablishment)
        owner = address(trace, attempt, judged)
        if said is None or said.command is None or owner is None or said.command.suite not in (Suite.CBKE_ECMQV_K163,):
            continue
        octets = bytes(said.command.certificate) + said.surplus
        issuer = bytes.fromhex(trace.header.pixit.get("issuer", ""))
        try:
            check_certificate(octets, owner, issuer)
            yield passed(f"the {judged}'s certificate is its own", said.number)
        except CertificateError as fault:
            if fault.flaw is CertificateFlaw.ISSUER and not issuer:
                yield noted("which authority issues the run's certificates is not known", said.number)
            else:
                yield failed(
                    f"the {judged}'s certificate has a wrong {fault.flaw}", said.number,
                    expected=f"issued by {issuer.hex()} to {owner}", observed=str(fault),
                )


def asks_for_acknowledgements(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """08-ACKED: every message of key establishment asks for an APS acknowledgement."""
    yield from _each(
        trace, judged, lambda said: bool(said.first.aps.ack_request), "asks for an APS acknowledgement",
        "without asking for an APS acknowledgement",
    )


def stays_under_the_network_key(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """08-NWK-ONLY: NWK security and no APS security, even where a link key exists."""
    yield from _each(
        trace, judged, lambda said: said.first.frame.security.nwk == "ok" and not said.first.aps.security_enabled,
        "is under the network key alone", "with other security than the network key's",
    )


def says_its_direction(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """08-DIRECTION-BIT: the initiator's messages go from client to server, the responder's back, Terminate included."""
    right = DIRECTIONS[judged]
    yield from _each(
        trace, judged, lambda said: said.header is None or said.header.direction == right, f"goes {right.name.lower()}",
        f"with another direction than {right.name.lower()}",
    )


def terminates_in_form(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """08-TERMINATE: a status that there is, a wait time that is not reserved, and the suites that the sender has."""
    for said in said_by(trace, judged, TerminateKeyEstablishment):
        assert said.command is not None
        status, wait, suites = said.command.status, said.command.wait_time, said.command.suite
        observed = f"status {status:02x}, wait time {wait} s, suites {suites:#06x}"
        if status not in tuple(TerminateStatus) or wait > MAXIMUM_SECONDS or not suites & Suite.CBKE_ECMQV_K163:
            yield failed(
                f"the {judged}'s Terminate Key Establishment is not in form", said.number,
                expected=f"status 01 to 06, at most {MAXIMUM_SECONDS} s, suites with bit 0", observed=observed,
            )
        else:
            yield passed(f"the {judged}'s Terminate is in form", said.number, observed=observed)


def _each(trace: Trace, judged: Actor, right: Callable[[Said], bool], good: str, bad: str) -> Iterator[Finding]:
    for attempt in attempts(trace):
        for said in attempt.by(judged):
            if said.kind not in (*TURNS, TerminateKeyEstablishment):
                continue
            if right(said):
                yield passed(f"{said.name} {good}", said.number)
            else:
                yield failed(f"the {judged} sent {said.name} {bad}", said.number, expected=f"it {good}", observed=bad)
