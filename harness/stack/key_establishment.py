"""What both parties of certificate-based key establishment share: timing, checks, how the keys come about.

Smart Energy 1.0 (075356), annex C.3 and C.4, crypto suite 1. The machines stand in `key_establishment_initiator` and
`key_establishment_responder`; the arithmetic in `harness.crypto`, done once for each exchange and only when it is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum

from dissectors.clusters.key_establishment import (
    MINIMUM_TRANSIT,
    ConfirmKeyData,
    InitiateKeyEstablishment,
    Suite,
    TerminateKeyEstablishment,
    TerminateStatus,
)
from dissectors.layer import Record
from harness.crypto import cbke
from harness.crypto.cbke import EphemeralKey, Outcome, Parties
from harness.crypto.ecqv import Certificate, CertificateError, CertificateFlaw, Credentials, check_certificate
from harness.crypto.sect163k1 import FIELD_OCTETS
from harness.stack.application import Application, Delivered, Path
from harness.stack.endpoint import Heard
from harness.stack.happenings import Happening, KeyLearnt
from harness.stack.policy import Policy
from harness.values import Eui64

NewEphemeralKey = Callable[[], EphemeralKey]
"""Makes the ephemeral key of one exchange; every exchange asks anew."""


def held(credentials: Credentials, policy: Policy) -> Credentials:
    """The credentials that a node computes with."""
    return credentials if policy.holds_own_private_key else replace(credentials, private_key=credentials.private_key ^ 1)


def told(
    new_ephemeral_key: NewEphemeralKey, credentials: Credentials, ieee: Eui64, report: Callable[[Happening], None],
) -> NewEphemeralKey:
    """The same, and the bench is told what the node computes with, so that its trace can be judged without the node."""

    def draw() -> EphemeralKey:
        key = new_ephemeral_key()
        report(KeyLearnt("static", credentials.private_key.to_bytes(FIELD_OCTETS, "big"), ieee))
        report(KeyLearnt("ephemeral", key.private.to_bytes(FIELD_OCTETS, "big"), ieee))
        return key

    return draw


@dataclass(frozen=True)
class Timing:
    """Seconds. `ephemeral` and `confirm` are what we advertise, `making_...` how long computing really takes us.

    `transit` is what a message and its APS retries are given on top of what the partner advertised; `pause` is the wait time
    that we put into a Terminate, and take when the partner's names none; `busy` is the one sent with NO_RESOURCES.
    """

    ephemeral: int = 3
    confirm: int = 6
    making_ephemeral: float = 0.5
    making_confirm: float = 1.5
    transit: float = 7.0
    pause: int = 10
    busy: int = 20

    def allowed(self, advertised: int, policy: Policy) -> float:
        """How long to wait for a message for which the partner advertised so many seconds."""
        if not policy.honours_advertised_times:
            return MINIMUM_TRANSIT
        return advertised + max(self.transit, MINIMUM_TRANSIT)

    @staticmethod
    def needed(advertised: int, making: float, policy: Policy) -> float:
        """How long we compute before a message for which we advertised so many seconds and really need `making`."""
        return making if policy.generate_time_share is None else advertised * policy.generate_time_share


class Role(Enum):
    """Which party of an exchange a node is."""

    INITIATOR = "initiator"
    RESPONDER = "responder"


@dataclass(frozen=True)
class Refusal:
    """Why a message is answered with Terminate Key Establishment; `wait` None leaves the wait time to our timing."""

    status: TerminateStatus
    reason: str
    wait: int | None = None


@dataclass
class Exchange:
    """One run with one partner: what each party has sent so far."""

    own: Credentials
    ieee: Eui64  # our own address, which is the subject of our certificate unless that is wrong on purpose
    partner: Eui64
    role: Role
    partner_certificate: bytes = b""
    partner_ephemeral_time: int = 0
    partner_confirm_time: int = 0
    own_ephemeral: EphemeralKey | None = None
    partner_ephemeral: bytes = b""
    _outcome: Outcome | None = field(default=None, repr=False)

    def outcome(self, policy: Policy) -> Outcome:
        """Both confirmations and the key; computed at the first call. Raises ValueError when the partner's keys give none."""
        if self._outcome is None:
            self._outcome = self._conclude(policy.key_agreement_mistake)
        return self._outcome

    def expected(self, policy: Policy) -> Outcome:
        """What the partner's confirmation is compared with. Raises ValueError when the partner's keys give none."""
        return self.outcome(policy) if policy.compares_as_it_errs else self._conclude(None)

    def _conclude(self, mistake: str | None) -> Outcome:
        assert self.own_ephemeral is not None
        parties = Parties(self.ieee, self.partner, self.own_ephemeral.public, self.partner_ephemeral)
        if self.role is Role.RESPONDER:
            parties = Parties(self.partner, self.ieee, self.partner_ephemeral, self.own_ephemeral.public)
        z = cbke.agree(self.own, self.own_ephemeral, self.partner_certificate, self.partner_ephemeral)
        if mistake is None:
            return cbke.conclude(z, parties)
        bare = cbke.agree(self.own, self.own_ephemeral, self.partner_certificate, self.partner_ephemeral, cofactor=1)
        return cbke.known_mistakes(z, parties, bare)[mistake]


