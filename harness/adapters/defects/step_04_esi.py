"""Defects of the ESI in step 4: joining windows that open, stay, close or admit wrongly; and what provokes them."""

from __future__ import annotations

from dataclasses import replace

from dissectors.layer import Record
from dissectors.mac import Beacon
from dissectors.zdp import MgmtPermitJoiningReq
from harness.adapters.back_office_policy import on_leg
from harness.adapters.defects import Defect
from harness.backhaul.message import LegMessage
from harness.usecase import Actor

BAD_KEY = "bad_key"  # why an order was refused, as leg 10 says it
WITHOUT_END = 255  # the duration of a permit-join that never runs out


def _always_permitting(record: Record) -> Record:
    return record.replace(association_permit=1) if record.is_a(Beacon) else record


def _endless(record: Record) -> Record | None:
    """Routers are told to permit joining without end, and never to stop."""
    if not record.is_a(MgmtPermitJoiningReq):
        return record
    return record.replace(duration=WITHOUT_END) if record.duration else None


def _unread(message: LegMessage) -> LegMessage | None:
    return None if message.reason == BAD_KEY else replace(message)


DEFECTS = (
    Defect(
        "04-esi-never-opens", Actor.ESI, "says that the window is open and permits no association",
        ("UC2.7-04-OPENS@ESI", "UC2.7-04-EXTENDS@ESI", "UC2.7-04-SURVIVES-RESTART@ESI"), {"opens_association": False},
        cause="permit-never-set",
    ),
    Defect(
        "04-esi-not-extended", Actor.ESI, "lets the window lapse with its first permit-join", ("UC2.7-04-EXTENDS@ESI",),
        {"extends_permit": False},
        cause="permit-lapses",
    ),
    Defect(
        "04-esi-never-closes", Actor.ESI, "does not close the window at its end",
        ("UC2.7-04-CLOSES@ESI", "UC2.7-04-OVERLAP@ESI"),
        {"honours_window_end": False},
        cause="window-end-ignored", misbehaviours=("M-11",),
    ),
    Defect(
        "04-esi-always-open", Actor.ESI, "permits association in every beacon",
        ("UC2.7-04-CLOSES@ESI", "UC2.7-04-BAD-CODE@ESI"),
        rewrites=(_always_permitting,),
        cause="permit-always-set", misbehaviours=("M-11",),
    ),
    Defect(
        "04-esi-routers-left-open", Actor.ESI, "lets routers permit joining without end", ("UC2.7-04-CLOSES@ESI",),
        rewrites=(_endless,),
        cause="routers-left-open", misbehaviours=("M-11",),
    ),
    Defect(
        "04-esi-cancel-ignored", Actor.ESI, "keeps a window open that was withdrawn", ("UC2.7-04-CLOSES@ESI",),
        {"honours_cancel": False},
        cause="withdrawal-ignored",
    ),
    Defect(
        "04-esi-late-order-obeyed", Actor.ESI, "opens a window whose withdrawal came before its order", ("UC2.7-04-CLOSES@ESI",),
        {"remembers_withdrawals": False},
        cause="late-order-obeyed",
    ),
    Defect(
        "04-esi-key-reversed", Actor.ESI, "loads the ordered key with its octets reversed",
        ("UC2.7-04-AUTHORISES@ESI", "UC2.7-06-KEY-SEALED@ESI", "UC2.7-SEQ-KEY-CHAIN@ESI"),
        {"loads_key_reversed": True},
        cause="digest-reversed", misbehaviours=("M-04",),
    ),
    *(
        Defect(
            f"04-esi-{mistake}", Actor.ESI, text,
            ("UC2.7-04-AUTHORISES@ESI", "UC2.7-06-KEY-SEALED@ESI", "UC2.7-SEQ-KEY-CHAIN@ESI"),
            {"install_code_mistake": mistake}, cause=mistake, misbehaviours=misbehaviours,
        )
        for mistake, text, misbehaviours in (
            ("crc-left-out", "hashes an install code without its CRC", ("M-01",)),
            ("crc-most-significant-first", "takes the CRC of an install code with its octets exchanged", ("M-02",)),
            ("hashed-twice", "takes a link key for an install code and hashes it once more", ("M-05",)),
        )
    ),
    Defect(
        "04-esi-code-not-checked", Actor.ESI, "takes install codes of any length and CRC", ("UC2.7-04-BAD-CODE@ESI",),
        {"checks_install_code": False},
        cause="install-code-not-checked", misbehaviours=("M-03",),
    ),
    Defect(
        "04-esi-bad-code-not-reported", Actor.ESI, "refuses a wrong install code and tells nobody", ("UC2.7-04-BAD-CODE@ESI",),
        rewrites=(on_leg(_unread),),
        cause="refusal-not-reported",
    ),
    Defect(
        "04-esi-windows-merged", Actor.ESI, "admits every ordered device until the last window ends", ("UC2.7-04-OVERLAP@ESI",),
        {"windows_are_separate": False},
        cause="windows-merged",
    ),
    Defect(
        "04-esi-windows-forgotten", Actor.ESI, "forgets its windows when it loses power", ("UC2.7-04-SURVIVES-RESTART@ESI",),
        {"keeps_windows_over_restart": False},
        cause="window-lost-on-restart",
    ),
    Defect(
        "04-head-end-passes-codes-unchecked", Actor.AMI_HEAD_END, "forwards install codes whatever their length and CRC", (),
        {"checks_install_code": False},
        misbehaviours=("M-03",),
    ),
)
