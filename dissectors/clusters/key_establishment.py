"""Key Establishment, cluster 0800 (SE 075356, Annex C): the messages of CBKE. Computes nothing.

Request and response of a command have one shape; the header's direction says which it is (client to server: the initiator's).
Certificate, ephemeral key and code are octets in the order in which they are printed; only the suite is little-endian.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Any

from scapy.fields import ByteField, Field, XLEShortField

from dissectors.clusters import Attribute, Cluster
from dissectors.fields import Octets
from dissectors.layer import Layer, take
from dissectors.zcl_types import DataType


class Suite(IntFlag):
    """Attribute KeyEstablishmentSuite, and the field that a request sets exactly one bit of."""

    CBKE_ECMQV_K163 = 1 << 0
    CBKE_ECMQV_K283 = 1 << 1  # Smart Energy 1.2


class TerminateStatus(IntEnum):
    """Why a party ends the exchange; 00 must never be sent."""

    UNKNOWN_ISSUER = 0x01
    BAD_KEY_CONFIRM = 0x02
    BAD_MESSAGE = 0x03
    NO_RESOURCES = 0x04
    UNSUPPORTED_SUITE = 0x05
    INVALID_CERTIFICATE = 0x06  # Smart Energy 1.2; one stack calls it invalid key usage


CERTIFICATE_SIZES = {Suite.CBKE_ECMQV_K163: 48, Suite.CBKE_ECMQV_K283: 74}  # octets
EPHEMERAL_KEY_SIZES = {Suite.CBKE_ECMQV_K163: 22, Suite.CBKE_ECMQV_K283: 37}  # octets, SEC1 compressed points
CODE_SIZE = 16  # octets of MACU and MACV
MAXIMUM_SECONDS = 0xFE  # of the generate and wait times
MINIMUM_TRANSIT = 2.0  # seconds that a message is given on its way, on top of the generate time of its sender


class _BySuite(Field):
    """Octets whose number depends on the suite: the one that `suite` names, else the longest that is there in full."""

    __slots__ = ["sizes"]

    def __init__(self, name: str, sizes: dict[Suite, int]) -> None:
        super().__init__(name, bytes(sizes[Suite.CBKE_ECMQV_K163]), "s")
        self.sizes = sizes

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, bytes]:
        short, long = sorted(self.sizes.values())
        suite = getattr(pkt, "suite", None)
        size = self.sizes[suite] if suite in self.sizes else long if len(s) >= long else short
        octets, rest = take(s, size, self.name)
        return rest, octets

    def addfield(self, pkt: Any, s: bytes, val: bytes) -> bytes:
        return s + val


class InitiateKeyEstablishment(Layer):
    """Command 00 in both directions: 52 octets for suite 1, 78 for suite 2; times in seconds, 0 to fe."""

    fields_desc = [
        XLEShortField("suite", Suite.CBKE_ECMQV_K163),
        ByteField("ephemeral_data_generate_time", 0),
        ByteField("confirm_key_generate_time", 0),
        _BySuite("certificate", CERTIFICATE_SIZES),
    ]


class EphemeralData(Layer):
    """Command 01 in both directions: QEU from the initiator, QEV from the responder; 22 octets for suite 1, 37 for suite 2."""

    fields_desc = [_BySuite("ephemeral_public_key", EPHEMERAL_KEY_SIZES)]


class ConfirmKeyData(Layer):
    """Command 02 in both directions: MACU from the initiator, MACV from the responder."""

    fields_desc = [Octets("message_authentication_code", bytes(CODE_SIZE), CODE_SIZE)]


class TerminateKeyEstablishment(Layer):
    """Command 03 in both directions; `suite` carries the suites that the sender supports, `wait_time` seconds, 0 to fe."""

    fields_desc = [
        ByteField("status", TerminateStatus.NO_RESOURCES),
        ByteField("wait_time", 0),
        XLEShortField("suite", Suite.CBKE_ECMQV_K163),
    ]


KEY_ESTABLISHMENT_SUITE = 0x0000
_ATTRIBUTES = {
    # a bitmap in later lists; implementations differ in the type, and old ones report the value 0000
    KEY_ESTABLISHMENT_SUITE: Attribute(
        "KeyEstablishmentSuite", DataType.ENUM16, mandatory=True, default=Suite.CBKE_ECMQV_K163
    ),
}
_COMMANDS = {0x00: InitiateKeyEstablishment, 0x01: EphemeralData, 0x02: ConfirmKeyData, 0x03: TerminateKeyEstablishment}

CLUSTER = Cluster(
    0x0800, "Key Establishment", attributes=_ATTRIBUTES, client_attributes=_ATTRIBUTES, client_commands=_COMMANDS,
    server_commands=_COMMANDS,
)
