"""Step 9: HAN Device <-> ESI: application information."""

from __future__ import annotations

from collections.abc import Mapping

from harness.checkers import application_security, attributes, leaving, load_changes, load_control, offers
from harness.checkers.dialogue import of, of_both
from harness.usecase import Actor, Clause, Point, Step, Timed

ROW = Step(
    number=9,
    description="Requests and receives current and pending application information.",
    information=(
        "Messages and attributes both sides support: text messages, prices, load control events, metering "
        "reads."
    ),
    producer=Actor.HAN_DEVICE,
    receiver=Actor.ESI,
    message_type="ZigBee, SEP 1.0",
    open_item=(
        "The assumption on the metering cluster gates 09-METERING only; a load control device has no metering "
        "cluster."
    ),
)

CLAUSES = (
    Clause(
        id="UC2.7-09-LINK-KEY-REQUIRED",
        text="Application data but of Basic, Power Configuration, Identify, Alarms, Key Establishment is APS-secured.",
        origin="SE",
        citation="SE 1.0 (075356r15) 5.4.6",
        checks=of_both(application_security.data_is_sealed),
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-09-REFUSES-UNSECURED",
        text="Such data under the network key alone draws Default Response FAILURE and has no effect.",
        origin="SE",
        citation="SE 1.0 (075356r15) 5.4.6",
        checks=of_both(application_security.unsealed_data_is_refused),
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-09-NOT-INSTALL-KEY",
        text="Application data is neither sent nor taken under the key made from the install code.",
        origin="SE",
        citation="SE 1.0 (075356r15) 5.4.6, 5.4.7",
        checks=of_both(application_security.install_code_key_is_retired),
        needs=(Point.MAC,),
        open_item="Sources differ on whether data under the install-code key is refused or passed over in silence; both pass.",
    ),
    Clause(
        id="UC2.7-09-SAME-SECURITY",
        text="An answer is secured like its question.",
        origin="SE",
        citation="SE 1.0 (075356r15) 5.4.6",
        checks=of_both(application_security.answers_are_sealed_like_questions),
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-09-NETWORK-KEY-ENOUGH",
        text="Basic and the other clusters that need no link key are answered under the network key.",
        origin="SE",
        citation="SE 1.0 (075356r15) 5.4.6",
        checks=of_both(application_security.network_key_is_enough),
        needs=(Point.MAC,),
        open_item=(
            "Stacks of that time refuse Basic under the link key: that is noted. One later stack counts Alarms among the "
            "clusters that need it and Time among those that do not; three others are followed."
        ),
    ),
    Clause(
        id="UC2.7-09-PROFILE",
        text="A Smart Energy command that comes in another profile has no effect; the wildcard profile is nobody's fail.",
        origin="ZB",
        citation="05-3474r17 2.2.4.1, 2.4.4.1.7.1",
        checks=of_both(application_security.other_profiles_have_no_effect),
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-09-PRICE",
        text="The HAN Device asks for the price and takes it; the ESI gives one that is legal and in force.",
        origin="SE",
        citation="AEP use case 2.7, row 9; SE 1.0 (075356r15) D.2",
        checks={**of(Actor.ESI, offers.price_is_given), **of(Actor.HAN_DEVICE, offers.price_is_asked_for)},
        needs=(Point.MAC,),
        pics="price",
        timed=Timed.CLOCK,
    ),
    Clause(
        id="UC2.7-09-PRICE-NEW-FIELDS",
        text="A price with fields that later revisions appended is taken like any other.",
        origin="SE",
        citation="SE 1.0 (075356r15) D.2.2.3",
        checks=of(Actor.HAN_DEVICE, offers.later_price_fields_are_tolerated),
        needs=(Point.MAC,),
        pics="price",
    ),
    Clause(
        id="UC2.7-09-EVENTS",
        text="The HAN Device asks which events are scheduled; the ESI gives each that is pending.",
        origin="SE",
        citation="AEP use case 2.7, row 9; SE 1.0 (075356r15) D.3",
        checks={**of(Actor.ESI, load_control.events_are_given), **of(Actor.HAN_DEVICE, load_control.events_are_asked_for)},
        needs=(Point.MAC,),
        timed=Timed.CLOCK,
    ),
    Clause(
        id="UC2.7-09-EVENT-STATUS",
        text="An event that concerns the device is reported received, started and completed, with its identifier and the time.",
        origin="SE",
        citation="SE 1.0 (075356r15) D.3",
        checks=of(Actor.HAN_DEVICE, load_control.events_are_reported),
        needs=(Point.MAC,),
        timed=Timed.CLOCK,
    ),
    Clause(
        id="UC2.7-09-EVENT-SIGNATURE",
        text="A report that is signed can be verified; one that is not says so and carries all ones.",
        origin="SE",
        citation="SE 1.0 (075356r15) D.3; dropped by SE 1.1",
        checks=of(Actor.HAN_DEVICE, load_changes.reports_are_signed),
        needs=(Point.MAC,),
        open_item=(
            "One source says that SE 1.0 asks for a signature, 1.1 dropped it, and what it covers is open: a missing one is a "
            "fail only where the PICS claims it."
        ),
    ),
    Clause(
        id="UC2.7-09-CANCEL",
        text="A cancelled event ends and is reported cancelled; a cancel that is not possible is refused.",
        origin="SE",
        citation="SE 1.0 (075356r15) D.3",
        checks=of(Actor.HAN_DEVICE, load_changes.cancelled_events_end),
        needs=(Point.MAC,),
        timed=Timed.CLOCK,
    ),
    Clause(
        id="UC2.7-09-SUPERSEDE",
        text="A newer event that overlaps ends the older one: at once where that has not begun, else just before.",
        origin="SE",
        citation="SE 1.0 (075356r15) D.3",
        checks=of(Actor.HAN_DEVICE, load_changes.superseded_events_end),
        needs=(Point.MAC,),
        timed=Timed.CLOCK,
    ),
    Clause(
        id="UC2.7-09-OPT-OUT",
        text="An event declined before its start is reported so at its start, one declined later at once.",
        origin="SE",
        citation="SE 1.0 (075356r15) D.3",
        checks=of(Actor.HAN_DEVICE, load_changes.declined_events_are_reported),
        needs=(Point.MAC,),
        pics="opt_out",
        timed=Timed.CLOCK,
    ),
    Clause(
        id="UC2.7-09-RANDOMISATION",
        text="A start that is to be randomised lies inside the device's limit and is left to chance.",
        origin="SE",
        citation="SE 1.0 (075356r15) D.3",
        checks=of(Actor.HAN_DEVICE, load_changes.starts_are_shifted_by_chance),
        needs=(Point.MAC,),
        timed=Timed.CLOCK,
    ),
    Clause(
        id="UC2.7-09-DURATION",
        text="An event of up to 1440 minutes and of any criticality that is not reserved is taken; any other is not executed.",
        origin="SE",
        citation="SE 1.0 (075356r15) D.3",
        checks=of(Actor.HAN_DEVICE, load_control.events_beyond_limits_are_refused),
        needs=(Point.MAC,),
        open_item="What a device does whose table of events is full, reject the new one or give up an old one, is open: noted.",
    ),
    Clause(
        id="UC2.7-09-DEVICE-CLASS",
        text="An event for other device classes, or for another enrolment group, is ignored, without an error.",
        origin="SE",
        citation="SE 1.0 (075356r15) D.3",
        checks=of(Actor.HAN_DEVICE, load_control.events_for_others_are_ignored),
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-09-DUPLICATE-EVENT",
        text="An event that comes again is not executed or reported again.",
        origin="SE",
        citation="SE 1.0 (075356r15) D.3",
        checks=of(Actor.HAN_DEVICE, load_control.events_are_executed_once),
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-09-MESSAGE",
        text="The HAN Device asks for the last message and takes it; the ESI gives one that is legal and in force.",
        origin="SE",
        citation="AEP use case 2.7, row 9; SE 1.0 (075356r15) D.5",
        checks={**of(Actor.ESI, offers.message_is_given), **of(Actor.HAN_DEVICE, offers.message_is_asked_for)},
        needs=(Point.MAC,),
        pics="messaging",
        timed=Timed.CLOCK,
    ),
    Clause(
        id="UC2.7-09-CONFIRMATION",
        text="A message that asks for it is confirmed once, by its identifier; no other is.",
        origin="SE",
        citation="SE 1.0 (075356r15) D.5",
        checks=of(Actor.HAN_DEVICE, offers.messages_are_confirmed),
        needs=(Point.MAC,),
        pics="messaging",
        timed=Timed.CLOCK,
    ),
    Clause(
        id="UC2.7-09-METERING",
        text="The HAN Device reads the meter; the ESI answers with attributes of the right types.",
        origin="UC",
        citation="AEP use case 2.7, row 9 and last assumption; SE 1.0 (075356r15) D.4",
        checks={**of(Actor.ESI, attributes.meter_is_read), **of(Actor.HAN_DEVICE, offers.meter_is_asked_for)},
        needs=(Point.MAC,),
        pics="metering",
        open_item="The last assumption has thermostat and switch support the metering cluster; SE 1.0 gives a switch none.",
    ),
    Clause(
        id="UC2.7-09-NONE-PENDING",
        text="A request to which there is nothing to give draws NOT_FOUND, or silence.",
        origin="SE",
        citation="SE 1.0 (075356r15) D.2, D.3, D.5",
        checks=of(Actor.ESI, offers.nothing_pending_is_said_so),
        needs=(Point.MAC,),
    ),
    Clause(
        id="UC2.7-09-LEAVE-IGNORED",
        text="After registration a NWK Leave is not obeyed, but for an end device's from its parent.",
        origin="SE1.1",
        citation="SE 1.1 (075356r16) 5.5.5; for 1.0: 08006r03, item NLF130",
        checks=of_both(leaving.leave_is_ignored),
        needs=(Point.MAC,),
        pics="smart_energy_1_1",
        open_item="A device of r17 must process a NWK Leave from its parent: of Smart Energy 1.0 nothing is asked here.",
    ),
)

WITHOUT_NEGATIVE: Mapping[str, str] = {
    f"UC2.7-09-{name}@{Actor.HAN_DEVICE}": (
        "what the device asks for by itself the undisturbed run shows, and nothing that our side does wrong keeps it from asking"
    )
    for name in ("EVENTS", "METERING")
}
"""By clause and actor: why no arranged case asks it."""

WITHOUT_DEFECT: Mapping[str, str] = {
    "UC2.7-09-LEAVE-IGNORED@HAN Device": (
        "an end device may obey its parent, which the ESI is, and no virtual device under judgement is a router"
    ),
}
"""By clause and actor: why no defect of CI's bench can make it fail."""
