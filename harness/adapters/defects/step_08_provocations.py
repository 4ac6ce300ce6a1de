"""Step 8: what the harness's own side of key establishment does wrong on purpose, to see what the other side makes of it.

Each provocation exists for either side (`esi-...`, `device-...`) and errs once, the first time it can, so that the exchange
after it can succeed; where it takes something, the case draws it. What it breaks on its own side is not judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from dissectors import zcl
from dissectors.clusters import key_establishment as cluster
from dissectors.clusters.key_establishment import (
    ConfirmKeyData,
    EphemeralData,
    InitiateKeyEstablishment,
    TerminateKeyEstablishment,
    TerminateStatus,
)
from dissectors.layer import Layer, Malformed, Record, parse
from harness.adapters.defects import Defect
from harness.crypto.ecqv import Certificate
from harness.stack.application import Asdu
from harness.stack.policy import Rewrite
from harness.usecase import Actor
from harness.values import Eui64

STRANGER = b"STRANGER"  # an authority that nobody trusts
SIDES = {"esi": Actor.ESI, "device": Actor.HAN_DEVICE}
NEARLY = 0.95  # share of the advertised time

Change = Callable[[Record], Record | None]


def every(layer: type[Layer], change: Change) -> Rewrite:
    """Change every outgoing structure of a layer."""
    return lambda record: change(record) if record.is_a(layer) else record


def first(layer: type[Layer], change: Change) -> Rewrite:
    """Change the first outgoing structure of a layer; for one bench, since it remembers."""
    done = False

    def rewrite(record: Record) -> Record | None:
        nonlocal done
        if done or not record.is_a(layer):
            return record
        done = True
        return change(record)

    return rewrite


def with_issuer(initiate: Record) -> Record:
    """Its certificate comes from another authority."""
    own = Certificate(initiate.certificate)
    return initiate.replace(certificate=Certificate.of(own.reconstruction_point, own.subject, STRANGER, own.attribute_data))


def with_subject(initiate: Record) -> Record:
    """Its certificate was issued to another device."""
    own = Certificate(initiate.certificate)
    subject = Eui64(own.subject ^ 1)
    return initiate.replace(certificate=Certificate.of(own.reconstruction_point, subject, own.issuer, own.attribute_data))


def with_wrong_code(confirm: Record) -> Record:
    """Its confirmation is another one."""
    return confirm.replace(message_authentication_code=_altered(confirm.message_authentication_code, 0, 0x01))


def nothing(record: Record) -> None:
    """Nothing is sent."""


def _altered(octets: bytes, octet: int, bits: int) -> bytes:
    return octets[:octet] + bytes([octets[octet] ^ bits]) + octets[octet + 1:]


def _forging(given: Any) -> tuple[Rewrite, ...]:
    """`given`: the message, the octet of its public key or certificate, the bits that change."""
    layer, octet, bits = given or (EphemeralData, 0, 0x01)
    name = "certificate" if layer is InitiateKeyEstablishment else "ephemeral_public_key"
    return (first(layer, lambda record: record.replace(**{name: _altered(getattr(record, name), octet, bits)})),)


def _resizing(given: Any) -> tuple[Rewrite, ...]:
    """`given`: the message, and by how many octets it is longer (or, negative, shorter) than it must be."""
    layer, by = given or (EphemeralData, 1)
    done = False

    def rewrite(record: Record) -> Record:
        nonlocal done
        if done or not record.is_a(Asdu) or record.cluster != cluster.CLUSTER.identifier or _kind(record.octets) is not layer:
            return record
        done = True
        return record.replace(octets=record.octets + bytes(by) if by > 0 else record.octets[:by])

    return (rewrite,)


def _kind(asdu: bytes) -> type[Layer] | None:
    try:
        header, _ = parse(zcl.Zcl, asdu)
    except Malformed:
        return None
    known = cluster.CLUSTER.client_commands.get(header.command_identifier)
    return known if header.frame_type == zcl.FrameType.CLUSTER else None


def _misplacing(given: Any) -> tuple[Rewrite, ...]:
    """`given`: the message of whose place it is, and the one that is sent instead."""
    right, wrong = given or (EphemeralData, ConfirmKeyData)
    return (first(right, lambda record: wrong.of()),)


def _naming_suite(given: Any) -> tuple[Rewrite, ...]:
    """`given`: the suite."""
    return (first(InitiateKeyEstablishment, lambda record: record.replace(suite=0x8000 if given is None else given)),)


def _silent(given: Any) -> tuple[Rewrite, ...]:
    """`given`: the message that never comes."""
    return (first(given or EphemeralData, nothing),)


def terminate(status: TerminateStatus, wait_time: int = 0) -> Change:
    """Terminate Key Establishment instead."""
    return lambda record: TerminateKeyEstablishment.of(status=status, wait_time=wait_time)


def _busy(given: Any) -> tuple[Rewrite, ...]:
    """`given`: the wait time in seconds."""
    return (first(InitiateKeyEstablishment, terminate(TerminateStatus.NO_RESOURCES, 30 if given is None else given)),)


def default_response(record: Record) -> Record:
    """Default Response FAILURE instead."""
    return zcl.DefaultResponse.of(command=0, status=zcl.Status.FAILURE)


def _provocations() -> Iterator[Defect]:
    for side, actor in SIDES.items():
        for name, text, made in (
            ("of-another-authority", "has a certificate of another authority",
             lambda given: (first(InitiateKeyEstablishment, with_issuer),)),
            ("with-anothers-certificate", "has a certificate that was issued to another device",
             lambda given: (first(InitiateKeyEstablishment, with_subject),)),
            ("confirms-wrongly", "sends a wrong confirmation", lambda given: (first(ConfirmKeyData, with_wrong_code),)),
            ("resizes", "sends a message of a wrong length", _resizing),
            ("misplaces", "sends a message at a wrong place", _misplacing),
            ("names-suite", "names a suite that nobody has", _naming_suite),
            ("falls-silent", "falls silent in the middle of an exchange", _silent),
        ):
            yield Defect(f"{side}-{name}", actor, f"the {actor} {text}", made=made)
        yield Defect(
            f"{side}-forges", actor, f"the {actor} sends a public key that is not its own, and accepts any confirmation",
            decisions={"checks_confirmation": False}, made=_forging,
        )
        yield Defect(
            f"{side}-takes-its-time", actor, f"the {actor} needs nearly all the time that it advertises",
            decisions={"generate_time_share": NEARLY},
        )


DEFECTS = (
    *_provocations(),
    Defect("esi-is-busy", Actor.ESI, "the ESI has no resources and says how long to wait", made=_busy),
    Defect(
        "esi-refuses-by-default-response", Actor.ESI, "the ESI answers Initiate with a Default Response",
        made=lambda given: (first(InitiateKeyEstablishment, default_response),),
    ),
    Defect(
        "esi-refuses-the-authority", Actor.ESI, "the ESI says that it does not know the device's authority",
        made=lambda given: (first(InitiateKeyEstablishment, terminate(TerminateStatus.UNKNOWN_ISSUER)),),
    ),
)
