"""What the MAC of a node builds and tells: headers by their addresses, indications for the layer above. Holds no state.

Clauses: IEEE 802.15.4-2006, 7.2.1; ZigBee's choices are 05-3474 annex D.3.
"""

from __future__ import annotations

from dataclasses import dataclass

from dissectors import mac as wire
from dissectors.layer import Layer, Record, encode
from harness.stack.indirect import DeviceAddress
from harness.stack.polling import PollEvent
from harness.stack.primitives import NetworkFound
from harness.values import Eui64

IDENTIFIERS: dict[type[Layer], int] = {layer: identifier for identifier, layer in wire.COMMANDS.items()}
FCS_LENGTH = 2  # octets, 7.2.1.9
SEQUENCE_NUMBERS = 256  # of one octet, at MAC, NWK and APS alike


@dataclass(frozen=True)
class MacData:
    """A data frame: its payload, and the MAC source (a short address)."""

    payload: bytes
    source: int


@dataclass(frozen=True)
class AssociationAsked:
    """An association request."""

    device: Eui64
    capability: int


@dataclass(frozen=True)
class AssociationAnswered:
    """At the joiner: an association response, and who sent it."""

    short_address: int
    status: int
    parent: Eui64


@dataclass(frozen=True)
class OrphanHeard:
    """An orphan notification."""

    device: Eui64


@dataclass(frozen=True)
class PollOver:
    """A poll is over; `event` says how (FRAME, NOTHING, SILENCE, UNACKNOWLEDGED)."""

    event: PollEvent


MacIndication = MacData | AssociationAsked | AssociationAnswered | OrphanHeard | PollOver | NetworkFound


def addressed(
    frame_type: wire.FrameType, dest: tuple[int, DeviceAddress] | None, source: tuple[int, DeviceAddress] | None, ack: bool,
) -> Record:
    """A MAC header between two (PAN, address) pairs; equal PANs are sent once (7.2.1.1.5), None leaves the fields out."""
    fields: dict[str, int] = {"frame_type": frame_type, "ack_request": ack}
    for side, address in (("dest", dest), ("source", source)):
        if address is None:
            continue
        extended = isinstance(address[1], Eui64)
        fields[f"{side}_pan"] = address[0]
        fields[f"{side}_mode"] = wire.AddressMode.EXTENDED if extended else wire.AddressMode.SHORT
        fields[f"{side}_ieee" if extended else f"{side}_short"] = int(address[1])
    if dest is not None and source is not None and dest[0] == source[0]:
        fields["pan_id_compression"] = 1
        del fields["source_pan"]
    return wire.Mac.of(**fields)


DATA_OVERHEAD = len(encode(addressed(wire.FrameType.DATA, (0, 0), (0, 0), True))) + FCS_LENGTH  # octets, inside one PAN
