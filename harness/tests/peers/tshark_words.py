"""What tshark calls the fields of our records, so that its reading of a frame can be held against ours.

Knows the field names of Wireshark 4.0 and our layers; it judges nothing. A value is an int, or the text that tshark prints.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from dissectors import aps, zcl, zdp
from dissectors.clusters import drlc, key_establishment, messaging, price
from dissectors.frame import Frame
from dissectors.layer import Layer, Record

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # ZCL 075123, data type e2
COMMON = (
    "wpan.frame_type", "wpan.seq_no", "wpan.dst_pan", "wpan.dst16", "wpan.dst64", "wpan.src16", "wpan.src64", "wpan.cmd",
    "wpan.fcs_ok", "zbee_nwk.frame_type", "zbee_nwk.dst", "zbee_nwk.src", "zbee_nwk.radius", "zbee_nwk.seqno",
    "zbee_nwk.cmd.id", "zbee.sec.counter", "zbee.sec.key_id", "zbee_aps.type", "zbee_aps.dst", "zbee_aps.src",
    "zbee_aps.cluster", "zbee_aps.zdp_cluster", "zbee_aps.profile", "zbee_aps.counter", "zbee_aps.cmd.id",
    "zbee_zdp.seqno", "zbee_zcl.cmd.tsn",
)


def utc(seconds: int) -> str:
    """A UTCTime as tshark prints it in the zone UTC."""
    return f"{EPOCH + timedelta(seconds=seconds):%b %e, %Y %H:%M:%S}.000000000 UTC"


def eui64(value: int) -> str:
    """An address as tshark prints it."""
    return value.to_bytes(8, "big").hex(":")


def words(frame: Frame) -> dict[str, Any]:
    """Every field we know a name for, of the headers and of the innermost command; None where the field is absent."""
    told: dict[str, Any] = dict.fromkeys(COMMON)
    del told["wpan.dst64"], told["wpan.src64"]
    header, network, application = frame.mac, frame.nwk, frame.aps
    if header is not None:
        told |= {
            "wpan.frame_type": header.frame_type, "wpan.seq_no": header.sequence, "wpan.dst_pan": header.dest_pan,
            "wpan.dst16": header.dest_short, "wpan.src16": header.source_short,
            "wpan.cmd": header.command_identifier, "wpan.fcs_ok": int(frame.fcs == "ok"),
        }
        # where the frame has a short address only, tshark shows the long one that it has learnt
        told |= {
            name: eui64(address)
            for name, address in (("wpan.dst64", header.dest_ieee), ("wpan.src64", header.source_ieee)) if address is not None
        }
    if network is not None:
        told |= {
            "zbee_nwk.frame_type": network.frame_type, "zbee_nwk.dst": network.dest, "zbee_nwk.src": network.source,
            "zbee_nwk.radius": network.radius, "zbee_nwk.seqno": network.sequence,
            "zbee_nwk.cmd.id": network.command_identifier,
        }
        auxiliaries = [each.security for each in (network, application) if each is not None and each.security is not None]
        if auxiliaries:
            told["zbee.sec.counter"] = ",".join(str(each.frame_counter) for each in auxiliaries)
            told["zbee.sec.key_id"] = ",".join(f"0x{each.key_identifier:02x}" for each in auxiliaries)
    if application is not None:
        told |= {
            "zbee_aps.type": application.frame_type, "zbee_aps.dst": application.dest_endpoint,
            "zbee_aps.src": application.source_endpoint, "zbee_aps.profile": application.profile,
            "zbee_aps.zdp_cluster" if application.profile == zdp.PROFILE else "zbee_aps.cluster": application.cluster,
            "zbee_aps.counter": application.counter, "zbee_aps.cmd.id": application.command_identifier,
        }
        if application.command is not None:
            told |= _of(application.command)
    if frame.zdp is not None:
        told |= {"zbee_zdp.seqno": frame.zdp.sequence, **_of(frame.zdp)}
    if frame.zcl is not None:
        told |= {"zbee_zcl.cmd.tsn": frame.zcl.sequence, **_of(frame.zcl.command)}
    return told


def _initiate(record: Record) -> dict[str, Any]:
    certificate = record.certificate.hex()
    return {
        "zbee_zcl_se.ke.init.ephemeral.time": record.ephemeral_data_generate_time,
        "zbee_zcl_se.ke.init.confirm.time": record.confirm_key_generate_time,
        "zbee_zcl_se.ke.cert.reconst": certificate[:44], "zbee_zcl_se.ke.cert.subject": certificate[44:60],
        "zbee_zcl_se.ke.cert.issuer": certificate[60:76],
    }


def _price(record: Record) -> dict[str, Any]:
    said = "zbee_zcl_se.price."
    return {
        f"{said}provider_id": record.provider_id, f"{said}rate_label": record.rate_label.decode(),
        f"{said}issuer_event_id": record.issuer_event_id, f"{said}current_time": utc(record.current_time),
        f"{said}currency": record.currency, f"{said}trailing_digit": record.price_trailing_digit,
        f"{said}tier": record.price_tier, f"{said}price": record.price,
        f"{said}duration_in_minutes": record.duration_in_minutes,
    }


def _event(record: Record) -> dict[str, Any]:
    said = "zbee_zcl_se.drlc."
    return {
        f"{said}issuer_id": record.issuer_event_id, f"{said}device_class": record.device_class,
        f"{said}utility_enrollment_group": record.utility_enrollment_group, f"{said}start_time": record.start_time,
        f"{said}duration_in_minutes": record.duration_in_minutes, f"{said}criticality_level": record.criticality_level,
        f"{said}duty_cycle": record.duty_cycle,
        f"{said}average_load_adjustment_percentage": record.average_load_adjustment,
        f"{said}cooling_temperature_set_point": record.cooling_temperature_set_point,
    }


def _report(record: Record) -> dict[str, Any]:
    said = "zbee_zcl_se.drlc.report_event."
    return {
        f"{said}issuer_id": record.issuer_event_id, f"{said}event_status": record.event_status,
        f"{said}event_status_time": utc(record.event_status_time), f"{said}signature": record.signature.hex(),
        f"{said}criticality_level_applied": record.criticality_level_applied,
        f"{said}duty_cycle_applied": record.duty_cycle_applied, f"{said}signature_type": record.signature_type,
    }


def _scheduled(record: Record) -> dict[str, Any]:
    said = "zbee_zcl_se.drlc.get_scheduled_events."
    return {f"{said}numbers_of_events": record.number_of_events}


def _message(record: Record) -> dict[str, Any]:
    said = "zbee_zcl_se.msg.message"
    return {
        f"{said}.id": record.message_id, f"{said}.ctrl.importance": record.importance,
        f"{said}.ctrl.confirm": record.confirmation_required, f"{said}.duration": record.duration_in_minutes,
        said: record.message.decode(),
    }


_INNER: dict[type[Layer], Callable[[Record], dict[str, Any]]] = {
    aps.TransportKey: lambda record: {
        "zbee_aps.cmd.key_type": record.key_type, "zbee_aps.cmd.key": record.key.hex(),
        "zbee_aps.cmd.seqno": record.key_sequence,
    },
    zdp.DeviceAnnce: lambda record: {"zbee_zdp.nwk_addr": record.nwk_addr, "zbee_zdp.ext_addr": eui64(record.ieee_addr)},
    zdp.MatchDescReq: lambda record: {
        "zbee_zdp.profile": record.profile, "zbee_zdp.in_cluster": ",".join(f"0x{each:04x}" for each in record.in_clusters),
    },
    zdp.MgmtPermitJoiningReq: lambda record: {"zbee_zdp.duration": record.duration},
    key_establishment.InitiateKeyEstablishment: _initiate,
    key_establishment.TerminateKeyEstablishment: lambda record: {
        "zbee_zcl_se.ke.terminate.status": record.status, "zbee_zcl_se.ke.terminate.wait.time": record.wait_time,
    },
    price.PublishPrice: _price,
    drlc.LoadControlEvent: _event,
    drlc.ReportEventStatus: _report,
    drlc.GetScheduledEvents: _scheduled,
    messaging.DisplayMessage: _message,
    messaging.MessageConfirmation: lambda record: {
        "zbee_zcl_se.msg.message.id": record.message_id, "zbee_zcl_se.msg.message.confirm_time": utc(record.confirmation_time),
    },
    zcl.DefaultResponse: lambda record: {"zbee_zcl.cmd.id.rsp": record.command},
}

INNER_NAMES = (
    "zbee_aps.cmd.key_type", "zbee_aps.cmd.key", "zbee_aps.cmd.seqno", "zbee_zdp.nwk_addr", "zbee_zdp.ext_addr",
    "zbee_zdp.profile", "zbee_zdp.in_cluster", "zbee_zdp.duration", "zbee_zcl_se.ke.init.ephemeral.time",
    "zbee_zcl_se.ke.init.confirm.time", "zbee_zcl_se.ke.cert.reconst", "zbee_zcl_se.ke.cert.subject",
    "zbee_zcl_se.ke.cert.issuer", "zbee_zcl_se.ke.qeu", "zbee_zcl_se.ke.qev", "zbee_zcl_se.ke.macu", "zbee_zcl_se.ke.macv",
    "zbee_zcl_se.ke.terminate.status", "zbee_zcl_se.ke.terminate.wait.time",
    "zbee_zcl_se.price.provider_id", "zbee_zcl_se.price.rate_label", "zbee_zcl_se.price.issuer_event_id",
    "zbee_zcl_se.price.current_time", "zbee_zcl_se.price.currency", "zbee_zcl_se.price.trailing_digit",
    "zbee_zcl_se.price.tier", "zbee_zcl_se.price.duration_in_minutes", "zbee_zcl_se.price.price",
    "zbee_zcl_se.drlc.issuer_id", "zbee_zcl_se.drlc.device_class", "zbee_zcl_se.drlc.utility_enrollment_group",
    "zbee_zcl_se.drlc.start_time", "zbee_zcl_se.drlc.duration_in_minutes", "zbee_zcl_se.drlc.criticality_level",
    "zbee_zcl_se.drlc.duty_cycle", "zbee_zcl_se.drlc.average_load_adjustment_percentage",
    "zbee_zcl_se.drlc.cooling_temperature_set_point",
    "zbee_zcl_se.drlc.report_event.issuer_id", "zbee_zcl_se.drlc.report_event.event_status",
    "zbee_zcl_se.drlc.report_event.event_status_time", "zbee_zcl_se.drlc.report_event.signature",
    "zbee_zcl_se.drlc.report_event.criticality_level_applied", "zbee_zcl_se.drlc.report_event.duty_cycle_applied",
    "zbee_zcl_se.drlc.report_event.signature_type", "zbee_zcl_se.drlc.get_scheduled_events.numbers_of_events",
    "zbee_zcl_se.msg.message.id", "zbee_zcl_se.msg.message.ctrl.importance", "zbee_zcl_se.msg.message.ctrl.confirm",
    "zbee_zcl_se.msg.message.duration", "zbee_zcl_se.msg.message", "zbee_zcl_se.msg.message.confirm_time",
    "zbee_zcl.cmd.id.rsp",
)


def _of(record: Record) -> dict[str, Any]:
    known = _INNER.get(record.layer)
    return known(record) if known is not None else {}


def same(ours: Any, theirs: str) -> bool:
    """Whether tshark's text says what our value says; an absent field is empty."""
    if ours is None:
        return theirs == ""
    if isinstance(ours, int):
        try:
            return int(theirs, 0) == ours
        except ValueError:
            return {"True": 1, "False": 0}.get(theirs) == ours
    return bool(theirs == ours)
