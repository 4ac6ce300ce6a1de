"""Prepayment, cluster 0705: a name in SE 1.0, a command from 1.1 on. Here to be recognised; no 1.0 device needs it."""

from __future__ import annotations

from scapy.fields import XByteField

from dissectors.clusters import Attribute, Cluster
from dissectors.fields import Trailing, UtcTime
from dissectors.layer import Layer
from dissectors.zcl_types import CharacterString, DataType


class SelectAvailableEmergencyCredit(Layer):
    """Client to server 00: when, and from which kind of device."""

    fields_desc = [
        UtcTime("command_date", 0),
        XByteField("originating_device", 0),
        Trailing(CharacterString("site_id", b"")),  # 1.1 only
        Trailing(CharacterString("meter_serial_number", b"")),
    ]


CLUSTER = Cluster(
    0x0705,
    "Prepayment",
    attributes={
        0x0000: Attribute("PaymentControl", DataType.BITMAP16, mandatory=True, default=0, since="SE 1.1"),
        0x0001: Attribute("CreditRemaining", DataType.INT32, since="SE 1.1"),
        0x0002: Attribute("EmergencyCreditRemaining", DataType.INT32, since="SE 1.1"),
        0x0003: Attribute("CreditStatus", DataType.BITMAP8, since="SE 1.1"),
    },
    client_commands={0x00: SelectAvailableEmergencyCredit},
)
