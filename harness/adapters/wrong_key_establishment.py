"""What can be done to a message of key establishment before it is sealed: changes of outgoing structures. Plants nothing by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dissectors import aps, zcl
from dissectors.clusters import key_establishment as cluster
from dissectors.clusters.key_establishment import (
    EPHEMERAL_KEY_SIZES,
    ConfirmKeyData,
    EphemeralData,
    InitiateKeyEstablishment,
    Suite,
    TerminateKeyEstablishment,
    TerminateStatus,
)
from dissectors.layer import Layer, Malformed, Record, parse
from harness.crypto.ecqv import Certificate
from harness.stack.application import Asdu
from harness.stack.policy import Rewrite
from harness.values import Eui64

STRANGER = b"STRANGER"  # an authority that nobody trusts
KEY_ESTABLISHMENT = cluster.CLUSTER.identifier
NO_KEY = bytes(EPHEMERAL_KEY_SIZES[Suite.CBKE_ECMQV_K163])  # what a stub computes

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


# -- commands


def nothing(record: Record) -> None:
    """Nothing is sent."""


def with_issuer(initiate: Record) -> Record:
    """Its certificate comes from another authority."""
    return _with_certificate(initiate, issuer=STRANGER)


def with_subject(initiate: Record) -> Record:
    """Its certificate was issued to another device."""
    return _with_certificate(initiate, subject=Eui64(Certificate(initiate.certificate).subject ^ 1))


def with_reversed_subject(initiate: Record) -> Record:
    """The subject of its certificate has its octets in the order of the air."""
    return _with_certificate(initiate, subject=Eui64.from_octets(Certificate(initiate.certificate).subject.octets[::-1]))


def _with_certificate(initiate: Record, subject: Eui64 | None = None, issuer: bytes | None = None) -> Record:
    own = Certificate(initiate.certificate)
    return initiate.replace(certificate=Certificate.of(
        own.reconstruction_point, own.subject if subject is None else subject, issuer or own.issuer, own.attribute_data,
    ))


def with_wrong_code(confirm: Record) -> Record:
    """Its confirmation is another one."""
    return confirm.replace(message_authentication_code=altered(confirm.message_authentication_code, 0, 0x01))


def altered(octets: bytes, octet: int, bits: int) -> bytes:
    """The octets with these bits of one of them turned round."""
    return octets[:octet] + bytes([octets[octet] ^ bits]) + octets[octet + 1:]


def terminate(status: TerminateStatus, wait_time: int = 0) -> Change:
    """Terminate Key Establishment instead."""
    return lambda record: TerminateKeyEstablishment.of(status=status, wait_time=wait_time)


def default_response(record: Record) -> Record:
    """Default Response FAILURE instead."""
    return zcl.DefaultResponse.of(command=0, status=zcl.Status.FAILURE)


# -- ZCL and APS headers, whole frames


def turned_terminate(header: Record) -> Record:
    """Terminate has the other role's direction bit."""
    return header.replace(direction=1 - header.direction) if header.command.is_a(TerminateKeyEstablishment) else header


def renumbered(by: Callable[[int], int], *commands: type[Layer]) -> Change:
    """These commands of the cluster (none named: all) have another transaction sequence number, made of the right one."""

    def change(header: Record) -> Record:
        named = not commands or any(header.command.is_a(command) for command in commands)
        if header.cluster != KEY_ESTABLISHMENT or header.frame_type != zcl.FrameType.CLUSTER or not named:
            return header
        return header.replace(sequence=by(header.sequence) % 256)

    return change


def resized(layer: type[Layer], by: int) -> Change:
    """A message of this kind is so many octets longer or (negative) shorter."""

    def change(asdu: Record) -> Record:
        if asdu.cluster != KEY_ESTABLISHMENT or _kind(asdu.octets) is not layer:
            return asdu
        return asdu.replace(octets=asdu.octets + bytes(by) if by > 0 else asdu.octets[:by])

    return change


