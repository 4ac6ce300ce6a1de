"""Step 8: what both parties of key establishment must arrive at, computed from the air and the bench's private keys.

The bench's own side tells its static and ephemeral private keys (`trace.keys`); certificates, ephemeral public keys and
confirmations are on the air. That is all the arithmetic needs, so a verdict on a MAC is found again from the evidence alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from dissectors import aps, mac
from dissectors.clusters.key_establishment import (
    ConfirmKeyData,
    EphemeralData,
    InitiateKeyEstablishment,
    TerminateKeyEstablishment,
    TerminateStatus,
)
from harness.checkers.attempts import (
    ANSWER_TIME,
    INITIATOR,
    RESPONDER,
    Attempt,
    Said,
    address,
    attempts,
    ends_of,
    partner_of,
    under_a_link_key,
    watched,
)
from harness.checkers.reading import Heard, air
from harness.crypto import cbke
from harness.crypto.cbke import EphemeralKey, Outcome, Parties
from harness.crypto.ecqv import Certificate, CertificateError, Credentials, extract_public_key
from harness.trace import Trace
from harness.usecase import Actor
from harness.verdict import Finding, failed, inconclusive, passed

MAC_NAMES = {INITIATOR: "MACU", RESPONDER: "MACV"}


@dataclass(frozen=True)
class Agreement:
    """What an attempt must lead to, and what each known mistake would lead to."""

    right: Outcome
    mistakes: dict[str, Outcome]

    def confirmation(self, actor: Actor) -> bytes:
        """What that party's Confirm Key Data must carry."""
        return self.right.mac_u if actor is INITIATOR else self.right.mac_v

    def mistake(self, actor: Actor, received: bytes) -> str | None:
        """The known mistake that explains a wrong confirmation of that party."""
        return cbke.name_mistake(received, actor is INITIATOR, self.mistakes)


def agreement(trace: Trace, attempt: Attempt) -> Agreement | None:
    """What the attempt must lead to; None where messages or private keys are missing, or no party's keys fit what it sent.

    Whose private keys these are makes no difference, as long as they belong to the public keys which that party sent.
    """
    initiator, responder = address(trace, attempt, INITIATOR), address(trace, attempt, RESPONDER)
    ephemeral = {actor: attempt.find(actor, EphemeralData) for actor in (INITIATOR, RESPONDER)}
    points = [_field(said, "ephemeral_public_key") for said in ephemeral.values()]
    if initiator is None or responder is None or not all(points):
        return None
    parties = Parties(initiator, responder, *points)
    for actor in (RESPONDER, INITIATOR):
        own, drawn = _credentials(trace, attempt, actor), _drawn(trace, attempt, actor)
        peer = partner_of(actor)
        certificate = _field(attempt.find(peer, InitiateKeyEstablishment), "certificate")
        if own is not None and drawn is not None and certificate:
            try:
                return _agreed(own, drawn, certificate, _field(ephemeral[peer], "ephemeral_public_key"), parties)
            except ValueError:  # what the peer sent gives no secret
                return None
    return None


def forged(trace: Trace, attempt: Attempt, actor: Actor) -> Said | None:
    """The first message of a party that carries a public key which is not its own; None also where its own are not known."""
    initiate, ephemeral = attempt.find(actor, InitiateKeyEstablishment), attempt.find(actor, EphemeralData)
    if initiate is not None and _statics(trace, attempt, actor) and _credentials(trace, attempt, actor) is None:
        return initiate
    if ephemeral is not None and _ephemerals(trace, attempt, actor) and _drawn(trace, attempt, actor) is None:
        return ephemeral
    return None


