"""Step 8: each message of key establishment by itself: its fields, its certificate, its security. Knows no conversation.

Smart Energy 1.0 (075356), annex C.3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dissectors.clusters.key_establishment import (
    MAXIMUM_SECONDS,
    EphemeralData,
    InitiateKeyEstablishment,
    Suite,
    TerminateKeyEstablishment,
    TerminateStatus,
)
from dissectors.zcl import Direction
from harness.checkers.attempts import INITIATOR, RESPONDER, TURNS, Said, address, attempts, said_by
from harness.checkers.reading import demand
from harness.crypto.cbke import check_ephemeral
from harness.crypto.ecqv import Certificate, CertificateError, CertificateFlaw, check_certificate
from harness.trace import Trace, Unknown
from harness.usecase import Actor
from harness.values import Eui64
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
                hint=_mistaken_suite(suite),
            )


def certificate_is_its_own(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """08-CERTIFICATE: 48 octets of the run's authority, issued to the sender's IEEE address, with a point that is one."""
    for attempt in attempts(trace):
        said = next((said for said in attempt.by(judged) if said.kind is InitiateKeyEstablishment), None)
        owner = address(trace, attempt, judged)
        if said is None or owner is None or (said.command is not None and said.command.suite != Suite.CBKE_ECMQV_K163):
            continue
        octets = b"" if said.command is None else bytes(said.command.certificate) + said.surplus
        issuer = bytes.fromhex(trace.header.pixit.get("issuer", ""))
        try:
            check_certificate(octets, owner, issuer)
            yield passed(f"the {judged}'s certificate is its own", said.number)
        except CertificateError as fault:
            if fault.flaw is CertificateFlaw.ISSUER and not issuer:
                demand(trace, Unknown.AUTHORITY)
                yield noted("which authority issues the run's certificates is not known", said.number)
            else:
                yield failed(
                    f"the {judged}'s certificate has a wrong {fault.flaw}", said.number,
                    expected=f"issued by {issuer.hex()} to {owner}", observed=str(fault),
                    hint=_mistaken_certificate(fault.flaw, octets, owner),
                )


def ephemeral_key_is_one(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """08-EPHEMERAL: Ephemeral Data carries a compressed point of the curve."""
    for said in said_by(trace, judged, EphemeralData):
        assert said.command is not None
        octets = bytes(said.command.ephemeral_public_key)
        if is_point(octets):
            yield passed(f"the {judged}'s ephemeral key is a point of the curve", said.number)
        else:
            yield failed(
                f"the {judged}'s ephemeral key is none", said.number, expected="a compressed point of the curve",
                observed=octets.hex(), hint="ephemeral-key-no-point" if any(octets) else "ephemeral-key-all-zero",
            )


def is_point(ephemeral_public_key: bytes) -> bool:
    """Whether these octets encode a point of the curve."""
    try:
        check_ephemeral(ephemeral_public_key)
    except ValueError:
        return False
    return True


def asks_for_acknowledgements(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """08-ACKED: every message of key establishment asks for an APS acknowledgement."""
    yield from _each(
        trace, judged, lambda said: bool(said.first.aps.ack_request), "asks for an APS acknowledgement",
        "without asking for an APS acknowledgement", lambda said: "no-acknowledgement-asked",
    )


def stays_under_the_network_key(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """08-NWK-ONLY: NWK security and no APS security, even where a link key exists."""
    yield from _each(
        trace, judged, lambda said: said.first.frame.security.nwk == "ok" and not said.first.aps.security_enabled,
        "is under the network key alone", "with other security than the network key's",
        lambda said: "key-establishment-encrypted" if said.first.aps.security_enabled else None,
    )


def says_its_direction(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """08-DIRECTION-BIT: the initiator's messages go from client to server, the responder's back, Terminate included."""
    right = DIRECTIONS[judged]
    yield from _each(
        trace, judged, lambda said: said.header is None or said.header.direction == right, f"goes {right.name.lower()}",
        f"with another direction than {right.name.lower()}", lambda said: "direction-of-the-other-role",
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
                hint=_mistaken_terminate(status, wait),
            )
        else:
            yield passed(f"the {judged}'s Terminate is in form", said.number, observed=observed)


def _mistaken_suite(suite: int) -> str:
    if not suite:
        return "no-suite-bit"
    return "several-suite-bits" if suite & sum(Suite) else "unknown-suite-bit"


def _mistaken_certificate(flaw: CertificateFlaw, octets: bytes, owner: Eui64) -> str:
    if flaw is CertificateFlaw.SUBJECT and Certificate(octets).subject.octets == owner.octets[::-1]:
        return "certificate-subject-reversed"
    return {
        CertificateFlaw.LENGTH: "certificate-of-wrong-length", CertificateFlaw.SUBJECT: "certificate-of-another-device",
        CertificateFlaw.ISSUER: "certificate-of-another-authority", CertificateFlaw.POINT: "certificate-without-a-point",
    }[flaw]


def _mistaken_terminate(status: int, wait: int) -> str:
    if status not in tuple(TerminateStatus):
        return "terminate-status-unknown"
    return "reserved-wait-time" if wait > MAXIMUM_SECONDS else "terminate-without-suites"


def _each(
    trace: Trace, judged: Actor, right: Callable[[Said], bool], good: str, bad: str, cause: Callable[[Said], str | None],
) -> Iterator[Finding]:
    for attempt in attempts(trace):
        for said in attempt.by(judged):
            if said.kind not in (*TURNS, TerminateKeyEstablishment):
                continue
            if right(said):
                yield passed(f"{said.name} {good}", said.number)
            else:
                yield failed(f"the {judged} sent {said.name} {bad}", said.number, expected=f"it {good}", observed=bad, hint=cause(said))
