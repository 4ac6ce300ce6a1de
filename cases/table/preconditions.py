"""The preconditions of the use case: what must be so before it can begin; else a bench is inconclusive."""

from __future__ import annotations

from collections.abc import Mapping

from harness.checkers import conditions
from harness.usecase import Actor, Clause, Point

CLAUSES = (
    Clause(
        id="UC2.7-PRE-METER-REGISTERED",
        text="The smart meter is registered with the AMI Head-End.",
        origin="UC",
        citation="AEP use case 2.7, preconditions",
        checks={Actor.AMI_HEAD_END: (conditions.meter_is_registered,)},
    ),
    Clause(
        id="UC2.7-PRE-METER-IN-CIS",
        text="The CIS has a record of the smart meter.",
        origin="UC",
        citation="AEP use case 2.7, preconditions",
        checks={Actor.CIS: (conditions.meter_is_in_cis,)},
        needs=(Point.CIM,),
        sees=(frozenset({Actor.AMI_HEAD_END, Actor.CIS}),),
    ),
    Clause(
        id="UC2.7-PRE-DEVICE-IMPORTED",
        text="The HAN device was imported into the DR Application.",
        origin="UC",
        citation="AEP use case 2.7, preconditions and assumptions",
        checks={Actor.DR_APPLICATION: (conditions.device_is_imported,)},
    ),
    Clause(
        id="UC2.7-PRE-ENROLLED",
        text="The customer is enrolled in a DR programme, and not in RTP beside it; the enrolment is documented within CIS.",
        origin="UC",
        citation="AEP use case 2.7, assumptions",
        checks={Actor.CIS: (conditions.customer_is_enrolled,)},
    ),
    Clause(
        id="UC2.7-PRE-METERING-CLUSTER",
        text="The HAN device supports the metering cluster, as it claims.",
        origin="UC",
        citation="AEP use case 2.7, last assumption; SE 1.0 (075356r15) 6",
        checks={Actor.HAN_DEVICE: (conditions.meter_reading_is_shown,)},
        needs=(Point.MAC,),
        pics="metering",
        open_item=(
            "The use case says that without it nothing is exchanged; SE 1.0 gives a switch none. Only 09-METERING rests on it."
        ),
    ),
)

WITHOUT_NEGATIVE: Mapping[str, str] = {
    "UC2.7-PRE-METERING-CLUSTER@HAN Device":
        "What a device supports is its PICS; nothing that our side does changes it, and the undisturbed run asks.",
}