def length_flaw(heard: Heard, policy: Policy) -> Refusal | None:
    """A message of key establishment is exactly as long as it must be; later revisions append nothing to it."""
    if heard.surplus and policy.checks_key_establishment_length:
        return Refusal(TerminateStatus.BAD_MESSAGE, f"{len(heard.surplus)} octets too many")
    return None


def flaw_of_initiate(message: Record, partner: Eui64, own: Credentials, policy: Policy) -> Refusal | None:
    """What is wrong with an Initiate Key Establishment request or response from `partner`; None when nothing is."""
    if message.suite != Suite.CBKE_ECMQV_K163 and policy.checks_suite:  # exactly one bit, and one that we have
        return Refusal(TerminateStatus.UNSUPPORTED_SUITE, f"suite {message.suite:#06x}")
    return _flaw_of_certificate(message.certificate, partner, own, policy)


def _flaw_of_certificate(octets: bytes, partner: Eui64, own: Credentials, policy: Policy) -> Refusal | None:
    try:
        check_certificate(octets, partner, own.issuer)
    except CertificateError as fault:
        if fault.flaw is CertificateFlaw.ISSUER:
            if policy.checks_issuer:
                return Refusal(TerminateStatus.UNKNOWN_ISSUER, str(fault))
            if policy.checks_subject and Certificate(octets).subject != partner:
                return Refusal(TerminateStatus.BAD_MESSAGE, "not issued to its sender")
            return None
        if fault.flaw is CertificateFlaw.SUBJECT and _is_taken_for(Certificate(octets).subject, partner, policy):
            return None
        return Refusal(TerminateStatus.BAD_MESSAGE, str(fault))
    return None


def _is_taken_for(subject: Eui64, partner: Eui64, policy: Policy) -> bool:
    """Whether a subject that is not the partner's address passes for it."""
    return not policy.checks_subject or (policy.takes_reversed_subject and subject.octets == partner.octets[::-1])


def flaw_of_ephemeral(message: Record) -> Refusal | None:
    """What is wrong with the ephemeral public key that a message carries; None when nothing is."""
    try:
        cbke.check_ephemeral(message.ephemeral_public_key)
    except ValueError as fault:
        return Refusal(TerminateStatus.BAD_MESSAGE, str(fault))
    return None


def initiate(own: Credentials, timing: Timing) -> Record:
    """Our Initiate Key Establishment, request or response."""
    return InitiateKeyEstablishment.of(
        suite=Suite.CBKE_ECMQV_K163, ephemeral_data_generate_time=timing.ephemeral, confirm_key_generate_time=timing.confirm,
        certificate=bytes(own.certificate),
    )


def terminate(refusal: Refusal, timing: Timing) -> Record:
    """Our Terminate Key Establishment; its suite field says what we support, not what was in use (SE 1.0, C.3.1.2.3.4)."""
    busy = refusal.status is TerminateStatus.NO_RESOURCES
    wait = refusal.wait if refusal.wait is not None else timing.busy if busy else timing.pause
    return TerminateKeyEstablishment.of(status=refusal.status, wait_time=wait, suite=Suite.CBKE_ECMQV_K163)


def send(
    application: Application, path: Path, message: Record, now: float, sequence: int | None = None,
    delivered: Delivered | None = None,
) -> None:
    """Send a message of key establishment: acknowledged, and under the network key alone even where a link key exists.

    A node that encrypts all the same leaves the last message alone: the key that it has by then is not yet the partner's.
    """
    encrypts = not application.policy.establishes_under_network_key_only and not message.is_a(ConfirmKeyData)
    application.send_zcl(
        path, message, now, sequence=sequence, link_key=encrypts,
        ack=application.policy.establishes_with_ack, delivered=delivered, disable_default_response=sequence is not None,
    )
