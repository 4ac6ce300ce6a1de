"""Step 10: ESI -> NIC: the provisioning state is reported."""

from __future__ import annotations

from harness.checkers import legs, provisioning_report
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
        id="UC2.7-10-FAILURE",
        text="A device that was not provisioned inside its window is reported so, and not as provisioned.",
        origin="PROFILE",
        citation="docs/leg-codec.md",
        checks={Actor.ESI: (provisioning_report.failure_is_reported(legs.LEG_10),)},
        needs=(Point.MAC, Point.LEG),
    ),
)