def confirmation_is_right(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """08-MAC-U, 08-MAC-V: the confirmation is the HMAC that both parties' keys and addresses give, and so is what it takes."""
    name = MAC_NAMES[judged]
    for attempt in attempts(trace):
        yield from _refusal_of_right(trace, attempt, judged)
        said = attempt.find(judged, ConfirmKeyData)
        if said is None or said.command is None:
            continue
        agreed = agreement(trace, attempt)
        received = bytes(said.command.message_authentication_code)
        if agreed is None:
            if not any(key.kind == "static" for key in trace.keys):
                yield from _told_by_reaction(trace, attempt, said, judged)
        elif received == agreed.confirmation(judged):
            yield passed(f"{name} is right", said.number)
        else:
            mistake = _mistake(trace, attempt, judged, agreed, received)
            cause = f"; it is what comes of a known mistake: {mistake.replace('-', ' ')}" if mistake else ""
            yield failed(
                f"{name} is wrong{cause}", *(each.number for each in attempt.before(said)), said.number,
                expected=agreed.confirmation(judged).hex(), observed=received.hex(), hint=mistake,
            )


def _refusal_of_right(trace: Trace, attempt: Attempt, judged: Actor) -> Iterator[Finding]:
    """A party that refuses a right confirmation has computed another one itself."""
    theirs, agreed = attempt.find(partner_of(judged), ConfirmKeyData), agreement(trace, attempt)
    if theirs is None or theirs.command is None or agreed is None:
        return
    refusal = next((each for each in attempt.after(theirs) if each.by is judged and _is_bad_confirm(each)), None)
    if refusal is not None and theirs.command.message_authentication_code == agreed.confirmation(theirs.by):
        yield failed(
            f"the {judged} refused a right {MAC_NAMES[theirs.by]}", theirs.number, refusal.number,
            expected="no Terminate Key Establishment", observed="BAD_KEY_CONFIRM", hint="refuses-what-is-right",
        )


def _mistake(trace: Trace, attempt: Attempt, judged: Actor, agreed: Agreement, received: bytes) -> str | None:
    """Which known mistake explains a wrong confirmation."""
    if not any(received):
        return "confirmation-all-zero"
    of_another = _has_anothers_private_key(trace, attempt, judged)
    return agreed.mistake(judged, received) or ("private-key-of-another-certificate" if of_another else None)


def is_wrong(trace: Trace, attempt: Attempt, said: Said) -> bool:
    """Whether a Confirm Key Data is known to carry another confirmation than it must."""
    agreed = agreement(trace, attempt)
    if agreed is None:
        return _has_anothers_private_key(trace, attempt, said.by)
    return said.command is not None and bool(said.command.message_authentication_code != agreed.confirmation(said.by))


def _has_anothers_private_key(trace: Trace, attempt: Attempt, actor: Actor) -> bool:
    """Whether the private keys of a party are known, and none belongs to the sound certificate that it sent."""
    if not _statics(trace, attempt, actor) or _credentials(trace, attempt, actor) is not None:
        return False
    certificate, ca = _field(attempt.find(actor, InitiateKeyEstablishment), "certificate"), trace.header.pixit.get("ca", "")
    try:
        extract_public_key(certificate, bytes.fromhex(ca))
    except ValueError:
        return False
    return True


def _is_bad_confirm(said: Said) -> bool:
    right = said.is_a(TerminateKeyEstablishment) and said.command is not None
    return right and said.command is not None and bool(said.command.status == TerminateStatus.BAD_KEY_CONFIRM)


def new_key_is_used(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """08-KEY-INSTALLED: after a completed exchange the party secures with the new key, and takes what is secured with it."""
    for attempt in attempts(trace):
        end = attempt.completed
        if end is None:
            continue
        agreed = agreement(trace, attempt)
        later = list(_secured(trace, attempt, end))
        own = [each for each in later if air(trace).from_coordinator(each) is (judged is RESPONDER)]
        wrong = next((each for each in own if not _fits(each, agreed)), None)
        if wrong is not None:
            yield failed(
                f"the {judged} secured a frame with another key than the one just established", end.number, wrong.number,
                expected="APS security with the new link key", observed=_key_of(wrong),
                hint="install-code-key-kept" if wrong.frame.aps_key_kind == "ic" else None,
            )
        elif own:
            yield passed(f"the {judged} secures with the new key", end.number, own[0].number)
        else:
            yield from _taken(trace, later, agreed, judged, end)


def uses_of_the_key(trace: Trace, attempt: Attempt, since: Heard, actor: Actor) -> Iterator[Heard]:
    """Frames of a party under the key of this attempt, after a frame and before the device's next beginning.

    Where nobody can tell which key that is, every established one counts, unless the two had one before.
    """
    agreed = agreement(trace, attempt)
    had_one = any(other.completed and other.device == attempt.device and other.number < attempt.number for other in attempts(trace))
    for each in under_a_link_key(trace, attempt, since, actor):
        if each.frame.aps_key == agreed.right.key_data if agreed is not None else not had_one:
            yield each


def cause_of_use(trace: Trace, attempt: Attempt, actor: Actor, end: Said, usual: str) -> str:
    """Why a party uses a key that came of nothing: it did so before the exchange had ended, or else the usual cause."""
    own = attempt.find(actor, ConfirmKeyData)
    uses = () if own is None else uses_of_the_key(trace, attempt, own.first, actor)
    return "key-used-unconfirmed" if any(each.number < end.number for each in uses) else usual


def key_is_confirmed_first(trace: Trace) -> Iterator[Finding]:
    """08-KEY-CONFIRMED: the device uses the agreed key when the ESI's confirmation has come, and not before."""
    for attempt in attempts(trace):
        own = attempt.find(INITIATOR, ConfirmKeyData)
        if own is None:
            continue
        theirs = attempt.find(RESPONDER, ConfirmKeyData)
        came = None if theirs is None else theirs.arrival
        uses = uses_of_the_key(trace, attempt, own.first, INITIATOR)
        early = next((each for each in uses if came is None or each.number < came.number), None)
        if early is not None:
            yield failed(
                "the device used the key before the ESI had confirmed it", own.number, early.number,
                expected="no frame under the key before the ESI's Confirm Key Data", observed=early.frame.summary(),
                hint="key-used-unconfirmed",
            )
        elif came is not None:
            yield passed("the device waited for the ESI's confirmation", own.number, came.number)


def _taken(trace: Trace, later: list[Heard], agreed: Agreement | None, judged: Actor, end: Said) -> Iterator[Finding]:
    """What a party that secures nothing itself does with frames under the new key: with none acknowledged, it lacks the key."""
    asked = [each for each in later if each.arrived and each.aps.ack_request and _fits(each, agreed)]
    counters = {each.aps.counter for each in asked}
    answered = any(
        each.aps is not None and each.aps.frame_type == aps.FrameType.ACK and each.aps.counter in counters
        and air(trace).from_coordinator(each) is (judged is RESPONDER)
        for each in (air(trace).after(asked[0]) if asked else ())
    )
    if answered:
        yield passed(f"the {judged} takes frames under the new key", end.number, asked[0].number)
    elif asked and watched(trace, asked[-1], ANSWER_TIME):
        yield failed(
            f"the {judged} acknowledged no frame under the key just established", end.number, *(each.number for each in asked),
            expected="an APS acknowledgement", observed="none", hint="new-key-not-taken",
        )


def _secured(trace: Trace, attempt: Attempt, end: Said) -> Iterator[Heard]:
    """APS-secured data frames and acknowledgements between the two from the end of an attempt to the device's next start."""
    device = ends_of(end.first)
    for each in air(trace).after(end.first):
        asks = each.find(mac.AssociationRequest)
        begins_anew = asks is not None and each.mac.source_ieee == attempt.device
        if begins_anew or (attempt.next_at is not None and each.time >= attempt.next_at):
            return
        kinds = (aps.FrameType.DATA, aps.FrameType.ACK)
        if ends_of(each) == device and each.aps is not None and each.aps.security_enabled and each.aps.frame_type in kinds:
            yield each


def _fits(heard: Heard, agreed: Agreement | None) -> bool:
    frame = heard.frame
    return frame.aps_key_kind == "link" and (agreed is None or frame.aps_key == agreed.right.key_data)


def _key_of(heard: Heard) -> str:
    kinds = {"ic": "the key made from the install code", "link": "another link key", None: "a key that the run does not know"}
    return kinds.get(heard.frame.aps_key_kind, str(heard.frame.aps_key_kind))


def _told_by_reaction(trace: Trace, attempt: Attempt, said: Said, judged: Actor) -> Iterator[Finding]:
    """Without private keys only the partner's reaction tells; it is believed where the partner is not under test itself."""
    name, partner = MAC_NAMES[judged], partner_of(judged)
    refusal = next((each for each in attempt.after(said) if each.by is partner and _is_bad_confirm(each)), None)
    if refusal is not None:
        if judged in trace.header.dut and partner not in trace.header.dut:
            yield failed(
                f"{name} was refused", said.number, refusal.number, expected="a confirmation that the partner accepts",
                observed="Terminate Key Establishment, BAD_KEY_CONFIRM",
            )
        else:
            yield inconclusive(f"{name} was refused, and no private key tells who is wrong", said.number, refusal.number)
    elif attempt.completed is not None:
        yield passed(f"{name} was accepted", said.number)


def _field(said: Said | None, name: str) -> bytes:
    return b"" if said is None or said.command is None else bytes(getattr(said.command, name))


def _statics(trace: Trace, attempt: Attempt, actor: Actor) -> tuple[int, ...]:
    return _integers(trace, "static", address(trace, attempt, actor))


def _ephemerals(trace: Trace, attempt: Attempt, actor: Actor) -> tuple[int, ...]:
    return _integers(trace, "ephemeral", address(trace, attempt, actor))


def _integers(trace: Trace, kind: str, owner: int | None) -> tuple[int, ...]:
    return tuple(int.from_bytes(key.octets, "big") for key in trace.keys if key.kind == kind and key.device == owner)


def _credentials(trace: Trace, attempt: Attempt, actor: Actor) -> Credentials | None:
    """A party's certificate as it sent it, with the private key that belongs to it."""
    certificate = _field(attempt.find(actor, InitiateKeyEstablishment), "certificate")
    ca = bytes.fromhex(trace.header.pixit.get("ca", ""))
    for static in _statics(trace, attempt, actor):
        try:
            credentials = Credentials(Certificate(certificate), static, ca)
            if credentials.belong_together():
                return credentials
        except (CertificateError, ValueError):
            return None
    return None


def _drawn(trace: Trace, attempt: Attempt, actor: Actor) -> EphemeralKey | None:
    """The ephemeral key whose public half a party sent."""
    sent = _field(attempt.find(actor, EphemeralData), "ephemeral_public_key")
    keys = (_ephemeral_key(private) for private in _ephemerals(trace, attempt, actor))
    return next((key for key in keys if key.public == sent), None)


@lru_cache(maxsize=256)
def _ephemeral_key(private: int) -> EphemeralKey:
    return cbke.ephemeral_key(private)


@lru_cache(maxsize=64)
def _agreed(own: Credentials, drawn: EphemeralKey, certificate: bytes, ephemeral: bytes, parties: Parties) -> Agreement:
    z = cbke.agree(own, drawn, certificate, ephemeral)
    bare = cbke.agree(own, drawn, certificate, ephemeral, cofactor=1)
    return Agreement(cbke.conclude(z, parties), cbke.known_mistakes(z, parties, bare))
