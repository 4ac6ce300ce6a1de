"""Step 6: ESI -> HAN Device: admission with network key, short address and PAN ID."""

from __future__ import annotations

from harness.checkers import admission, freshness, link_freshness, membership, staying, tunnel
from harness.checkers.apart import Together
from harness.usecase import Actor, Clause, Point, Step, Timed

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

BOTH = (Actor.ESI, Actor.HAN_DEVICE)

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
        checks={Actor.ESI: (Together(admission.short_addresses_are_unique_and_unicast),)},
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-06-PAN",
        text="The association response and every frame after it name the PAN that the device asked to be let into.",
        origin="UC",
        citation="AEP use case 2.7, row 6: PAN ID; 802.15.4-2006 7.3.2.1; 05-3474r17 annex D.3",
        checks={Actor.ESI: (admission.pan_is_the_same_throughout,)},
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
        id="UC2.7-06-KEY-NEVER-CLEAR",
        text="The network key is never sent unprotected, nor under a key that everybody knows.",
        origin="SE",
        citation="SE 1.0 (075356r15) 5.4.1; 05-3474r17 4.4.9.2",
        checks={Actor.ESI: (admission.network_key_is_never_in_the_clear,)},
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-06-KEY-AGAIN",
        text="A device that associates again inside its window is sent the network key again.",
        origin="ZB",
        citation="05-3474r17 4.6.3.2.2.1, 4.4.3.3; SE 1.0 (075356r15) 5.4.1",
        checks={Actor.ESI: (admission.each_association_gets_the_key,)},
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-06-WRONG-CODE",
        text="A device with another install code is not let onto the network in any other way.",
        origin="SE",
        citation="SE 1.0 (075356r15) 5.4.1, 5.4.8.1",
        checks={Actor.ESI: (admission.device_with_another_code_stays_outside,)},
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-06-TUNNEL",
        text="A device that joins through a router is given its network key by Tunnel to that router, and takes it from there.",
        origin="ZB",
        citation="05-3474r17 4.6.3.7, 4.4.9.8, 4.6.3.2.2.1; 08006r03 ASLS19, ASLS20; SE 1.0 (075356r15) 5.4.1",
        checks={
            Actor.ESI: (Together(tunnel.network_key_goes_by_tunnel),),
            Actor.HAN_DEVICE: (Together(tunnel.network_key_is_taken_from_a_router),),
        },
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-06-JOINED",
        text="With its key, the device announces itself, NWK-secured and by unicast to its parent, with its own addresses.",
        origin="ZB",
        citation="05-3474r17 2.4.3.1.11, 3.6.5; 08006r03 AZD17",
        checks={Actor.HAN_DEVICE: (membership.device_announces_itself,)},
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-06-REFUSES-CLEAR-KEY",
        text="The device takes no network key that is not sealed with its own link key.",
        origin="SE",
        citation="SE 1.0 (075356r15) 5.4.1; 05-3474r17 4.4.3.3",
        checks={Actor.HAN_DEVICE: (membership.clear_network_key_is_refused,)},
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-06-LEAVES-WITHOUT-KEY",
        text="A device that was let in and had no key within apsSecurityTimeOutPeriod gives up; it need not say so.",
        origin="ZB",
        citation="05-3474r17 4.6.3.2.3, 4.6.3.2.3.4; 08006r03 table 4, 7.11.1",
        checks={Actor.HAN_DEVICE: (membership.device_without_a_key_gives_up,)},
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-06-COUNTERS",
        text="NWK and APS frame counters rise with every frame under their key, also over a power failure.",
        origin="ZB",
        citation="05-3474r17 4.3.1.1, 4.3.3, 4.4.1.1, 4.4.10, 4.6.3.4.2; 08006r03 7.9",
        checks={
            actor: (freshness.counters_increase(actor), link_freshness.link_counters_increase(actor)) for actor in BOTH
        },
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-06-REPLAY",
        text="What was taken once has no effect when it comes again: a neighbour's frame, or an APS frame in a new one.",
        origin="ZB",
        citation="05-3474r17 4.3.1.2, 4.4.1.2; 08006r03 NLS7",
        checks={
            actor: (
                freshness.replays_have_no_effect(actor), freshness.stale_counters_have_no_effect(actor),
                link_freshness.link_replays_have_no_effect(actor),
            )
            for actor in BOTH
        },
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-06-COUNTER-JUMP",
        text="A frame counter far ahead of the last one, of NWK or of APS, is taken like any other.",
        origin="ZB",
        citation="05-3474r17 4.3.1.2, 4.4.1.2",
        checks={
            actor: (freshness.counter_jumps_are_taken(actor), link_freshness.link_counter_jumps_are_taken(actor))
            for actor in BOTH
        },
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-06-BAD-MIC",
        text="A frame whose MIC is wrong has no effect.",
        origin="ZB",
        citation="05-3474r17 4.3.1.2",
        checks={actor: (freshness.wrong_mics_have_no_effect(actor),) for actor in BOTH},
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-06-ACKNOWLEDGES",
        text="An APS frame that asks for it is acknowledged with its own counter, cluster and profile, the endpoints exchanged.",
        origin="ZB",
        citation="05-3474r17 2.2.5.2.3, 2.2.8.4.3.2, 2.2.8.4.4",
        checks={actor: (link_freshness.acknowledgements_are_right(actor),) for actor in BOTH},
        needs=(Point.MAC,),
        open_item="No clause says that the acknowledgement of an APS-secured frame is APS-secured itself: noted, not judged.",
    ),
    Clause(
        id="UC2.7-06-UNSECURED-COMMANDS",
        text="A network command without NWK security has no effect on a member, nor on the membership of another.",
        origin="ZB",
        citation="05-3474r17 3.6.2.2, 3.6.1.10.3, 4.6.3.6.3",
        checks={
            Actor.ESI: (staying.esi_believes_no_unsecured_leave,), Actor.HAN_DEVICE: (staying.device_obeys_no_unsecured_leave,),
        },
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-06-STAYS",
        text="A device that has registered stays: it does not leave the network by itself.",
        origin="SE",
        citation="SE 1.0 (075356r15) 5.4.1, 5.5; 08006r03 NLF130",
        checks={Actor.HAN_DEVICE: (staying.device_stays,)},
        needs=(Point.MAC,),
        open_item="An r17 device obeys a NWK Leave of its parent, one of SE 1.1 or later ignores it once it has registered.",
    ),
    Clause(
        id="UC2.7-06-UNREGISTERED",
        text="A device that joined and never establishes a link key gets nothing that needs one, and is not called provisioned.",
        origin="SE",
        citation="SE 1.0 (075356r15) 5.4.6, 5.5; AEP use case 2.7, rows 8 and 10",
        checks={Actor.ESI: (staying.unregistered_device_gets_nothing,)},
        needs=(Point.MAC,),
        open_item="Sources differ on how long a trust centre waits until it has such a device leave, 20 or 60 minutes.",
    ),
    Clause(
        id="UC2.7-06-RETURNS",
        text="When its power is back the ESI is the coordinator of the same network, under the same key.",
        origin="ZB",
        citation="05-3474r17 3.6.8, 4.3.3; 08006r03 7.9",
        checks={Actor.ESI: (staying.esi_comes_back,)},
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-06-REJOIN-PACE",
        text="A device whose rejoins are not answered does not besiege the network with them.",
        origin="PROFILE",
        citation="SE 1.0 (075356r15) table 5-2, RejoinInterval and MaxRejoinInterval, which say no least pause",
        checks={Actor.HAN_DEVICE: (staying.rejoins_are_paced,)},
        needs=(Point.MAC,),
        timed=Timed.PACE,
    ),
    Clause(
        id="UC2.7-06-REJOIN",
        text="When its power is back a member rejoins under the network key; an all-zero dummy key that follows is no key.",
        origin="ZB",
        citation="05-3474r17 3.6.1.4.2, 4.6.3.2.2.1; 08006r03 AZD707, NLS5",
        checks={Actor.HAN_DEVICE: (membership.device_rejoins_with_its_key,)},
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-06-KEY-SWITCH",
        text="The device takes a network key update and uses the new key when it is told to.",
        origin="ZB",
        citation="05-3474r17 4.6.3.4.2, 4.4.9.6; 08006r03 ASLS18",
        checks={Actor.HAN_DEVICE: (membership.device_follows_the_new_key,)},
        needs=(Point.MAC,),
    ),
)
