"""Step 7: HAN Device <-> ESI: commissioning."""

from __future__ import annotations

from collections.abc import Mapping

from harness.checkers import attributes, descriptors, discovery, foundation, poll_rate, transfer
from harness.checkers.dialogue import of, of_both
from harness.usecase import Actor, Clause, Point, Step

ROW = Step(
    number=7,
    description=(
        "Identifies itself and requests attributes and clusters, negotiates the message size; application "
        "binding is completed."
    ),
    information=(
        "For each endpoint: message size, attributes and clusters of each interface, with time and time "
        "status."
    ),
    producer=Actor.HAN_DEVICE,
    receiver=Actor.ESI,
    message_type="ZigBee, SEP 1.0",
    open_item=(
        "Row 7 stands before row 8, but Time needs the key of step 8; discovery of Key Establishment precedes "
        "step 8."
    ),
)

CLAUSES = (
    Clause(
        id="UC2.7-07-NODE-DESC",
        text="A node descriptor says what the node is, as it joined; somebody else's is refused with the fitting status.",
        origin="ZB",
        citation="05-3474r17 2.3.2.3, 2.4.4.1.3",
        checks=of_both(descriptors.node_descriptor),
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-07-ACTIVE-EP",
        text="The active endpoints are told: at least one, 1 to 240, ascending.",
        origin="ZB",
        citation="05-3474r17 2.4.4.1.6",
        checks=of_both(descriptors.active_endpoints),
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-07-SIMPLE-DESC",
        text=(
            "The simple descriptors of profile 0109 make the device that is claimed, its mandatory clusters on their sides; "
            "an endpoint that is not there is refused."
        ),
        origin="SE",
        citation="SE 1.0 (075356r15) 6; 05-3474r17 2.3.2.5, 2.4.4.1.5",
        checks=of_both(descriptors.simple_descriptors),
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-07-MATCH-DESC",
        text="Match_Desc names the endpoints that serve what is looked for in profile 0109, and never one for another profile.",
        origin="ZB",
        citation="05-3474r17 2.4.4.1.7.1",
        checks=of_both(discovery.matching),
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-07-BASIC",
        text="Basic has ZCLVersion, PowerSource and DeviceEnabled, each with its type.",
        origin="ZCL",
        citation="ZCL 075123 3.2.2.2",
        checks=of_both(attributes.basic_is_complete),
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-07-SUITE",
        text="Attribute 0000 of Key Establishment names crypto suite 1; the value 0 of old stacks is reported as a deviation.",
        origin="SE",
        citation="SE 1.0 (075356r15) C.3.1.2",
        checks={
            **of(Actor.ESI, attributes.suite_is_the_first),
            **of(Actor.HAN_DEVICE, attributes.suite_is_the_first, attributes.missing_suite_is_survived),
        },
        needs=(Point.MAC,),
        open_item="Lists differ on its type, enumeration or bitmap of 16 bits: both pass.",
    ),
    Clause(
        id="UC2.7-07-TIME",
        text="The ESI's time is valid and runs; the HAN Device reads it, and not more than once in 24 hours.",
        origin="SE",
        citation="SE 1.0 (075356r15) 5.4.2; ZCL 075123 3.12.2.2",
        checks={
            **of(Actor.ESI, attributes.time_is_told), **of(Actor.HAN_DEVICE, attributes.time_is_read_once_a_day),
        },
        needs=(Point.MAC,),
        open_item="Row 7 asks for time and time status, which need the key of row 8.",
    ),
    Clause(
        id="UC2.7-07-TIME-STATUS",
        text="The ESI says whether it is a master; the HAN Device uses no time of one neither Master nor Synchronized.",
        origin="ZCL",
        citation="ZCL 075123 3.12.2.2.2; SE 1.0 (075356r15) 5.4.2",
        checks={
            **of(Actor.ESI, attributes.time_status_is_right), **of(Actor.HAN_DEVICE, attributes.untrusted_time_is_not_used),
        },
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-07-TRANSFER-SIZE",
        text="128 octets or more can be received, and nothing is sent that is longer than its addressee can receive.",
        origin="SE",
        citation="SE 1.0 (075356r15) table 5-8; 05-3474r17 2.3.2.3.9",
        checks=of_both(transfer.transfer_size_is_advertised, transfer.transfer_size_is_respected),
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-07-FRAGMENTS",
        text=(
            "A long message goes in numbered blocks, one at a time, each acknowledged, sent again where it is not, and secured "
            "like the first; one whose blocks are secured differently is not taken."
        ),
        origin="SE",
        citation="05-3474r17 2.2.8.4.5; SE 1.0 (075356r15) table 5-8",
        checks=of_both(
            transfer.blocks_are_right, transfer.lost_blocks_are_sent_again, transfer.blocks_are_taken,
            transfer.mixed_blocks_have_no_effect,
        ),
        needs=(Point.MAC,),
        pics="fragmentation",
        open_item="Stacks differ in the window of blocks; the profile's window of 1 is what is judged.",
    ),
    Clause(
        id="UC2.7-07-BIND",
        text="A binding is accepted or refused with a status; a HAN Device whose binding is refused goes on.",
        origin="ZB",
        citation="05-3474r17 2.4.4.2.2; 08006r03 ALF3",
        checks={
            **of(Actor.ESI, discovery.bindings),
            **of(Actor.HAN_DEVICE, discovery.bindings, discovery.refused_binding_is_survived),
        },
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-07-ENDPOINTS",
        text="Endpoints of the partner are discovered, never taken for granted.",
        origin="SE",
        citation="SE 1.0 (075356r15) 5.5, 6.3",
        checks=of_both(discovery.endpoints_are_discovered),
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-07-UNSUPPORTED",
        text="An attribute, command, cluster or ZDP request that is not there draws the status that says so.",
        origin="ZCL",
        citation="ZCL 075123 2.4.1.3, 2.5.3; 05-3474r17 2.4.4",
        checks=of_both(foundation.what_is_not_there_is_refused),
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-07-DEFAULT-RESPONSE",
        text="A Default Response is sent where it is due, and nowhere else.",
        origin="ZCL",
        citation="ZCL 075123r03 2.4.12.2",
        checks=of_both(foundation.default_responses),
        needs=(Point.MAC,),
        open_item="The rule was tested strictly only from ZCL r03 on: before, a missing one is a note.",
    ),
    Clause(
        id="UC2.7-07-MALFORMED",
        text="A message that cannot be read is refused or passed over, and the next one is answered.",
        origin="ZCL",
        citation="ZCL 075123 2.5.3; 05-3474r17 2.4.4",
        checks=of_both(foundation.unreadable_is_survived),
        needs=(Point.MAC,),
        survives=True,
    ),
    Clause(
        id="UC2.7-07-POLL-RATE",
        text="A sleepy device that expects nothing polls no more often than every 7.5 s; more often is noted.",
        origin="ZB",
        citation="08006r03 7.7, item NLF17",
        checks=of(Actor.HAN_DEVICE, poll_rate.quiet_polls),
        level="SHOULD",
        needs=(Point.MAC,),
        pics="sleepy",
        open_item="The profile calls 7.5 s a loose limit and one vendor calls it a rule: a deviation is noted, never failed.",
    ),
)

WITHOUT_NEGATIVE: Mapping[str, str] = {
    f"UC2.7-07-ENDPOINTS@{actor}": "every run puts the question: the bench's own nodes have none of the endpoints that are usual"
    for actor in (Actor.ESI, Actor.HAN_DEVICE)
}
"""By clause and actor: why no arranged case asks it."""

WITHOUT_DEFECT: Mapping[str, str] = {
    "UC2.7-07-POLL-RATE@HAN Device": (
        "7.5 s is a recommendation (08006r03, 7.7), so that no polling is wrong; 07-device-polls-fast is seen to be noted"
    ),
}
"""By clause and actor: why no defect can make it fail."""
