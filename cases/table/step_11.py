"""Step 11: NIC -> AMI Network: the provisioning state is passed on."""

from __future__ import annotations

from harness.checkers import legs, provisioning_report, two_orders
from harness.checkers.apart import Together
from harness.usecase import Actor, Clause, Point, Step

ROW = Step(
    number=11,
    description="Sends the HAN Device's provisioning state to the AMI Network.",
    information="Provisioned state, HAN Device MAC address.",
    producer=Actor.NIC,
    receiver=Actor.AMI_NETWORK,
    message_type="Proprietary",
)

CLAUSES = (
    Clause(
        id="UC2.7-11-STATE",
        text="A provisioned device is reported as provisioned, with its MAC address.",
        origin="UC",
        citation="AEP use case 2.7, row 11",
        checks={Actor.NIC: (provisioning_report.state_is_reported(legs.LEG_11),)},
        needs=(Point.LEG,),
        sees=(11, (10, 8)),
    ),
    Clause(
        id="UC2.7-11-AFTER-REGISTRATION",
        text="Nothing is reported as provisioned before step 8 is complete.",
        origin="UC",
        citation="AEP use case 2.7, row 10: triggered by a device that is provisioned",
        checks={Actor.NIC: (provisioning_report.reported_after_registration(legs.LEG_11),)},
        needs=(Point.LEG,),
        sees=(11, (10, 8)),
    ),
    Clause(
        id="UC2.7-11-UNALTERED",
        text="The report goes on as it came.",
        origin="UC",
        citation="AEP use case 2.7, row 11",
        checks={Actor.NIC: (provisioning_report.passed_on_unaltered(legs.LEG_11),)},
        needs=(Point.LEG,),
        sees=(11, 10),
    ),
    Clause(
        id="UC2.7-11-ONCE",
        text="One provisioning is reported once.",
        origin="PROFILE",
        citation="docs/leg-codec.md",
        checks={Actor.NIC: (provisioning_report.reported_once(legs.LEG_11),)},
        needs=(Point.LEG,),
        sees=(11, (10, 8)),
    ),
    Clause(
        id="UC2.7-11-TIMELY",
        text="A report is on its way within a minute.",
        origin="PROFILE",
        citation="docs/leg-codec.md",
        checks={Actor.NIC: (provisioning_report.reported_in_time(legs.LEG_11),)},
        needs=(Point.LEG,),
        sees=(11, (10, 8)),
    ),
    Clause(
        id="UC2.7-11-RIGHT-DEVICE",
        text="Of two devices that join at once, none is reported in the place of the other.",
        origin="UC",
        citation="AEP use case 2.7, row 11: HAN Device MAC address",
        checks={Actor.NIC: (Together(two_orders.reports_the_right_device(legs.LEG_11)),)},
        needs=(Point.LEG,),
        sees=(11, (10, 8)),
    ),
    Clause(
        id="UC2.7-11-FAILURE",
        text="A device that was not provisioned inside its window is reported so, and not as provisioned.",
        origin="PROFILE",
        citation="docs/leg-codec.md",
        checks={Actor.NIC: (provisioning_report.failure_is_reported(legs.LEG_11),)},
        needs=(Point.MAC, Point.LEG),
    ),
)
