"""Step 8: wrong behaviours of a HAN Device and of an ESI in key establishment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dissectors import zcl
from dissectors.clusters.key_establishment import (
    CODE_SIZE,
    ConfirmKeyData,
    EphemeralData,
    InitiateKeyEstablishment,
    Suite,
    TerminateKeyEstablishment,
    TerminateStatus,
)
from dissectors.layer import Record
from harness.adapters import wrong_key_establishment as wrong
from harness.adapters.defects import Defect
from harness.adapters.defects.step_08_provocations import SIDES
from harness.adapters.wrong_key_establishment import every
from harness.crypto import cbke
from harness.crypto.cbke import Parties
from harness.stack.application import Asdu
from harness.stack.esi import EsiSettings
from harness.stack.policy import Rewrite
from harness.usecase import Actor
from harness.values import Eui64

MISTAKES = tuple(cbke.known_mistakes(b"", Parties(Eui64(1), Eui64(2), b"", b""), b""))
RESERVED = 0xFF  # seconds of a generate or wait time
NO_POINT = b"\x02" + b"\xff" * 21  # x beyond the field
NO_STATUS = 0x00


def _both_suites(initiate: Record) -> Record:
    return initiate.replace(suite=sum(Suite))


def _no_suite(initiate: Record) -> Record:
    return initiate.replace(suite=0)


def _reserved_time(initiate: Record) -> Record:
    return initiate.replace(confirm_key_generate_time=RESERVED)


def _confirm(record: Record) -> Record:
    return ConfirmKeyData.of()


def _zeros(confirm: Record) -> Record:
    return confirm.replace(message_authentication_code=bytes(CODE_SIZE))


def _stub(ephemeral: Record) -> Record:
    return ephemeral.replace(ephemeral_public_key=wrong.NO_KEY)


def _no_point(ephemeral: Record) -> Record:
    return ephemeral.replace(ephemeral_public_key=NO_POINT)


def _without_suites(message: Record) -> Record:
    return message.replace(suite=0)


def _waiting_for_ever(message: Record) -> Record:
    return message.replace(wait_time=RESERVED)


def _saying(status: int, instead_of: TerminateStatus) -> tuple[Rewrite, ...]:
    """Terminate says one status in the place of another."""
    return (every(
        TerminateKeyEstablishment, lambda message: message.replace(status=status) if message.status == instead_of else message,
    ),)


def _defect(
    actor: Actor, name: str, text: str, clauses: str, cause: str, misbehaviours: str = "", *,
    decisions: Mapping[str, Any] | None = None, rewrites: tuple[Rewrite, ...] = (),
) -> Defect:
    """`clauses` of step 8 by their names, or of another step with its number before it; each of these texts may name several."""
    breaks = (each if each.startswith(("0", "SEQ-")) else f"08-{each}" for each in clauses.split())
    return Defect(
        f"08-{name}", actor, text, tuple(f"UC2.7-{each}@{actor}" for each in breaks), decisions or {}, rewrites, cause=cause,
        misbehaviours=tuple(misbehaviours.split()),
    )


def _of_either(side: str, actor: Actor) -> Iterator[Defect]:
    """What either party can decide wrongly."""
    for name, text, clauses, cause, misbehaviours, decisions in (
        ("needs-too-long", "needs longer than it advertises", "TIMES", "slower-than-advertised", "M-29",
         {"generate_time_share": 1.9}),
        ("has-no-patience", "waits no longer than 2 s, whatever was advertised", "PATIENCE", "gives-up-too-soon", "M-29",
         {"honours_advertised_times": False}),
        ("asks-for-no-acknowledgement", "sends without APS acknowledgement", "ACKED", "no-acknowledgement-asked", "M-33",
         {"establishes_with_ack": False}),
        ("encrypts", "APS-encrypts with the key that it has", "NWK-ONLY", "key-establishment-encrypted", "M-33",
         {"establishes_under_network_key_only": False}),
        ("draws-once", "uses one ephemeral key for ever", "FRESH-EPHEMERAL", "ephemeral-key-kept", "",
         {"reuses_ephemeral_key": True}),
        ("takes-the-old-key", "takes frames under the install code's key as well", "OLD-KEY-RETIRED 09-NOT-INSTALL-KEY",
         "old-key-taken", "M-37", {"accepts_preconfigured_key": True}),
        ("trusts-any-authority", "takes certificates of any authority", "UNKNOWN-ISSUER", "issuer-not-checked", "M-20",
         {"checks_issuer": False}),
        ("takes-anybodys-certificate", "does not look whom a certificate was issued to", "BAD-SUBJECT", "subject-not-checked",
         "M-19", {"checks_subject": False}),
        ("takes-a-reversed-certificate", "takes a certificate's subject in either order of its octets", "BAD-SUBJECT",
         "subject-compared-reversed", "M-19", {"takes_reversed_subject": True}),
        ("compares-nothing", "does not compare the partner's confirmation", "BAD-CONFIRM FORGED", "confirmation-not-compared",
         "M-25", {"checks_confirmation": False}),
        ("hangs-on-a-bad-key", "hangs on an ephemeral key that is no point", "FORGED", "hangs-on-a-forged-key", "M-26",
         {"answers_bad_key": False}),
        ("overlooks-surplus", "takes messages with octets too many", "BAD-MESSAGE", "length-not-checked", "M-26",
         {"checks_key_establishment_length": False}),
        ("keeps-silent-on-malformed", "hangs on a message that is too short", "BAD-MESSAGE", "hangs-on-wrong-length", "M-26",
         {"hangs_on_malformed": True}),
        ("takes-any-suite", "does not look at the suite", "UNSUPPORTED-SUITE", "suite-not-checked", "M-18",
         {"checks_suite": False}),
        ("follows-no-order", "takes messages at any place", "OUT-OF-SEQUENCE", "order-not-checked", "M-27",
         {"checks_sequence": False}),
        ("terminates-silence", "sends Terminate when its patience is at an end", "SILENCE", "terminate-on-own-timeout", "M-29",
         {"terminates_on_timeout": True}),
        ("waits-for-ever", "never gives up an exchange", "SILENCE", "never-gives-up", "M-29",
         {"recovers_from_silence": False}),
        ("takes-repetitions", "takes a repeated APS frame for a new one", "DUPLICATE", "repetition-taken-as-new", "M-34",
         {"rejects_duplicates": False}),
        ("goes-on-after-terminate", "goes on with an exchange that was ended", "TERMINATE-MIDWAY", "goes-on-after-terminate", "",
         {"heeds_terminate": False}),
    ):
        yield _defect(actor, f"{side}-{name}", f"the {actor} {text}", clauses, cause, misbehaviours, decisions=decisions)


def _said_by_either(side: str, actor: Actor) -> Iterator[Defect]:
    """What either party can say wrongly."""
    initiate, ephemeral, confirm, terminate = (
        InitiateKeyEstablishment, EphemeralData, ConfirmKeyData, TerminateKeyEstablishment,
    )
    confirmation = "MAC-U" if actor is Actor.HAN_DEVICE else "MAC-V"
    for name, text, clauses, cause, misbehaviours, rewrite in (
        ("confirms-at-once", "sends Confirm Key Data in the place of Ephemeral Data", "ORDER", "out-of-order", "M-27",
         every(ephemeral, _confirm)),
        ("names-two-suites", "sets both suite bits", "SUITE-BIT", "several-suite-bits", "M-18", every(initiate, _both_suites)),
        ("names-no-suite", "sets no suite bit", "SUITE-BIT", "no-suite-bit", "M-18", every(initiate, _no_suite)),
        ("shows-a-foreign-certificate", "has a certificate of another authority", "CERTIFICATE",
         "certificate-of-another-authority", "M-20", every(initiate, wrong.with_issuer)),
        ("shows-anothers-certificate", "has a certificate that was issued to another device", "CERTIFICATE",
         "certificate-of-another-device", "M-19", every(initiate, wrong.with_subject)),
        ("shows-a-reversed-certificate", "has a certificate whose subject is in the order of the air", "CERTIFICATE",
         "certificate-subject-reversed", "M-19", every(initiate, wrong.with_reversed_subject)),
        ("shows-a-short-certificate", "has a certificate of 47 octets", "CERTIFICATE", "certificate-of-wrong-length", "M-26",
         every(Asdu, wrong.resized(initiate, -1))),
        ("advertises-a-reserved-time", "advertises a generate time of ff", "TIMES", "reserved-generate-time", "",
         every(initiate, _reserved_time)),
        ("sends-a-stub-of-a-key", "sends an ephemeral key of zeros", "EPHEMERAL", "ephemeral-key-all-zero", "M-23",
         every(ephemeral, _stub)),
        ("sends-no-point", "sends an ephemeral key that is no point", "EPHEMERAL", "ephemeral-key-no-point", "M-23",
         every(ephemeral, _no_point)),
        ("confirms-with-zeros", "sends a confirmation of zeros", confirmation, "confirmation-all-zero", "M-23",
         every(confirm, _zeros)),
        ("turns-terminate-round", "sends Terminate with the other direction bit", "DIRECTION-BIT", "direction-of-the-other-role",
         "M-32", every(zcl.Zcl, wrong.turned_terminate)),
        ("terminates-without-suites", "sends Terminate without the suites it has", "TERMINATE", "terminate-without-suites", "",
         every(terminate, _without_suites)),
        ("wants-a-reserved-wait", "sends Terminate with a wait time of ff", "TERMINATE", "reserved-wait-time", "",
         every(terminate, _waiting_for_ever)),
    ):
        yield _defect(actor, f"{side}-{name}", f"the {actor} {text}", clauses, cause, misbehaviours, rewrites=(rewrite,))
    for name, text, clauses, cause, status, instead_of in (
        ("calls-a-foreign-issuer-a-bad-message", "refuses a foreign authority with BAD_MESSAGE", "UNKNOWN-ISSUER",
         "terminate-with-another-status", TerminateStatus.BAD_MESSAGE, TerminateStatus.UNKNOWN_ISSUER),
        ("calls-a-bad-confirmation-a-bad-message", "refuses a wrong confirmation with BAD_MESSAGE", "BAD-CONFIRM",
         "terminate-with-another-status", TerminateStatus.BAD_MESSAGE, TerminateStatus.BAD_KEY_CONFIRM),
        ("calls-a-bad-confirmation-a-success", "refuses a wrong confirmation with status 00", "BAD-CONFIRM TERMINATE",
         "terminate-status-unknown", NO_STATUS, TerminateStatus.BAD_KEY_CONFIRM),
    ):
        rewrites = _saying(status, instead_of)
        yield _defect(actor, f"{side}-{name}", f"the {actor} {text}", clauses, cause, "M-20", rewrites=rewrites)


def _mistaken() -> Iterator[Defect]:
    """Every known mistake in the arithmetic; an ESI must compare rightly to get as far as its own confirmation."""
    for mistake in MISTAKES:
        words = mistake.replace("-", " ")
        yield _defect(
            Actor.HAN_DEVICE, f"device-{mistake}", f"the device's arithmetic is wrong: {words}", "MAC-U", mistake, "M-24",
            decisions={"key_agreement_mistake": mistake},
        )
        yield _defect(
            Actor.ESI, f"esi-{mistake}", f"the ESI's arithmetic is wrong: {words}", "MAC-V", mistake, "M-24",
            decisions={"key_agreement_mistake": mistake, "compares_as_it_errs": False},
        )
    for side, actor, clause in (("device", Actor.HAN_DEVICE, "MAC-U"), ("esi", Actor.ESI, "MAC-V")):
        yield _defect(
            actor, f"{side}-has-anothers-private-key", f"the private key of the {actor} does not belong to its certificate", clause,
            "private-key-of-another-certificate", "M-22", decisions={"holds_own_private_key": False},
        )
    yield _defect(
        Actor.ESI, "esi-refuses-what-is-right", "the ESI refuses a right confirmation, its own arithmetic being wrong", "MAC-V",
        "refuses-what-is-right", "M-24", decisions={"key_agreement_mistake": MISTAKES[0]},
    )


DEVICE_DEFECTS = (
    _defect(
        Actor.HAN_DEVICE, "device-assumes-an-endpoint", "the device takes the ESI's endpoint for granted",
        "DISCOVERS 07-ENDPOINTS", "endpoint-assumed", decisions={"assumed_endpoint": EsiSettings().endpoint},
    ),
    _defect(
        Actor.HAN_DEVICE, "device-establishes-before-it-announces", "the device announces itself after it has its key",
        "NOT-BEFORE-JOINED", "established-before-announced", decisions={"announces_before_establishing": False},
    ),
    _defect(
        Actor.HAN_DEVICE, "device-never-begins", "the device never begins key establishment", "COMPLETES", "never-begins",
        rewrites=(every(InitiateKeyEstablishment, wrong.nothing),),
    ),
    _defect(
        Actor.HAN_DEVICE, "device-answers-with-default-response", "the device meets the ESI's certificate with a Default Response",
        "DEFAULT-RESPONSE-INSTEAD", "default-response-for-an-answer", "M-17",
        rewrites=(every(EphemeralData, wrong.default_response),),
    ),
    _defect(
        Actor.HAN_DEVICE, "device-keeps-the-old-key", "the device goes on under the key made from the install code",
        "KEY-INSTALLED 09-NOT-INSTALL-KEY", "install-code-key-kept", "M-37", decisions={"installs_established_key": False},
    ),
    _defect(
        Actor.HAN_DEVICE, "device-tries-once", "the device never begins another exchange", "RESTART", "never-tries-again",
        decisions={"retries_key_establishment": False},
    ),
    _defect(
        Actor.HAN_DEVICE, "device-does-not-wait", "the device begins again at once, whatever it is told", "NO-RESOURCES",
        "wait-time-ignored", "M-28", decisions={"respects_wait_time": False},
    ),
    _defect(
        Actor.HAN_DEVICE, "device-never-pauses", "the device begins again and again, however often it fails", "RETRY-PAUSE",
        "retries-without-pause", "M-35", decisions={"pauses_after_retries": False},
    ),
    _defect(
        Actor.HAN_DEVICE, "device-stays", "the device stays on a network whose authority it does not share", "LEAVES",
        "stays-on-a-foreign-network", "M-21", decisions={"leaves_unknown_issuer": False},
    ),
    _defect(
        Actor.HAN_DEVICE, "device-keeps-what-it-refused", "the device refuses a confirmation and uses the key all the same",
        "BAD-CONFIRM", "refused-key-kept", "M-25", decisions={"keeps_key_only_if_confirmed": False},
    ),
    _defect(
        Actor.HAN_DEVICE, "device-uses-the-key-at-once", "the device uses the key when it has sent its own confirmation",
        "KEY-CONFIRMED BAD-CONFIRM TERMINATE-MIDWAY SEQ-ORDER", "key-used-unconfirmed", "M-25", decisions={"awaits_confirmation": False},
    ),
)

ESI_DEFECTS = (
    _defect(
        Actor.ESI, "esi-never-confirms", "the ESI leaves Confirm Key Data without an answer", "COMPLETES", "request-unanswered",
        rewrites=(every(ConfirmKeyData, wrong.nothing),),
    ),
    _defect(
        Actor.ESI, "esi-answers-elsewhere", "the ESI answers another endpoint than the one that asked", "SOURCE-ENDPOINT 07-ENDPOINTS",
        "answers-another-endpoint", "M-31", decisions={"answers_source_endpoint": False},
    ),
    _defect(
        Actor.ESI, "esi-counts-for-itself", "the ESI answers with a transaction sequence number of its own", "TRANSACTION",
        "numbers-answers-itself", "M-31", rewrites=(every(zcl.Zcl, wrong.renumbered(lambda number: number + 1)),),
    ),
    _defect(
        Actor.ESI, "esi-answers-with-default-response", "the ESI answers Initiate with a Default Response",
        "DEFAULT-RESPONSE-INSTEAD", "default-response-for-an-answer", "M-17",
        rewrites=(every(InitiateKeyEstablishment, wrong.default_response),),
    ),
    _defect(
        Actor.ESI, "esi-keeps-the-old-key", "the ESI goes on under the key made from the install code",
        "KEY-INSTALLED", "new-key-not-taken", "M-37", decisions={"installs_established_key": False},
    ),
    _defect(
        Actor.ESI, "esi-refuses-for-ever", "the ESI takes no exchange from a device whose first one failed", "RESTART",
        "refuses-after-failure", decisions={"answers_after_failure": False},
    ),
    _defect(
        Actor.ESI, "esi-keeps-what-it-refused", "the ESI refuses a confirmation and takes the key all the same", "BAD-CONFIRM",
        "refused-key-kept", "M-25", decisions={"keeps_key_only_if_confirmed": False},
    ),
    _defect(
        Actor.ESI, "esi-drops-the-first", "the ESI drops a device's exchange for another's", "NO-RESOURCES",
        "busy-drops-the-first", "M-28", decisions={"refuses_when_busy": False},
    ),
    _defect(
        Actor.ESI, "esi-ignores-a-second", "the ESI does not answer a second device while it is busy", "NO-RESOURCES",
        "busy-without-a-word", "M-28", decisions={"answers_when_busy": False},
    ),
    _defect(
        Actor.ESI, "esi-calls-a-second-a-bad-message", "the ESI refuses a second device with BAD_MESSAGE", "NO-RESOURCES",
        "busy-with-another-status", "M-28", rewrites=_saying(TerminateStatus.BAD_MESSAGE, TerminateStatus.NO_RESOURCES),
    ),
)

DEFECTS = (
    *(defect for side, actor in SIDES.items() for defect in (*_of_either(side, actor), *_said_by_either(side, actor))),
    *_mistaken(), *DEVICE_DEFECTS, *ESI_DEFECTS,
)
