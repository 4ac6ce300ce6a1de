"""Step 3: AMI Network -> NIC: the window message is routed to the meter."""

from __future__ import annotations

from harness.checkers import legs, two_orders
from harness.checkers.apart import Together
from harness.usecase import Actor, Clause, Point, Step

ROW = Step(
    number=3,
    description="Routes the provisioning window message to the ESI.",
    information=(
        "HAN Device MAC address, device type, pre-configured security key, and the command that lets the ESI "
        "enable provisioning."
    ),
    producer=Actor.AMI_NETWORK,
    receiver=Actor.NIC,
    message_type="Proprietary",
    open_item=(
        "The description says the message goes to the ESI, the receiver column says NIC; judged by the "
        "column."
    ),
)

CLAUSES = (
    Clause(
        id="UC2.7-03-FORWARDED",
        text="The order goes on with MAC address, device type, key and window unaltered.",
        origin="UC",
        citation="AEP use case 2.7, row 3",
        checks={Actor.AMI_NETWORK: (legs.forwarded(legs.LEG_3),)},
        needs=(Point.LEG,),
        sees=(3, (2, 1)),
    ),
    Clause(
        id="UC2.7-03-TARGET",
        text="The order goes to the meter it was ordered for, and to no other.",
        origin="UC",
        citation="AEP use case 2.7, row 3",
        checks={Actor.AMI_NETWORK: (legs.addressed(legs.LEG_3), Together(two_orders.goes_to_its_own_meter))},
        needs=(Point.LEG,),
        sees=(3, (2, 1)),
    ),
    Clause(
        id="UC2.7-03-RECEIVER",
        text="The order goes to the NIC of the meter, not past it to the ESI.",
        origin="UC",
        citation="AEP use case 2.7, row 3, column Receiver",
        checks={Actor.AMI_NETWORK: (legs.received_by_the_nic,)},
        needs=(Point.LEG,),
        open_item="The receiver column says NIC, the description says ESI; judged by the column.",
    ),
    Clause(
        id="UC2.7-03-ONCE",
        text="The order goes on once, however often it came.",
        origin="PROFILE",
        citation="docs/leg-codec.md",
        checks={Actor.AMI_NETWORK: (legs.forwarded_once(legs.LEG_3),)},
        needs=(Point.LEG,),
        sees=(3, (2, 1)),
    ),
    Clause(
        id="UC2.7-03-TIMELY",
        text="The window left is what is left of the window ordered; what is over does not go on.",
        origin="UC",
        citation="AEP use case 2.7, row 3: a time-based window",
        checks={Actor.AMI_NETWORK: (legs.forwarded_in_time(legs.LEG_3),)},
        needs=(Point.LEG,),
        sees=(3, (2, 1)),
    ),
    Clause(
        id="UC2.7-03-UNDELIVERABLE",
        text="An order that cannot go on is reported back, and not swallowed.",
        origin="PROFILE",
        citation="docs/leg-codec.md",
        checks={Actor.AMI_NETWORK: (legs.undeliverable_is_reported(legs.LEG_3),)},
        needs=(Point.LEG,),
        sees=(3, (2, 1)),
    ),
    Clause(
        id="UC2.7-03-CONFIDENTIAL",
        text="Key material is not written into the producer's log in clear text.",
        origin="PROFILE",
        citation="docs/leg-codec.md",
        checks={Actor.AMI_NETWORK: (legs.key_is_not_logged(legs.LEG_3),)},
        needs=(Point.LEG, Point.LOG),
        sees=((2, 1),),
    ),
)
