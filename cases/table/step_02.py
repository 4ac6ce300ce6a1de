"""Step 2: AMI Head-End -> AMI Network: the window message is forwarded."""

from __future__ import annotations

from harness.checkers import legs, linkage_chain
from harness.usecase import Actor, Clause, Point, Step

ROW = Step(
    number=2,
    description="Forwards the provisioning window message to the AMI Network.",
    information=(
        "HAN Device MAC address, device type, pre-configured security key, and the command that lets the ESI "
        "enable provisioning."
    ),
    producer=Actor.AMI_HEAD_END,
    receiver=Actor.AMI_NETWORK,
    message_type="Proprietary",
)

CLAUSES = (
    Clause(
        id="UC2.7-02-FORWARDED",
        text="The order goes on with MAC address, device type, key and window unaltered.",
        origin="UC",
        citation="AEP use case 2.7, row 2",
        checks={Actor.AMI_HEAD_END: (legs.forwarded(legs.LEG_2),)},
        needs=(Point.CIM, Point.LEG),
        sees=(2, 1),
    ),
    Clause(
        id="UC2.7-02-TARGET",
        text="The order goes to the meter it was ordered for, and to no other.",
        origin="UC",
        citation="AEP use case 2.7, row 2",
        checks={Actor.AMI_HEAD_END: (legs.addressed(legs.LEG_2),)},
        needs=(Point.CIM, Point.LEG),
        sees=(2, 1),
    ),
    Clause(
        id="UC2.7-02-ONCE",
        text="The order goes on once, however often it came.",
        origin="PROFILE",
        citation="docs/leg-codec.md",
        checks={Actor.AMI_HEAD_END: (legs.forwarded_once(legs.LEG_2),)},
        needs=(Point.CIM, Point.LEG),
        sees=(2, 1),
    ),
    Clause(
        id="UC2.7-02-TIMELY",
        text="The window left is what is left of the window ordered; what is over does not go on.",
        origin="UC",
        citation="AEP use case 2.7, row 2: a time-based window",
        checks={Actor.AMI_HEAD_END: (legs.forwarded_in_time(legs.LEG_2),)},
        needs=(Point.CIM, Point.LEG),
        sees=(2, 1),
    ),
    Clause(
        id="UC2.7-02-UNDELIVERABLE",
        text="An order that was taken and reaches no ESI is told to the DR Application as failed, and not swallowed.",
        origin="PROFILE",
        citation="docs/leg-codec.md; docs/cim-profile.md, steps 13 and 14: x.10.0.85",
        checks={Actor.AMI_HEAD_END: (linkage_chain.undelivered_order_is_told,)},
        needs=(Point.CIM, Point.LEG),
        sees=(2, 13),
    ),
    Clause(
        id="UC2.7-02-CONFIDENTIAL",
        text="Key material is not written into the producer's log in clear text.",
        origin="PROFILE",
        citation="docs/leg-codec.md",
        checks={Actor.AMI_HEAD_END: (legs.key_is_not_logged(legs.LEG_2),)},
        needs=(Point.LEG, Point.LOG),
        sees=(1,),
    ),
)
