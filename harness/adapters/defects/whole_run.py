"""The whole run: wrong behaviours that show where steps are put together. Each is planted in one actor of the chain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dissectors.layer import Record
from dissectors.zdp import DeviceAnnce
from harness.adapters.back_office_policy import Rewrite, on_cim, on_leg
from harness.adapters.defects import Defect
from harness.adapters.wrong_key_establishment import every
from harness.adapters.wrong_messages import changed
from harness.backhaul.message import LegKind, LegMessage
from harness.cim.nouns import MASTER_DATA_LINKAGE_CONFIG
from harness.usecase import Actor
from harness.values import Eui64

DR, HEAD_END, NETWORK, NIC = Actor.DR_APPLICATION, Actor.AMI_HEAD_END, Actor.AMI_NETWORK, Actor.NIC
ESI, DEVICE = Actor.ESI, Actor.HAN_DEVICE
NAMES = {DR: "dr", HEAD_END: "head-end", NETWORK: "network", NIC: "nic", ESI: "esi", DEVICE: "device"}
LINKAGE = f"Create{MASTER_DATA_LINKAGE_CONFIG}"


def _backwards(device: Eui64) -> Eui64:
    return Eui64(int.from_bytes(Eui64(device).octets, "little"))


def _written_backwards(address: str) -> str:
    return str(_backwards(Eui64.parse(address)))


def _reported_backwards(report: LegMessage) -> LegMessage:
    return replace(report, device=_backwards(report.device or Eui64(0)))


def _announced_backwards(announcement: Record) -> Record:
    return announcement.replace(ieee_addr=_backwards(announcement.ieee_addr))


def _defect(
    actor: Actor, name: str, text: str, clause: str, decisions: Mapping[str, Any] | None = None, rewrite: Rewrite | None = None,
    *, cause: str = "", also: tuple[str, ...] = (), misbehaviours: tuple[str, ...] = (),
) -> Defect:
    """`also` are clauses of the steps that it breaks beside the one of the whole run."""
    identity, breaks = f"seq-{NAMES[actor]}-{name}", (f"SEQ-{clause}", *also)
    return Defect(
        identity, actor, text, tuple(f"UC2.7-{each}@{actor}" for each in breaks), decisions or {}, (rewrite,) if rewrite else (),
        cause=cause, misbehaviours=misbehaviours,
    )


DEFECTS = (
    _defect(DR, "informs-early", "tells the CIS as soon as the order is granted", "ORDER", {"awaits_linkage": False},
            cause="linkage-unprompted", also=("14-AFTER-13", "INT-SEQUENCE")),
    *(
        _defect(actor, "reports-early", "says too early that the device is in", "ORDER", {"awaits_registration": False},
                cause=cause, also=(also,))
        for actor, also, cause in (
            (HEAD_END, "13-AFTER-12", "linkage-unprompted"), (NETWORK, "12-AFTER-REGISTRATION", "reports-unprompted"),
            (NIC, "11-AFTER-REGISTRATION", "reports-unprompted"), (ESI, "10-AFTER-REGISTRATION", "reports-before-registration"),
        )
    ),
    _defect(DEVICE, "asks-early", "asks for the time before it has registered", "ORDER", {"asks_before_registering": True},
            cause="asks-before-registering", also=("09-NOT-INSTALL-KEY",)),
    *(
        _defect(
            actor, "turns-address", "announces the device by its address with its octets reversed", "MAC-CHAIN",
            rewrite=on_cim(changed(_written_backwards, "EndDevice", "Names", "name"), LINKAGE), cause="eui64-reversed",
            also=(f"{step}-MAC", "INT-SEQUENCE"),
        )
        for actor, step in ((DR, "14"), (HEAD_END, "13"))
    ),
    *(
        _defect(
            actor, "turns-address", "reports the device by its address with its octets reversed", "MAC-CHAIN",
            rewrite=on_leg(_reported_backwards, LegKind.STATE), cause="eui64-reversed", also=also,
        )
        for actor, also in (
            (NETWORK, ("12-STATE", "12-UNALTERED", "INT-HEAD-END-NETWORK")), (NIC, ("11-STATE", "11-UNALTERED")), (ESI, ("10-STATE",)),
        )
    ),
    _defect(
        DEVICE, "turns-address", "announces itself by its address with its octets reversed", "MAC-CHAIN",
        rewrite=every(DeviceAnnce, _announced_backwards), cause="eui64-reversed", also=("06-JOINED",),
    ),
    _defect(ESI, "never-closes", "lets the device in after its window", "WINDOW-CHAIN", {"honours_window_end": False},
            cause="window-end-ignored", also=("04-CLOSES",), misbehaviours=("M-11",)),
    _defect(ESI, "turns-key", "loads the ordered key with its octets reversed", "KEY-CHAIN", {"loads_key_reversed": True},
            cause="digest-reversed", also=("04-AUTHORISES", "06-KEY-SEALED"), misbehaviours=("M-04",)),
    *(
        _defect(actor, "logs-key", "writes the device's key into its log", "NO-LEAK", {"logs_keys": True}, cause="key-in-a-log", also=also)
        for actor, also in (
            (DR, ("01-SECRET",)), (HEAD_END, ("02-CONFIDENTIAL",)), (NETWORK, ("03-CONFIDENTIAL",)), (NIC, ("04-CONFIDENTIAL",)), (ESI, ()),
        )
    ),
    _defect(
        ESI, "sends-key-clear", "sends the network key in the clear", "NO-LEAK", {"transport_key_identifier": None},
        cause="key-in-the-clear",
        also=("04-AUTHORISES", "06-KEY-SEALED", "06-KEY-NEVER-CLEAR"), misbehaviours=("M-07",),
    ),
    _defect(
        ESI, "keeps-stale-key", "lets no device in again that it shares a key with", "RE-PROVISION",
        {"readmits_registered": False}, cause="stale-link-key", misbehaviours=("M-60",),
    ),
    _defect(
        DEVICE, "keeps-everything", "keeps network and keys over a factory reset", "RE-PROVISION",
        {"forgets_on_factory_reset": False}, cause="membership-kept-over-reset",
    ),
)
