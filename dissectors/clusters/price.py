"""Price, cluster 0700 (SE 075356, Annex D.2 in r15): what energy costs and from when. Knows no tariff.

Times are seconds since 2000-01-01T00:00:00Z, 0 meaning now; a later Issuer Event ID is newer information.
"""

from __future__ import annotations

from enum import IntEnum

from scapy.fields import BitField, ByteField, LEIntField, LEShortField, XByteField

from dissectors.clusters import Access, Attribute, Cluster
from dissectors.fields import Trailing, UtcTime
from dissectors.layer import Layer
from dissectors.zcl_types import CharacterString, DataType


class UnitOfMeasure(IntEnum):
    """The quantity in binary; `BCD` added means the same quantity in binary-coded decimal."""

    KILOWATT_HOURS = 0x00
    CUBIC_METRES = 0x01
    CUBIC_FEET = 0x02
    HUNDRED_CUBIC_FEET = 0x03
    US_GALLONS = 0x04
    IMPERIAL_GALLONS = 0x05
    BTU = 0x06
    LITRES = 0x07
    KILOPASCALS_GAUGE = 0x08
    KILOPASCALS_ABSOLUTE = 0x09
    THOUSAND_CUBIC_FEET = 0x0A  # this and those after it came later
    UNITLESS = 0x0B
    MEGAJOULES = 0x0C
    KILOVARS = 0x0D


BCD = 0x80
US_DOLLAR = 840  # ISO 4217 numeric code
UNTIL_CHANGED = 0xFFFF  # duration in minutes
NO_RATIO = 0xFF
NO_PRICE = 0xFFFFFFFF
NO_UNIT = NO_DIGITS = 0xFF  # of an alternate cost that is not used
MAXIMUM_LABEL = 12  # octets of a rate label or tier label


class PublishPrice(Layer):
    """Server to client 00: 34 octets and the label; r15 adds the alternate cost (6 octets), 1.1 two octets more."""

    fields_desc = [
        LEIntField("provider_id", 0),
        CharacterString("rate_label", b""),  # an octet string that holds UTF-8
        LEIntField("issuer_event_id", 0),
        UtcTime("current_time", 0),
        XByteField("unit_of_measure", UnitOfMeasure.KILOWATT_HOURS),
        LEShortField("currency", US_DOLLAR),
        BitField("price_trailing_digit", 0, 4),  # digits right of the decimal point
        BitField("price_tier", 0, 4),  # 0: no tier
        BitField("number_of_price_tiers", 0, 4),
        BitField("register_tier", 0, 4),
        UtcTime("start_time", 0),
        LEShortField("duration_in_minutes", UNTIL_CHANGED),
        LEIntField("price", 0),
        ByteField("price_ratio", NO_RATIO),
        LEIntField("generation_price", NO_PRICE),
        ByteField("generation_price_ratio", NO_RATIO),
        Trailing(LEIntField("alternate_cost_delivered", NO_PRICE)),  # 075356r15
        Trailing(XByteField("alternate_cost_unit", NO_UNIT)),
        Trailing(XByteField("alternate_cost_trailing_digit", NO_DIGITS)),
        Trailing(ByteField("number_of_block_thresholds", 0xFF)),  # 1.1
        Trailing(XByteField("price_control", 0)),
    ]


class GetCurrentPrice(Layer):
    """Client to server 00; answered with Publish Price, or a Default Response NOT_FOUND."""

    fields_desc = [BitField("reserved", 0, 7), BitField("requestor_rx_on_when_idle", 0, 1)]


class GetScheduledPrices(Layer):
    """Client to server 01: events that end at or after the start time; 0 events asks for all."""

    fields_desc = [UtcTime("start_time", 0), ByteField("number_of_events", 0)]


class PriceAcknowledgement(Layer):
    """Client to server 02, from 1.1 on."""

    fields_desc = [
        LEIntField("provider_id", 0),
        LEIntField("issuer_event_id", 0),
        UtcTime("price_ack_time", 0),
        XByteField("price_control", 0),
    ]


CLUSTER = Cluster(
    0x0700,
    "Price",
    attributes={
        tier - 1: Attribute(
            f"Tier{tier}PriceLabel", DataType.OCTET_STRING, Access.READ_WRITE, default=f"Tier {tier}".encode()
        )
        for tier in range(1, 7)
    },
    client_commands={0x00: GetCurrentPrice, 0x01: GetScheduledPrices, 0x02: PriceAcknowledgement},
    server_commands={0x00: PublishPrice},
)
