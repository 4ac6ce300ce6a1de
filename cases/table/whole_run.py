"""The whole run: what holds from step 1 to step 14 and belongs to no single row."""

from __future__ import annotations

from collections.abc import Mapping

from harness.checkers import swap, two_orders, whole_run
from harness.checkers.apart import Together, together
from harness.checkers.parties import for_each
from harness.usecase import Actor, Clause, Point, Sights

BACK_OFFICE = (Actor.DR_APPLICATION, Actor.AMI_HEAD_END, Actor.AMI_NETWORK, Actor.NIC, Actor.ESI)

SOME_STEP_OF_ITS_OWN: Mapping[Actor, Sights] = {
    Actor.AMI_NETWORK: ((3, 12),), Actor.NIC: ((4, 11),), Actor.ESI: ((6, 10),), Actor.HAN_DEVICE: (6,),
}
FOLLOWS_THE_NEW_PAIR = together(for_each((*BACK_OFFICE, Actor.HAN_DEVICE), swap.follows_the_new_pair))

CLAUSES = (
    Clause(
        id="UC2.7-SEQ-ORDER",
        text="No step begins before those it rests on: 1 < 2 < 3 < 4 < 5 < 6 < {7, 8} < 9, and 8 < 10 < 11 < 12 < 13 < 14.",
        origin="UC",
        citation="AEP use case 2.7, normal sequence",
        checks=for_each((*BACK_OFFICE, Actor.HAN_DEVICE), whole_run.keeps_the_order),
        open_item="Row 7 stands before row 8, but reading the time (7) needs the key of 8: the two may come in either order.",
        sees={Actor.DR_APPLICATION: (14,), Actor.AMI_HEAD_END: (1,), **SOME_STEP_OF_ITS_OWN},
    ),
    Clause(
        id="UC2.7-SEQ-MAC-CHAIN",
        text="Every step is about the HAN device whose MAC address was ordered in step 1.",
        origin="UC",
        citation="AEP use case 2.7, rows 1 to 6 and 10 to 14",
        checks=for_each((*BACK_OFFICE, Actor.HAN_DEVICE), whole_run.follows_the_device),
        sees={Actor.DR_APPLICATION: ((1, 14),), Actor.AMI_HEAD_END: ((2, 13),), **SOME_STEP_OF_ITS_OWN},
    ),
    Clause(
        id="UC2.7-SEQ-WINDOW-CHAIN",
        text="The device is let in inside the window that was ordered in step 1, and not outside it.",
        origin="UC",
        citation="AEP use case 2.7, rows 1 and 6; SE 1.0 (075356r15) 5.4.1",
        checks={Actor.ESI: (whole_run.stays_in_the_window,)},
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-SEQ-KEY-CHAIN",
        text="The pre-configured key that was ordered in step 1 opens the network key of step 6.",
        origin="UC",
        citation="AEP use case 2.7, rows 1 and 6; SE 1.0 (075356r15) 5.4.8.1; 05-3474r17 4.5.3",
        checks={Actor.ESI: (whole_run.seals_with_the_ordered_key,)},
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-SEQ-NO-LEAK",
        text="No key of the run stands anywhere but in orders and sealed frames: in no report, no log, no frame in the clear.",
        origin="PROFILE",
        citation="docs/cim-profile.md, step 1; docs/leg-codec.md; SE 1.0 (075356r15) 5.4.1",
        checks=for_each(BACK_OFFICE, whole_run.leaks_nothing),
        sees={Actor.DR_APPLICATION: ((1, 14),), Actor.AMI_HEAD_END: ((2, 13),), **SOME_STEP_OF_ITS_OWN},
    ),
    Clause(
        id="UC2.7-SEQ-RE-PROVISION",
        text="The same device, reset, joins and registers again inside its window, and gets another link key.",
        origin="SE",
        citation="SE 1.0 (075356r15) 5.4.1, 5.5, annex C.3",
        checks=for_each((Actor.ESI, Actor.HAN_DEVICE), whole_run.provisions_again),
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-SEQ-TWO-DEVICES",
        text="With two devices at once, at one meter or at two, each is spoken of with the meter, premise and chain of its own order.",
        origin="UC",
        citation="AEP use case 2.7, rows 1 to 4 and 10 to 14; row 5: HAN Device(s)",
        checks=together(for_each(BACK_OFFICE, two_orders.speaks_of_each_apart)),
        sees={Actor.DR_APPLICATION: ((1, 14),), Actor.AMI_HEAD_END: ((2, 13),), **SOME_STEP_OF_ITS_OWN, Actor.ESI: (10,)},
    ),
    Clause(
        id="UC2.7-SEQ-SWAP",
        text="When a device or a meter is replaced, all steps come about for the new pair and nobody speaks of the old one any more.",
        origin="PROFILE",
        citation="AEP use case 2.7, rows 1 to 14; assumptions: a targeted Smart Meter ESI; docs/design.md, two orders",
        checks={
            **FOLLOWS_THE_NEW_PAIR,
            Actor.HAN_DEVICE: (*FOLLOWS_THE_NEW_PAIR[Actor.HAN_DEVICE], Together(swap.joins_the_new_meter)),
            Actor.CIS: (Together(swap.a_device_is_at_one_premise),),
        },
        sees={
            Actor.DR_APPLICATION: ((1, 14),), Actor.AMI_HEAD_END: ((2, 13),), Actor.CIS: (14,), **SOME_STEP_OF_ITS_OWN,
        },
        open_item="The use case knows no un-provisioning: nothing says how a device that is replaced by another is unlinked.",
    ),
)
