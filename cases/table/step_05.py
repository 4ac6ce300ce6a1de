"""Step 5: HAN Device -> ESI: discovery and association."""

from __future__ import annotations

from harness.checkers import network_discovery, scanning
from harness.usecase import Actor, Clause, Point, Step, Timed

ROW = Step(
    number=5,
    description=(
        "The customer installs the HAN Device while the window is active; joining starts automatically or by "
        "a button."
    ),
    information="MAC address of the HAN Device.",
    producer=Actor.HAN_DEVICE,
    receiver=Actor.ESI,
    message_type="ZigBee, SEP 1.0",
)

CLAUSES = (
    Clause(
        id="UC2.7-05-SCANS",
        text="The device looks for networks by active scan, on the preferred channels of Smart Energy first.",
        origin="SE",
        citation="SE 1.0 (075356r15) table 5-2; 08006r03 S3",
        checks={Actor.HAN_DEVICE: (scanning.device_scans,)},
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-05-BUTTON",
        text="Switched on, the device begins to join by itself, or waits for its button: as its PICS says.",
        origin="UC",
        citation="AEP use case 2.7, row 5: joining starts automatically or by a button",
        checks={Actor.HAN_DEVICE: (scanning.device_starts_as_claimed,)},
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-05-BEACON",
        text="The ESI answers beacon requests with the beacon of a ZigBee PRO coordinator.",
        origin="ZB",
        citation="05-3474r17 3.6.7; 802.15.4-2006 7.2.2.1.2; 08006r03 NLF4, CA2",
        checks={Actor.ESI: (network_discovery.beacons_are_right,)},
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-05-CHOOSES",
        text="The device asks only a network that permits association and has room for it.",
        origin="ZB",
        citation="05-3474r17 3.6.1.4.1",
        checks={Actor.HAN_DEVICE: (network_discovery.device_chooses_an_open_network,)},
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-05-ASSOCIATES",
        text="The association request carries the device's own EUI-64 and says truly what the device is.",
        origin="UC",
        citation="AEP use case 2.7, row 5; 802.15.4-2006 7.3.1; 05-3474r17 3.6.1.4.1, annex D.3",
        checks={Actor.HAN_DEVICE: (network_discovery.association_request_is_right,)},
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-05-POLLS",
        text="The device fetches the association response with a data request.",
        origin="MAC",
        citation="802.15.4-2006 7.5.3.1, 7.5.6.3",
        checks={Actor.HAN_DEVICE: (network_discovery.device_polls_for_the_response,)},
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-05-SCAN-ATTEMPTS",
        text="A device that finds no network to join scans at most three times, a second apart, and then backs off.",
        origin="SE",
        citation="SE 1.0 (075356r15) table 5-2",
        checks={Actor.HAN_DEVICE: (scanning.device_scans_with_pauses,)},
        needs=(Point.MAC,),
        timed=Timed.PACE,
    ),
    Clause(
        id="UC2.7-05-CLOSED",
        text="When no window is open no association succeeds; silence is right, a refusal is allowed.",
        origin="MAC",
        citation="802.15.4-2006 7.5.3.1, 7.3.2.3; SE 1.0 (075356r15) 5.4.1",
        checks={Actor.ESI: (network_discovery.nobody_is_let_in_outside_a_window,)},
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-05-CAPACITY",
        text="An ESI that has no room for a further device says so: status 01, short address ffff.",
        origin="MAC",
        citation="802.15.4-2006 7.3.2.2, 7.3.2.3",
        checks={Actor.ESI: (network_discovery.full_network_says_so,)},
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-05-NOT-ELSEWHERE",
        text="Let into another network whose key does not fit its own, the device leaves it again and goes on to its ESI.",
        origin="SE",
        citation="SE 1.0 (075356r15) 5.4.1; 05-3474r17 4.6.3.2.3; 08006r03 table 4",
        checks={Actor.HAN_DEVICE: (network_discovery.device_leaves_a_network_whose_key_does_not_fit,)},
        needs=(Point.MAC,),
    ),
)
