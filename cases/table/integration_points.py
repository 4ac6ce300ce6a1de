"""The points of integration that the use case wants tested, and that no step of it asks about."""

from __future__ import annotations

from harness.checkers import (
    acknowledgement,
    binding,
    cim_dialogue,
    integration,
    legs,
    linkage_chain,
    provisioning_report,
    window_granted,
)
from harness.checkers.cim_message import (
    EVENTS_TO_CIS,
    EVENTS_TO_ODS,
    METER_RECORD,
    STEP_1,
    STEP_13,
    breaks_nothing,
)
from harness.checkers.parties import for_each
from harness.usecase import Actor, Clause, Point

TO_CIS = frozenset({Actor.AMI_HEAD_END, Actor.CIS})
TO_ODS = frozenset({Actor.AMI_HEAD_END, Actor.ODS})

CLAUSES = (
    Clause(
        id="UC2.7-INT-HEAD-END-CIS",
        text="The CIS is told when a joining window opens and closes, and when a device is paired or not, each once.",
        origin="PROFILE",
        citation="AEP use case 2.7, integration scenarios; IEC 61968-9:2013, EndDeviceEvents; docs/cim-profile.md, events",
        checks={Actor.AMI_HEAD_END: (
            integration.events_reach(EVENTS_TO_CIS), linkage_chain.as_reported(breaks_nothing(EVENTS_TO_CIS)),
        )},
        needs=(Point.CIM, Point.LEG),
        open_item="The use case names the integration point and no message.",
        sees=(12, TO_CIS),
    ),
    Clause(
        id="UC2.7-INT-HEAD-END-ODS",
        text="The ODS is told when a joining window opens and closes, and when a device is paired or not, each once.",
        origin="PROFILE",
        citation="AEP use case 2.7, integration scenarios; IEC 61968-9:2013, EndDeviceEvents; docs/cim-profile.md, events",
        checks={Actor.AMI_HEAD_END: (
            integration.events_reach(EVENTS_TO_ODS), linkage_chain.as_reported(breaks_nothing(EVENTS_TO_ODS)),
        )},
        needs=(Point.CIM, Point.LEG),
        open_item="ODS is an integration point and appears in no step.",
        sees=(12, TO_ODS),
    ),
    Clause(
        id="UC2.7-INT-CIS-HEAD-END",
        text="The CIS tells the head-end of the meter by create MeterConfig, and the head-end takes it.",
        origin="PROFILE",
        citation="AEP use case 2.7, integration scenarios and preconditions; docs/cim-profile.md, precondition",
        checks={
            Actor.CIS: (integration.meter_is_told, breaks_nothing(METER_RECORD)),
            Actor.AMI_HEAD_END: (cim_dialogue.answered(METER_RECORD),),
        },
        needs=(Point.CIM,),
        open_item="CIS and AMI Head-End must be tested with each other, and no step uses that.",
        sees=(TO_CIS,),
    ),
    Clause(
        id="UC2.7-INT-HEAD-END-NETWORK",
        text="Orders go from the head-end to the AMI Network, and reports come back.",
        origin="UC",
        citation="AEP use case 2.7, integration scenarios; rows 2 and 12",
        checks={
            Actor.AMI_HEAD_END: (legs.forwarded(legs.LEG_2),),
            Actor.AMI_NETWORK: (provisioning_report.state_is_reported(legs.LEG_12),),
        },
        needs=(Point.CIM, Point.LEG),
        sees={Actor.AMI_HEAD_END: (2, 1), Actor.AMI_NETWORK: (12, (11, 10, 8))},
    ),
    Clause(
        id="UC2.7-INT-HEAD-END-DR",
        text="The head-end answers the DR Application's orders and tells it of linkages, and that takes them.",
        origin="UC",
        citation="AEP use case 2.7, integration scenarios; rows 1 and 13",
        checks={
            Actor.AMI_HEAD_END: (
                cim_dialogue.answered(STEP_1, window_granted.wrong_orders),
                linkage_chain.follows(STEP_13, linkage_chain.reports),
            ),
            Actor.DR_APPLICATION: (cim_dialogue.answered(STEP_13, linkage_chain.wrong_linkages(STEP_13)),),
        },
        needs=(Point.CIM, Point.LEG),
        sees={Actor.AMI_HEAD_END: (1, 12), Actor.DR_APPLICATION: (13,)},
    ),
    Clause(
        id="UC2.7-INT-TRANSPORT",
        text=(
            "A CIM message travels on the binding of the bench: in its envelope, with its content type, action and status; what "
            "answers one can be read."
        ),
        origin="ENV",
        citation="IEC 61968-100:2013, web services; SOAP 1.1, 6; SOAP 1.2 part 2, 7; docs/cim-profile.md, bindings",
        checks=for_each((Actor.DR_APPLICATION, Actor.AMI_HEAD_END, Actor.CIS), binding.keeps_the_binding),
        needs=(Point.CIM,),
        sees={Actor.DR_APPLICATION: ((1, 14),), Actor.AMI_HEAD_END: ((1, TO_CIS, TO_ODS),), Actor.CIS: ((14, TO_CIS),)},
    ),
    Clause(
        id="UC2.7-INT-ASYNC",
        text="A request that wants its result later is acknowledged at once; the result goes to the ReplyAddress.",
        origin="ENV",
        citation="IEC 61968-100:2013, asynchronous request and reply; HeaderType: AsyncReplyFlag, ReplyAddress",
        checks=for_each((Actor.DR_APPLICATION, Actor.AMI_HEAD_END, Actor.CIS), acknowledgement.answers_later),
        needs=(Point.CIM,),
        sees={Actor.DR_APPLICATION: (13,), Actor.AMI_HEAD_END: (1,), Actor.CIS: (14,)},
    ),
    Clause(
        id="UC2.7-INT-ACKNOWLEDGES",
        text="An event that wants an acknowledgement gets one, before anything else is said about it.",
        origin="ENV",
        citation="IEC 61968-100:2013, HeaderType: AckRequired",
        checks=for_each((Actor.DR_APPLICATION, Actor.CIS, Actor.ODS), acknowledgement.acknowledges),
        needs=(Point.CIM,),
        sees={Actor.DR_APPLICATION: (13,), Actor.CIS: (TO_CIS,), Actor.ODS: (TO_ODS,)},
    ),
)
