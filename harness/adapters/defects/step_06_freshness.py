"""Defects in step 6 of frame counters, integrity and acknowledgements on the network, and what provokes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dissectors import aps, nwk
from dissectors.clusters import basic
from dissectors.layer import Record
from harness.adapters.defects import Defect
from harness.stack.counters import INVALID
from harness.usecase import Actor

STEP, JUMP = 16, 4096  # after so many frames a jumping counter leaves out so many values
FEW = 4  # so many APS frames go out under one link key until its counter jumps
NOBODYS = 0x80  # turns an APS counter into one that was not used lately
AHEAD = 1 << 12  # counters that one whose counters stand or begin again leaves out, to be believed once
TIMID = 100  # the greatest jump that a timid receiver takes
FORGOTTEN = 25.0  # seconds after which no stack remembers an APS frame as a duplicate


def _on_network_counter(change: Callable[[int], int]) -> Callable[[Record], Record]:
    def rewrite(record: Record) -> Record:
        if not record.is_a(nwk.AuxiliaryHeader) or record.key_identifier != nwk.KeyIdentifier.NETWORK:
            return record
        return record.replace(frame_counter=change(record.frame_counter))

    return rewrite


def _ahead(counter: int, step: int) -> int:
    """With a jump at every so many; a counter that is too high for that stays as it is."""
    return jumped if (jumped := counter + counter // step * JUMP) < INVALID else counter


_jumping = _on_network_counter(lambda counter: _ahead(counter, STEP))
_standing = _on_network_counter(lambda counter: counter // STEP)
_stumbling = _on_network_counter(lambda counter: counter - (counter % STEP == STEP - 1))


def _in_acknowledgements(change: Callable[[Record], dict[str, Any]]) -> Callable[[Record], Record]:
    """APS acknowledgements of Basic: enough to be seen, and nothing that others rest on goes astray."""

    def rewrite(record: Record) -> Record:
        ack = record.is_a(aps.Aps) and record.frame_type == aps.FrameType.ACK and not record.ack_format
        return record.replace(**change(record)) if ack and record.cluster == basic.CLUSTER.identifier else record

    return rewrite


def _link_jumping(record: Record) -> Record:
    if not record.is_a(nwk.AuxiliaryHeader) or record.key_identifier != nwk.KeyIdentifier.DATA:
        return record
    return record.replace(frame_counter=_ahead(record.frame_counter, FEW))


def _of_both(
    name: str, text: str, clause: str, cause: str, misbehaviours: tuple[str, ...] = (), **decisions: Any,
) -> tuple[Defect, ...]:
    """The same defect of the ESI and of the HAN Device."""
    return tuple(
        Defect(
            f"06-{word}-{name}", actor, text, (f"UC2.7-06-{clause}@{actor}",), decisions, cause=cause,
            misbehaviours=misbehaviours,
        )
        for word, actor in (("esi", Actor.ESI), ("device", Actor.HAN_DEVICE))
    )


PROVOCATIONS = (
    Defect(
        "06-provoke-forgotten-counter", Actor.ESI, "begins its frame counters at 0 when its power returns", (),
        {"keeps_counters_over_power_cycle": False, "greets_ahead_by": AHEAD}, misbehaviours=("M-12",),
    ),
    *(
        Defect(f"06-{word}-{name}", actor, text, (), decisions, rewrites, misbehaviours=misbehaviours)
        for word, actor in (("esi", Actor.ESI), ("device", Actor.HAN_DEVICE))
        for name, text, decisions, rewrites, misbehaviours in (
            ("counter-jumps", "leaves out thousands of frame counters now and then", {}, (_jumping,), ()),
            ("counters-stand", "uses each frame counter several times", {"greets_ahead_by": AHEAD}, (_standing,), ("M-13",)),
            ("replays", "sends every frame once more when it is forgotten", {"replays_after": FORGOTTEN}, (), ("M-13",)),
            ("link-counter-jumps", "leaves out thousands of APS frame counters now and then", {}, (_link_jumping,), ("M-15",)),
            ("replays-link", "sends every APS frame once more in a new frame", {"replays_link_after": FORGOTTEN}, (), ("M-13",)),
        )
    ),
)

DEFECTS = (
    Defect(
        "06-esi-counter-stands", Actor.ESI, "uses a frame counter twice now and then", ("UC2.7-06-COUNTERS@ESI",),
        rewrites=(_stumbling,),
        cause="counter-used-again",
    ),
    Defect(
        "06-esi-counter-forgotten", Actor.ESI, "begins its frame counter at 0 when its power returns",
        ("UC2.7-06-COUNTERS@ESI",), {"keeps_counters_over_power_cycle": False},
        cause="counter-not-kept", misbehaviours=("M-12",),
    ),
    Defect(
        "06-device-counter-stands", Actor.HAN_DEVICE, "uses a frame counter twice now and then",
        ("UC2.7-06-COUNTERS@HAN Device",), rewrites=(_stumbling,),
        cause="counter-used-again",
    ),
    Defect(
        "06-device-counter-forgotten", Actor.HAN_DEVICE, "begins its frame counter at 0 when its power returns",
        ("UC2.7-06-COUNTERS@HAN Device",), {"keeps_counters_over_power_cycle": False},
        cause="counter-not-kept", misbehaviours=("M-12",),
    ),
    *_of_both(
        "takes-replays", "takes frames whose counter it has accepted before", "REPLAY", "replays-taken", ("M-13",),
        checks_nwk_counter=False,
    ),
    *_of_both(
        "fears-jumps", "refuses a frame counter that is far ahead", "COUNTER-JUMP", "counter-jumps-refused",
        largest_nwk_jump=TIMID,
    ),
    *_of_both(
        "takes-link-replays", "takes APS frames whose counter it has accepted before", "REPLAY", "link-replays-taken", ("M-13",),
        checks_aps_counter=False,
    ),
    *_of_both(
        "fears-link-jumps", "refuses an APS frame counter that is far ahead", "COUNTER-JUMP", "link-counter-jumps-refused",
        ("M-15",), largest_aps_jump=TIMID,
    ),
    *_of_both(
        "takes-unsecured-commands", "obeys network commands that are not secured", "UNSECURED-COMMANDS",
        "unsecured-commands-obeyed", takes_unsecured_commands=True,
    ),
    *(
        Defect(
            f"06-{word}-{name}", actor, text, (f"UC2.7-06-ACKNOWLEDGES@{actor}",), rewrites=(rewrite,), cause=cause,
            misbehaviours=("M-14",),
        )
        for word, actor in (("esi", Actor.ESI), ("device", Actor.HAN_DEVICE))
        for name, text, rewrite, cause in (
            ("acknowledges-nothing", "acknowledges descriptors under a counter that nobody used",
             _in_acknowledgements(lambda ack: {"counter": ack.counter ^ NOBODYS}), "acknowledgement-of-nothing"),
            ("acknowledges-unturned", "copies the endpoints of a question about attributes into its acknowledgement as they are",
             _in_acknowledgements(lambda ack: {
                 "source_endpoint": ack.dest_endpoint, "dest_endpoint": ack.source_endpoint,
             }), "acknowledgement-not-turned-round"),
        )
    ),
    *_of_both("takes-wrong-mics", "takes frames whose MIC is wrong", "BAD-MIC", "mic-not-checked", checks_nwk_mic=False),
    *PROVOCATIONS,
)
