"""Alarms, cluster 0009 (ZCL 075123, 3.11): notices of alarm conditions and their log. NWK security suffices in Smart Energy."""

from __future__ import annotations

from scapy.fields import ConditionalField, XByteField, XLEShortField

from dissectors.clusters import Attribute, Cluster
from dissectors.fields import UtcTime
from dissectors.layer import Layer
from dissectors.zcl_types import DataType

SUCCESS = 0x00  # an alarm was found; NOT_FOUND (8b) comes alone


class ResetAlarm(Layer):
    """Client to server 00: the code and the cluster that raised it."""

    fields_desc = [XByteField("alarm_code", 0), XLEShortField("cluster_identifier", 0)]


class ResetAllAlarms(Layer):
    """Client to server 01, no payload."""

    fields_desc = []


class GetAlarm(Layer):
    """Client to server 02, no payload: the earliest alarm of the log, which forgets it."""

    fields_desc = []


class ResetAlarmLog(Layer):
    """Client to server 03, no payload."""

    fields_desc = []


class Alarm(Layer):
    """Server to client 00."""

    fields_desc = [XByteField("alarm_code", 0), XLEShortField("cluster_identifier", 0)]


class GetAlarmResponse(Layer):
    """Server to client 01; without an alarm the status ends it. The time stamp is seconds since 2000-01-01T00:00:00Z."""

    fields_desc = [
        XByteField("status", SUCCESS),
        *(
            ConditionalField(field, lambda fields: fields.status == SUCCESS)
            for field in (XByteField("alarm_code", 0), XLEShortField("cluster_identifier", 0), UtcTime("time_stamp", 0))
        ),
    ]


CLUSTER = Cluster(
    0x0009,
    "Alarms",
    attributes={0x0000: Attribute("AlarmCount", DataType.UINT16, default=0)},
    client_commands={0x00: ResetAlarm, 0x01: ResetAllAlarms, 0x02: GetAlarm, 0x03: ResetAlarmLog},
    server_commands={0x00: Alarm, 0x01: GetAlarmResponse},
)
