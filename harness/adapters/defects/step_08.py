"""Step 8: wrong behaviours of a HAN Device and of an ESI in key establishment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dissectors import zcl
from dissectors.clusters import key_establishment as cluster
from dissectors.clusters.key_establishment import (
    ConfirmKeyData,
    EphemeralData,
    InitiateKeyEstablishment,
    Suite,
    TerminateKeyEstablishment,
)
from dissectors.layer import Record
from harness.adapters.defects import Defect
from harness.adapters.defects.step_08_provocations import SIDES, default_response, every, nothing, with_issuer, with_subject
from harness.crypto import cbke
from harness.crypto.cbke import Parties
from harness.stack.esi import EsiSettings
from harness.stack.policy import Rewrite
from harness.usecase import Actor
from harness.values import Eui64

MISTAKES = tuple(cbke.known_mistakes(b"", Parties(Eui64(1), Eui64(2), b"", b""), b""))


def _both_suites(initiate: Record) -> Record:
    return initiate.replace(suite=sum(Suite))


def _confirm(record: Record) -> Record:
    return ConfirmKeyData.of()


def _without_suites(message: Record) -> Record:
    return message.replace(suite=0)


def _turned_terminate(header: Record) -> Record:
    if not header.command.is_a(TerminateKeyEstablishment):
        return header
    return header.replace(direction=1 - header.direction)


def _next_sequence(header: Record) -> Record:
    if header.cluster != cluster.CLUSTER.identifier or header.frame_type != zcl.FrameType.CLUSTER:
        return header
    return header.replace(sequence=(header.sequence + 1) % 256)


def _defect(
    actor: Actor, name: str, text: str, *clauses: str, decisions: Mapping[str, Any] | None = None,
    rewrites: tuple[Rewrite, ...] = (),
) -> Defect:
    return Defect(
        f"08-{name}", actor, text, tuple(f"UC2.7-08-{clause}@{actor}" for clause in clauses), decisions or {}, rewrites,
    )


def _of_either(side: str, actor: Actor) -> Iterator[Defect]:
    """What either party can do wrong."""
    for name, text, clauses, decisions in (
        ("needs-too-long", "needs longer than it advertises", ("TIMES",), {"generate_time_share": 1.9}),
        ("has-no-patience", "waits no longer than 2 s, whatever was advertised", ("PATIENCE",),
         {"honours_advertised_times": False}),
        ("asks-for-no-acknowledgement", "sends without APS acknowledgement", ("ACKED",), {"establishes_with_ack": False}),
        ("encrypts", "APS-encrypts with the key that it has", ("NWK-ONLY",), {"establishes_under_network_key_only": False}),
        ("keeps-the-old-key", "goes on under the key made from the install code", ("KEY-INSTALLED",),
         {"installs_established_key": False}),
        ("draws-once", "uses one ephemeral key for ever", ("FRESH-EPHEMERAL",), {"reuses_ephemeral_key": True}),
        ("trusts-any-authority", "takes certificates of any authority", ("UNKNOWN-ISSUER",), {"checks_issuer": False}),
        ("takes-anybodys-certificate", "does not look whom a certificate was issued to", ("BAD-SUBJECT",),
         {"checks_subject": False}),
        ("compares-nothing", "does not compare the partner's confirmation", ("BAD-CONFIRM", "FORGED"),
         {"checks_confirmation": False}),
        ("overlooks-surplus", "takes messages with octets too many", ("BAD-MESSAGE",),
         {"checks_key_establishment_length": False}),
        ("keeps-silent-on-malformed", "hangs on a message that is too short", ("BAD-MESSAGE",), {"hangs_on_malformed": True}),
        ("takes-any-suite", "does not look at the suite", ("UNSUPPORTED-SUITE",), {"checks_suite": False}),
        ("follows-no-order", "takes messages at any place", ("OUT-OF-SEQUENCE",), {"checks_sequence": False}),
        ("terminates-silence", "sends Terminate when its patience is at an end", ("SILENCE",), {"terminates_on_timeout": True}),
        ("waits-for-ever", "never gives up an exchange", ("SILENCE",), {"recovers_from_silence": False}),
        ("takes-repetitions", "takes a repeated APS frame for a new one", ("DUPLICATE",), {"rejects_duplicates": False}),
    ):
        yield _defect(actor, f"{side}-{name}", f"the {actor} {text}", *clauses, decisions=decisions)
    for name, text, clause, rewrite in (
        ("confirms-at-once", "sends Confirm Key Data in the place of Ephemeral Data", "ORDER", every(EphemeralData, _confirm)),
        ("names-two-suites", "sets both suite bits", "SUITE-BIT", every(InitiateKeyEstablishment, _both_suites)),
        ("shows-a-foreign-certificate", "has a certificate of another authority", "CERTIFICATE",
         every(InitiateKeyEstablishment, with_issuer)),
        ("shows-anothers-certificate", "has a certificate that was issued to another device", "CERTIFICATE",
         every(InitiateKeyEstablishment, with_subject)),
        ("turns-terminate-round", "sends Terminate with the other direction bit", "DIRECTION-BIT",
         every(zcl.Zcl, _turned_terminate)),
        ("terminates-without-suites", "sends Terminate without the suites it has", "TERMINATE",
         every(TerminateKeyEstablishment, _without_suites)),
    ):
        yield _defect(actor, f"{side}-{name}", f"the {actor} {text}", clause, rewrites=(rewrite,))


def _mistaken() -> Iterator[Defect]:
    """Every known mistake in the arithmetic; the ESI must overlook the device's confirmation to get as far as its own."""
    for mistake in MISTAKES:
        words = mistake.replace("-", " ")
        yield _defect(
            Actor.HAN_DEVICE, f"device-{mistake}", f"the device's arithmetic is wrong: {words}", "MAC-U",
            decisions={"key_agreement_mistake": mistake},
        )
        yield _defect(
            Actor.ESI, f"esi-{mistake}", f"the ESI's arithmetic is wrong: {words}", "MAC-V",
            decisions={"key_agreement_mistake": mistake, "checks_confirmation": False},
        )


