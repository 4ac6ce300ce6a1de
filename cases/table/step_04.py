"""Step 4: NIC -> ESI: the ESI opens the window.

There is no 04-PERMIT-LIMIT: that one permit-join broadcast asks for at most 254 s became a rule after SE 1.0, and no 1.0 ESI is held to
it. What does harm, a window that nobody closes, fails 04-CLOSES.
"""

from __future__ import annotations

from harness.checkers import legs, two_orders, window
from harness.checkers.apart import Together
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
        sees=(4, (3, 2, 1)),
    ),
    Clause(
        id="UC2.7-04-TARGET",
        text="The order goes to the meter it was ordered for, and to no other.",
        origin="UC",
        citation="AEP use case 2.7, row 4",
        checks={Actor.NIC: (legs.addressed(legs.LEG_4), Together(two_orders.hands_on_nothing_of_another_meter))},
        needs=(Point.LEG,),
        sees=(4, (3, 2, 1)),
    ),
    Clause(
        id="UC2.7-04-ONCE",
        text="The order goes on once, however often it came.",
        origin="PROFILE",
        citation="docs/leg-codec.md",
        checks={Actor.NIC: (legs.forwarded_once(legs.LEG_4),)},
        needs=(Point.LEG,),
        sees=(4, (3, 2, 1)),
    ),
    Clause(
        id="UC2.7-04-TIMELY",
        text="The window left is what is left of the window ordered; what is over does not go on.",
        origin="UC",
        citation="AEP use case 2.7, row 4: a time-based window",
        checks={Actor.NIC: (legs.forwarded_in_time(legs.LEG_4),)},
        needs=(Point.LEG,),
        sees=(4, (3, 2, 1)),
    ),
    Clause(
        id="UC2.7-04-UNDELIVERABLE",
        text="An order that cannot go on is reported back, and not swallowed.",
        origin="PROFILE",
        citation="docs/leg-codec.md",
        checks={Actor.NIC: (legs.undeliverable_is_reported(legs.LEG_4),)},
        needs=(Point.LEG,),
        sees=(4, (3, 2, 1)),
    ),
    Clause(
        id="UC2.7-04-CONFIDENTIAL",
        text="Key material is not written into the producer's log in clear text.",
        origin="PROFILE",
        citation="docs/leg-codec.md",
        checks={Actor.NIC: (legs.key_is_not_logged(legs.LEG_4),)},
        needs=(Point.LEG, Point.LOG),
        sees=((3, 2, 1),),
    ),
)

ESI_CLAUSES = (
    Clause(
        id="UC2.7-04-OPENS",
        text="While the window is open the ESI's beacons permit association.",
        origin="UC",
        citation="AEP use case 2.7, row 4; 05-3474r17 3.2.2.5, 3.6.7; 802.15.4-2006 7.2.2.1.2",
        checks={Actor.ESI: (window.window_opens,)},
        needs=(Point.MAC, Point.LEG),
        sees=((4, 3, 2),),
    ),
    Clause(
        id="UC2.7-04-EXTENDS",
        text="A window longer than the 254 s of one permit-join stays open to its end.",
        origin="UC",
        citation="AEP use case 2.7, rows 1 and 4; SE 1.0 (075356r15) 5.4.1; 05-3474r17 2.4.3.3.7",
        checks={Actor.ESI: (window.window_is_extended,)},
        needs=(Point.MAC, Point.LEG),
        sees=((4, 3, 2),),
    ),
    Clause(
        id="UC2.7-04-CLOSES",
        text="Before the window, after its end and after its withdrawal nothing permits association, in beacons or at routers.",
        origin="UC",
        citation="AEP use case 2.7, row 1: a time-based window; SE 1.0 (075356r15) 5.4.1; 05-3474r17 3.6.1.2",
        checks={Actor.ESI: (window.window_closes,)},
        needs=(Point.MAC,),
        sees=(),
    ),
    Clause(
        id="UC2.7-04-AUTHORISES",
        text="The network key goes to the ordered device alone, sealed with the key that came with the order.",
        origin="UC",
        citation="AEP use case 2.7, row 4: MAC address and pre-configured key; SE 1.0 (075356r15) 5.4.1, 5.4.8.1",
        checks={Actor.ESI: (window.only_the_ordered_device_is_admitted,)},
        needs=(Point.MAC,),
        sees=(),
    ),
    Clause(
        id="UC2.7-04-BAD-CODE",
        text="An install code whose length or CRC is wrong is refused, opens no window, and that is reported.",
        origin="SE",
        citation="SE 1.0 (075356r15) 5.4.8.1 as explained by AN708, 12.1",
        checks={Actor.ESI: (window.flawed_code_opens_nothing,)},
        needs=(Point.MAC, Point.LEG),
        pics="esi_install_codes",
        sees=((4, 3, 2), (10, 11, 12)),
    ),
    Clause(
        id="UC2.7-04-OVERLAP",
        text="With several windows open, each device is admitted until the end of its own.",
        origin="UC",
        citation="AEP use case 2.7, rows 1 and 4; SE 1.0 (075356r15) 5.4.1",
        checks={Actor.ESI: (window.each_window_ends_by_itself,)},
        needs=(Point.MAC, Point.LEG),
        sees=((4, 3, 2),),
    ),
    Clause(
        id="UC2.7-04-SURVIVES-RESTART",
        text="A window that was open when the ESI lost power is open again when it is back.",
        origin="PROFILE",
        citation="harness/pics.py, window_survives_restart",
        checks={Actor.ESI: (window.window_survives_a_restart,)},
        needs=(Point.MAC, Point.LEG),
        pics="window_survives_restart",
        sees=((4, 3, 2),),
    ),
)

CLAUSES = NIC_CLAUSES + ESI_CLAUSES