def first_resized(layer: type[Layer], by: int) -> Rewrite:
    """The same for the first of its kind alone; for one bench, since it remembers."""
    change, done = resized(layer, by), False

    def rewrite(record: Record) -> Record | None:
        nonlocal done
        if done or not record.is_a(Asdu):
            return record
        new = change(record)
        done = new is not record
        return new

    return rewrite


def _kind(asdu: bytes) -> type[Layer] | None:
    try:
        header, _ = parse(zcl.Zcl, asdu)
    except Malformed:
        return None
    known = cluster.CLUSTER.client_commands.get(header.command_identifier)
    return known if header.frame_type == zcl.FrameType.CLUSTER else None


# -- what a provocation is given


def forging(given: Any) -> tuple[Rewrite, ...]:
    """`given`: the message, the octet of its public key or certificate, the bits that change."""
    layer, octet, bits = given or (EphemeralData, 0, 0x01)
    name = "certificate" if layer is InitiateKeyEstablishment else "ephemeral_public_key"
    return (first(layer, lambda record: record.replace(**{name: altered(getattr(record, name), octet, bits)})),)


def pointless(given: Any) -> tuple[Rewrite, ...]:
    """`given`: what is sent in the place of an ephemeral public key."""
    octets = NO_KEY if given is None else given
    return (first(EphemeralData, lambda record: record.replace(ephemeral_public_key=octets)),)


def resizing(given: Any) -> tuple[Rewrite, ...]:
    """`given`: the message, and by how many octets it is longer (or, negative, shorter) than it must be."""
    return (first_resized(*(given or (EphemeralData, 1))),)


def misplacing(given: Any) -> tuple[Rewrite, ...]:
    """`given`: the message of whose place it is, and the one that is sent instead; an Initiate is the one sent before."""
    right, wrong = given or (EphemeralData, ConfirmKeyData)
    sent = InitiateKeyEstablishment.of()

    def remembered(record: Record) -> Record:
        nonlocal sent
        sent = record
        return record

    return (
        every(InitiateKeyEstablishment, remembered),
        first(right, lambda record: sent if wrong is InitiateKeyEstablishment else wrong.of()),
    )


def naming_suite(given: Any) -> tuple[Rewrite, ...]:
    """`given`: the suite."""
    return (first(InitiateKeyEstablishment, lambda record: record.replace(suite=0x8000 if given is None else given)),)


def silent(given: Any) -> tuple[Rewrite, ...]:
    """`given`: the message that never comes."""
    return (first(given or EphemeralData, nothing),)


def busy(given: Any) -> tuple[Rewrite, ...]:
    """`given`: the wait time in seconds."""
    return (first(InitiateKeyEstablishment, terminate(TerminateStatus.NO_RESOURCES, 30 if given is None else given)),)


def terminating(given: Any) -> tuple[Rewrite, ...]:
    """`given`: the message that Terminate takes the place of."""
    return (first(given or EphemeralData, terminate(TerminateStatus.NO_RESOURCES)),)


def terminating_oddly(change: Change) -> Callable[[Any], tuple[Rewrite, ...]]:
    """The same, where the ZCL header of a Terminate is changed as well."""
    return lambda given: (*terminating(given), every(zcl.Zcl, change))


def refusing_by_default_response(given: Any) -> tuple[Rewrite, ...]:
    """`given`: the message that a Default Response takes the place of."""
    return (first(given or InitiateKeyEstablishment, default_response),)


def numbering(given: Any) -> tuple[Rewrite, ...]:
    """`given`: the transaction sequence number of every message."""
    return (every(zcl.Zcl, renumbered(lambda number: given or 0)),)


def asking_from(given: Any) -> tuple[Rewrite, ...]:
    """`given`: the endpoint that the first message comes from, with all its repetitions."""
    moved: int | None = None  # the APS counter

    def rewrite(record: Record) -> Record:
        nonlocal moved
        if not record.is_a(aps.Aps) or record.frame_type != aps.FrameType.DATA or record.cluster != KEY_ESTABLISHMENT:
            return record
        moved = record.counter if moved is None else moved
        return record.replace(source_endpoint=given or 1) if record.counter == moved else record

    return (rewrite,)
