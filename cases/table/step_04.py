"""Step 4: NIC -> ESI: the ESI opens the window."""

from __future__ import annotations

from harness.checkers import legs
from harness.usecase import Actor, Clause, Point, Step

ROW = Step(
    number=4,
    description="Sends the provisioning window message to the ESI.",
    information=(
        "HAN Device MAC address, device type, pre-configured security key, and the command that lets the ESI "
        "enable provisioning."
    ),
    producer=Actor.NIC,
    receiver=Actor.ESI,
    message_type="Proprietary",
)

NIC_CLAUSES = (
    Clause(
        id="UC2.7-04-FORWARDED",
        text="The order goes on with MAC address, device type, key and window unaltered.",
        origin="UC",
        citation="AEP use case 2.7, row 4",
        checks={Actor.NIC: (legs.forwarded(legs.LEG_4),)},
        needs=(Point.LEG,),
    ),
    Clause(
        id="UC2.7-04-TARGET",
        text="The order goes to the meter it was ordered for, and to no other.",
        origin="UC",
        citation="AEP use case 2.7, row 4",
        checks={Actor.NIC: (legs.addressed(legs.LEG_4),)},
        needs=(Point.LEG,),
    ),
    Clause(
        id="UC2.7-04-ONCE",
        text="The order goes on once, however often it came.",
        origin="PROFILE",
        citation="docs/leg-codec.md",
        checks={Actor.NIC: (legs.forwarded_once(legs.LEG_4),)},
        needs=(Point.LEG,),
    ),
    Clause(
        id="UC2.7-04-TIMELY",
        text="The window left is what is left of the window ordered; what is over does not go on.",
        origin="UC",
        citation="AEP use case 2.7, row 4: a time-based window",
        checks={Actor.NIC: (legs.forwarded_in_time(legs.LEG_4),)},
        needs=(Point.LEG,),
    ),
    Clause(
        id="UC2.7-04-UNDELIVERABLE",
        text="An order that cannot go on is reported back, and not swallowed.",
        origin="PROFILE",
        citation="docs/leg-codec.md",
        checks={Actor.NIC: (legs.undeliverable_is_reported(legs.LEG_4),)},
        needs=(Point.LEG,),
    ),
    Clause(
        id="UC2.7-04-CONFIDENTIAL",
        text="Key material is not written into the producer's log in clear text.",
        origin="PROFILE",
        citation="docs/leg-codec.md",
        checks={Actor.NIC: (legs.key_is_not_logged(legs.LEG_4),)},
        needs=(Point.LEG, Point.LOG),
    ),
)

CLAUSES = NIC_CLAUSES
