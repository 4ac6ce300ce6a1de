"""Step 6: ESI -> HAN Device: admission with network key, short address and PAN ID."""

from __future__ import annotations

from harness.checkers import admission
from harness.usecase import Actor, Clause, Point, Step

ROW = Step(
    number=6,
    description=(
        "Verifies that the HAN Device is authorised and answers with network and commissioning information; "
        "the device is joined to the HAN."
    ),
    information="Network key, 16-bit short address and PAN ID.",
    producer=Actor.ESI,
    receiver=Actor.HAN_DEVICE,
    message_type="ZigBee, SEP 1.0",
)

CLAUSES = (
    Clause(
        id="UC2.7-06-AUTHORISED",
        text="A device that nobody ordered gets no network key.",
        origin="SE",
        citation="SE 1.0 (075356r15) 5.4.1; 05-3474r17 4.6.3.2.2.1",
        checks={Actor.ESI: (admission.only_the_ordered_device_gets_a_key,)},
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-06-SHORT-ADDRESS",
        text="The device is given a short address of its own, 0001 to fff7.",
        origin="ZB",
        citation="05-3474r17 3.6.1.4.1; 802.15.4-2006 7.3.2.2",
        checks={Actor.ESI: (admission.short_addresses_are_unique_and_unicast,)},
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-06-KEY-SEALED",
        text="The network key travels under the key-transport key made from the device's pre-configured link key.",
        origin="SE",
        citation="05-3474r17 4.4.1.1, 4.5.3; SE 1.0 5.4.1",
        checks={Actor.ESI: (admission.network_key_is_sealed_for_the_joiner,)},
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-06-JOINED",
        text="With its key, the device announces itself, NWK-secured and by unicast to its parent, with its own addresses.",
        origin="ZB",
        citation="05-3474r17 2.4.3.1.11, 3.6.5; 08006r03 AZD17",
        checks={Actor.HAN_DEVICE: (admission.device_announces_itself,)},
        needs=(Point.MAC,),
    ),
)