DEFECTS = (
    *(defect for side, actor in SIDES.items() for defect in _of_either(side, actor)),
    *_mistaken(),
    _defect(
        Actor.ESI, "esi-refuses-what-is-right", "the ESI refuses a right confirmation, its own arithmetic being wrong", "MAC-V",
        decisions={"key_agreement_mistake": MISTAKES[0]},
    ),
    _defect(
        Actor.HAN_DEVICE, "device-assumes-an-endpoint", "the device takes the ESI's endpoint for granted", "DISCOVERS",
        decisions={"assumed_endpoint": EsiSettings().endpoint},
    ),
    _defect(
        Actor.HAN_DEVICE, "device-establishes-before-it-announces", "the device announces itself after it has its key",
        "NOT-BEFORE-JOINED", decisions={"announces_before_establishing": False},
    ),
    _defect(
        Actor.HAN_DEVICE, "device-never-begins", "the device never begins key establishment", "COMPLETES",
        rewrites=(every(InitiateKeyEstablishment, nothing),),
    ),
    _defect(
        Actor.ESI, "esi-never-confirms", "the ESI leaves Confirm Key Data without an answer", "COMPLETES",
        rewrites=(every(ConfirmKeyData, nothing),),
    ),
    _defect(
        Actor.ESI, "esi-answers-elsewhere", "the ESI answers another endpoint than the one that asked", "SOURCE-ENDPOINT",
        decisions={"answers_source_endpoint": False},
    ),
    _defect(
        Actor.ESI, "esi-counts-for-itself", "the ESI answers with a transaction sequence number of its own", "TRANSACTION",
        rewrites=(every(zcl.Zcl, _next_sequence),),
    ),
    _defect(
        Actor.ESI, "esi-answers-with-default-response", "the ESI answers Initiate with a Default Response",
        "DEFAULT-RESPONSE-INSTEAD", rewrites=(every(InitiateKeyEstablishment, default_response),),
    ),
    _defect(
        Actor.ESI, "esi-refuses-for-ever", "the ESI takes no exchange from a device whose first one failed", "RESTART",
        decisions={"answers_after_failure": False},
    ),
    _defect(
        Actor.HAN_DEVICE, "device-tries-once", "the device never begins another exchange", "RESTART",
        decisions={"retries_key_establishment": False},
    ),
    _defect(
        Actor.HAN_DEVICE, "device-does-not-wait", "the device begins again at once, whatever it is told", "NO-RESOURCES",
        decisions={"respects_wait_time": False},
    ),
    _defect(
        Actor.HAN_DEVICE, "device-stays", "the device stays on a network whose authority it does not share", "LEAVES",
        decisions={"leaves_unknown_issuer": False},
    ),
    _defect(
        Actor.HAN_DEVICE, "device-keeps-what-it-refused", "the device refuses a confirmation and uses the key all the same",
        "BAD-CONFIRM", decisions={"keeps_key_only_if_confirmed": False},
    ),
)
