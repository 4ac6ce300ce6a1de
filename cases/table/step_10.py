"""Step 10: ESI -> NIC: the provisioning state is reported.

There is no 10-UNALTERED: nothing comes to the ESI that it would pass on; what it says is held against the air. There is no
CONFIDENTIAL in steps 10 to 12: a report has no place for a key, and SEQ-NO-LEAK looks for one everywhere.
"""

from __future__ import annotations

from harness.checkers import legs, provisioning_report, two_orders
from harness.checkers.apart import Together
from harness.usecase import Actor, Clause, Point, Step

ROW = Step(
    number=10,
    description="Sends the HAN Device's provisioning state to the NIC.",
    information="Provisioned state, HAN Device MAC address.",
    producer=Actor.ESI,
    receiver=Actor.NIC,
    message_type="Proprietary",
)

CLAUSES = (
    Clause(
        id="UC2.7-10-STATE",
        text="A provisioned device is reported as provisioned, with its MAC address.",
        origin="UC",
        citation="AEP use case 2.7, row 10",
        checks={Actor.ESI: (provisioning_report.state_is_reported(legs.LEG_10),)},
        needs=(Point.MAC, Point.LEG),
    ),
    Clause(
        id="UC2.7-10-AFTER-REGISTRATION",
        text="Nothing is reported as provisioned before step 8 is complete.",
        origin="UC",
        citation="AEP use case 2.7, row 10: triggered by a device that is provisioned",
        checks={Actor.ESI: (provisioning_report.reported_after_registration(legs.LEG_10),)},
        needs=(Point.MAC, Point.LEG),
    ),
    Clause(
        id="UC2.7-10-ONCE",
        text="One provisioning is reported once.",
        origin="PROFILE",
        citation="docs/leg-codec.md",
        checks={Actor.ESI: (provisioning_report.reported_once(legs.LEG_10),)},
        needs=(Point.MAC, Point.LEG),
    ),
    Clause(
        id="UC2.7-10-TIMELY",
        text="A report is on its way within a minute, and says when the device registered.",
        origin="PROFILE",
        citation="docs/leg-codec.md",
        checks={Actor.ESI: (provisioning_report.reported_in_time(legs.LEG_10),)},
        needs=(Point.MAC, Point.LEG),
    ),
    Clause(
        id="UC2.7-10-RIGHT-DEVICE",
        text="Of two devices that join at once, none is reported in the place of the other.",
        origin="UC",
        citation="AEP use case 2.7, row 10: HAN Device MAC address",
        checks={Actor.ESI: (Together(two_orders.reports_the_right_device(legs.LEG_10)),)},
        needs=(Point.MAC, Point.LEG),
    ),
    Clause(
        id="UC2.7-10-FAILURE",
        text="A device that was not provisioned inside its window is reported so, and not as provisioned.",
        origin="PROFILE",
        citation="docs/leg-codec.md",
        checks={Actor.ESI: (provisioning_report.failure_is_reported(legs.LEG_10),)},
        needs=(Point.MAC, Point.LEG),
    ),
)
