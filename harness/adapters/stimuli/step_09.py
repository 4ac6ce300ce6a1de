"""What is asked and offered in step 9: prices, load control events, messages, meter readings, rightly and wrongly secured.

Offers go from the ESI to the device's client. An offer's times are seconds from when it is sent; 0 means now.
"""

from __future__ import annotations

from functools import partial

from dissectors import zcl
from dissectors.clusters import drlc, messaging, metering, price
from dissectors.clusters.drlc import Criticality, EventControl
from dissectors.layer import Record, encode
from dissectors.smart_energy import HOME_AUTOMATION
from harness.adapters.stimuli import ANSWER, Stimulus, secured
from harness.stack.conversation import Pause, Script, Tell, ZclQuestion
from harness.stack.general_commands import values
from harness.stack.programme import EVERY_CLASS, SECONDS_A_MINUTE
from harness.stack.stimulus import Asker, Made

LOAD_CONTROL, PRICE = drlc.CLUSTER.identifier, price.CLUSTER.identifier
MESSAGING, METERING = messaging.CLUSTER.identifier, metering.CLUSTER.identifier
LONGEST_WATCHED = 10  # minutes: a longer event is not watched to its end
RANDOMISED_EVENTS = 4  # so many that start at once without being shifted by chance are no chance
CLIENT_ATTRIBUTES = (
    drlc.UTILITY_ENROLLMENT_GROUP, drlc.START_RANDOMIZE_MINUTES, drlc.STOP_RANDOMIZE_MINUTES, drlc.DEVICE_CLASS_VALUE,
)
A_DAY = 86_400
A_YEAR = 365 * A_DAY
A_MINUTE = 1
A_GROUP = 1


# -- what a device asks of the ESI


def _ask(asker: Asker, cluster: int, question: Record, under: str | None) -> Script:
    yield from asker.find(cluster)
    yield asker.command(asker.path(cluster), question, security=secured(under))
    yield ANSWER


def _events(asker: Asker, number: int = 0, under: str | None = None) -> Script:
    yield from _ask(asker, LOAD_CONTROL, drlc.GetScheduledEvents.of(start_time=0, number_of_events=number), under)


def _events_of_next_year(asker: Asker) -> Script:
    """Nobody has an event a year ahead."""
    yield from asker.find(LOAD_CONTROL)
    path = asker.path(LOAD_CONTROL)
    yield asker.command(path, lambda utc: drlc.GetScheduledEvents.of(start_time=utc + A_YEAR, number_of_events=0))
    yield ANSWER


def _current_price(asker: Asker, under: str | None = None) -> Script:
    yield from _ask(asker, PRICE, price.GetCurrentPrice.of(requestor_rx_on_when_idle=1), under)


def _scheduled_prices(asker: Asker, number: int = 0) -> Script:
    yield from _ask(asker, PRICE, price.GetScheduledPrices.of(start_time=0, number_of_events=number), None)


def _last_message(asker: Asker, under: str | None = None) -> Script:
    yield from _ask(asker, MESSAGING, messaging.GetLastMessage.of(), under)


def _meter(asker: Asker, under: str | None = None) -> Script:
    mandatory = (number for number, declared in metering.CLUSTER.attributes.items() if declared.mandatory)
    yield from _ask(asker, METERING, zcl.ReadAttributes.of(attributes=(*mandatory, *metering.PARTIAL_PROFILE)), under)


def _leave(asker: Asker) -> Script:
    yield Tell(lambda now: asker.application.core.ask_to_leave(asker.partner.address, now))
    yield ANSWER


# -- load control events


def _of(utc: int, number: int, starts_in: int, minutes: int, **fields: int) -> Record:
    """An event for every device; `number` tells the events of one script apart."""
    return drlc.LoadControlEvent.of(**{
        "issuer_event_id": utc + number, "device_class": EVERY_CLASS, "start_time": utc + starts_in if starts_in else 0,
        "duration_in_minutes": minutes, "criticality_level": Criticality.LEVEL_1, "duty_cycle": 50, **fields,
    })


def _send(
    asker: Asker, cluster: int, made: Made, *, silent: bool = True, kept: bool = False, under: str | None = None,
) -> Tell:
    """Send the device's client of a cluster what is made of the time then."""
    path = asker.path(cluster, to_server=False)
    return asker.command(path, made, security=secured(under), silent=silent, kept=kept)


def _course(starts_in: int, minutes: int) -> Script:
    """Until the event is over and reported; a long one is only seen to begin."""
    watched = minutes * SECONDS_A_MINUTE if minutes <= LONGEST_WATCHED else 0
    yield Pause(float(starts_in + watched))
    yield ANSWER


def _event(
    asker: Asker, starts_in: int = 0, minutes: int = A_MINUTE, criticality: int = Criticality.LEVEL_1, silent: bool = True,
    under: str | None = None,
) -> Script:
    yield _send(
        asker, LOAD_CONTROL, lambda utc: _of(utc, 0, starts_in, minutes, criticality_level=criticality),
        silent=silent, kept=under is None, under=under,
    )
    yield from _course(starts_in, minutes)


def _event_ahead(asker: Asker, days: int = 1) -> Script:
    """An event so far ahead that it is pending for the rest of a run."""
    yield _send(asker, LOAD_CONTROL, lambda utc: _of(utc, 0, days * A_DAY, A_MINUTE), kept=True)
    yield ANSWER


def _event_for_others(asker: Asker) -> Script:
    """The device says which class it is; the event is for all the others."""
    answer = yield _client_attributes(asker)
    own = values(answer).get(drlc.DEVICE_CLASS_VALUE, 0)
    yield _send(asker, LOAD_CONTROL, lambda utc: _of(utc, 0, 0, A_MINUTE, device_class=EVERY_CLASS & ~own), silent=False)
    yield from _course(0, A_MINUTE)


def _event_for_another_group(asker: Asker) -> Script:
    """The device is put into a group; the event is for another one."""
    path = asker.path(LOAD_CONTROL, to_server=False)
    group = zcl.AttributeValue.of(attribute=drlc.UTILITY_ENROLLMENT_GROUP, type=zcl.DataType.UINT8, value=A_GROUP)
    yield ZclQuestion(path, zcl.WriteAttributes.of(records=(group,)))
    yield _client_attributes(asker)
    yield _send(
        asker, LOAD_CONTROL, lambda utc: _of(utc, 0, 0, A_MINUTE, utility_enrollment_group=A_GROUP + 1), silent=False,
    )
    yield from _course(0, A_MINUTE)


def _in_another_profile(asker: Asker) -> Script:
    """A load control command in a profile that has no load control: an event, or the question for events."""
    to_server = LOAD_CONTROL not in asker.partner.clients
    path = asker.path(LOAD_CONTROL, to_server)
    yield asker.command(
        path,
        lambda utc: drlc.GetScheduledEvents.of() if to_server else _of(utc, 0, 0, A_MINUTE), profile=HOME_AUTOMATION,
    )
    yield from _course(0, A_MINUTE)


def _event_twice(asker: Asker) -> Script:
    sent: list[Record] = []

    def made(utc: int) -> Record:
        sent.append(sent[0] if sent else _of(utc, 0, SECONDS_A_MINUTE, A_MINUTE))
        return sent[0]

    yield _send(asker, LOAD_CONTROL, made)
    yield ANSWER
    yield _send(asker, LOAD_CONTROL, made)
    yield from _course(SECONDS_A_MINUTE, A_MINUTE)


def _cancelled(asker: Asker, starts_in: int, control: int = 0) -> Script:
    """An event of ten minutes, cancelled soon after it was sent."""
    identity: list[int] = []

    def event(utc: int) -> Record:
        identity.append(utc)
        return _of(utc, 0, starts_in, LONGEST_WATCHED)

    yield _send(asker, LOAD_CONTROL, event)
    yield ANSWER
    yield _send(
        asker, LOAD_CONTROL, lambda utc: drlc.CancelLoadControlEvent.of(
            issuer_event_id=identity[0], device_class=EVERY_CLASS, cancel_control=control,
        ),
    )
    yield from _course(starts_in, LONGEST_WATCHED)


def _all_cancelled(asker: Asker) -> Script:
    yield _send(asker, LOAD_CONTROL, lambda utc: _of(utc, 0, SECONDS_A_MINUTE, A_MINUTE))
    yield ANSWER
    yield _send(asker, LOAD_CONTROL, lambda utc: drlc.CancelAllLoadControlEvents.of())
    yield from _course(SECONDS_A_MINUTE, A_MINUTE)


def _unknown_cancelled(asker: Asker, event: int) -> Script:
    yield _send(
        asker, LOAD_CONTROL, lambda utc: drlc.CancelLoadControlEvent.of(issuer_event_id=event, device_class=EVERY_CLASS),
    )
    yield ANSWER


def _superseded(asker: Asker, starts_in: int) -> Script:
    """An event, and a newer one that overlaps it: 0 lets the older one run already."""
    half = LONGEST_WATCHED // 2 * SECONDS_A_MINUTE
    yield _send(asker, LOAD_CONTROL, lambda utc: _of(utc, 0, starts_in, LONGEST_WATCHED))
    yield ANSWER
    yield _send(asker, LOAD_CONTROL, lambda utc: _of(utc, 1, half, A_MINUTE))
    yield from _course(half, A_MINUTE)


def _randomised(asker: Asker) -> Script:
    """Events that begin now, shifted by up to a minute; a device that keeps its own limits is measured by those."""
    path = asker.path(LOAD_CONTROL, to_server=False)
    minutes = zcl.AttributeValue.of(attribute=drlc.START_RANDOMIZE_MINUTES, type=zcl.DataType.UINT8, value=A_MINUTE)
    yield ZclQuestion(path, zcl.WriteAttributes.of(records=(minutes,)))
    answer = yield _client_attributes(asker)
    limit = values(answer).get(drlc.START_RANDOMIZE_MINUTES, drlc.MAXIMUM_RANDOMIZE_MINUTES)
    for _ in range(RANDOMISED_EVENTS):
        yield _send(asker, LOAD_CONTROL, lambda utc: _of(utc, 0, 0, A_MINUTE, event_control=EventControl.RANDOMIZE_START))
        yield Pause(float(limit * SECONDS_A_MINUTE))
        yield from _course(0, A_MINUTE)


def _client_attributes(asker: Asker) -> ZclQuestion:
    path = asker.path(LOAD_CONTROL, to_server=False)
    return ZclQuestion(path, zcl.ReadAttributes.of(attributes=CLIENT_ATTRIBUTES))


# -- prices and messages


def _price(utc: int, label: bytes, **fields: int) -> Record:
    return price.PublishPrice.of(**{
        "provider_id": 1, "rate_label": label, "issuer_event_id": utc, "current_time": utc, "price_trailing_digit": 2,
        "price_tier": 1, "number_of_price_tiers": 3, "start_time": utc, "price": 15, **fields,
    })


def _publish_price(asker: Asker, label: bytes = b"PEAK", cents: int = 15, silent: bool = False) -> Script:
    yield _send(asker, PRICE, lambda utc: _price(utc, label, price=cents), silent=silent)
    yield ANSWER


def _price_of_a_later_revision(asker: Asker, octets: bytes) -> Script:
    """Publish Price with the fields that r15 and 1.1 appended, and more that nobody knows."""

    def whole(utc: int) -> Record:
        later = _price(
            utc, b"PEAK", alternate_cost_delivered=price.NO_PRICE, alternate_cost_unit=price.NO_UNIT,
            alternate_cost_trailing_digit=price.NO_DIGITS, number_of_block_thresholds=0, price_control=0,
        )
        return zcl.UnknownCommand.of(octets=encode(later) + octets)

    yield asker.command(asker.path(PRICE, to_server=False), whole, like=price.PublishPrice)
    yield ANSWER


def _message(asker: Asker, text: bytes, confirmed: bool = True, minutes: int = A_MINUTE, silent: bool = False) -> Script:
    yield _send(
        asker, MESSAGING, lambda utc: messaging.DisplayMessage.of(
            message_id=utc, confirmation_required=int(confirmed), importance=messaging.Importance.HIGH, start_time=0,
            duration_in_minutes=minutes, message=text,
        ), silent=silent,
    )
    yield Pause(float(minutes * SECONDS_A_MINUTE))
    yield ANSWER


STIMULI = (
    Stimulus("events", "which events are scheduled", _events, ("M-36", "M-38")),
    Stimulus("events-of-next-year", "which events are scheduled from a year ahead", _events_of_next_year),
    Stimulus("current-price", "the price now", _current_price),
    Stimulus("scheduled-prices", "the prices to come", _scheduled_prices),
    Stimulus("last-message", "the last message", _last_message),
    Stimulus("meter", "the mandatory attributes of the meter, and those that a draft numbered otherwise", _meter, ("M-57",)),
    Stimulus("leave-of-the-partner", "a NWK Leave that asks the node to leave", _leave, ("M-45",)),
    Stimulus("event", "a load control event", _event, ("M-36", "M-37", "M-38", "M-49", "M-53", "M-55")),
    Stimulus("event-ahead", "an event of the next day", _event_ahead),
    Stimulus("event-of-the-day-after", "an event of the day after next", partial(_event_ahead, days=2)),
    Stimulus("event-for-others", "an event for all device classes but the device's own", _event_for_others, ("M-50",)),
    Stimulus("event-for-another-group", "an event for another enrolment group than the device's", _event_for_another_group, ("M-50",)),
    Stimulus("in-another-profile", "a load control command in another profile", _in_another_profile, ("M-40",)),
    Stimulus("event-twice", "one event, sent twice", _event_twice, ("M-51",)),
    Stimulus("event-cancelled", "an event, cancelled soon after", _cancelled),
    Stimulus("all-events-cancelled", "an event, and Cancel All soon after", _all_cancelled),
    Stimulus("unknown-event-cancelled", "the cancelling of an event that was never sent", _unknown_cancelled),
    Stimulus("event-superseded", "an event, and a newer one that overlaps it", _superseded, ("M-52",)),
    Stimulus("events-randomised", "events whose start is to be shifted by chance", _randomised, ("M-54",)),
    Stimulus("price", "a price without the fields that r15 appended", _publish_price, ("M-48",)),
    Stimulus("price-of-a-later-revision", "a price with fields that later revisions appended", _price_of_a_later_revision, ("M-48",)),
    Stimulus("message", "a message", _message),
)
