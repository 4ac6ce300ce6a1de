"""Step 9: prices and messages: what the ESI gives a device that asks, and what the device makes of it. Knows frames, no bench.

Clauses: SE 1.0 (075356r15), annexes D.2 and D.5. Times are UTCTimes, 0 meaning now.
"""

from __future__ import annotations

from collections.abc import Iterator

from dissectors import zcl
from dissectors.clusters import drlc, messaging, metering, price
from dissectors.layer import Layer
from dissectors.zcl import Status
from harness.checkers.answering import answered_wrongly, requested, unanswered, words
from harness.checkers.dialogue import ANSWER_TIME, Dialogue, Said, dialogue
from harness.checkers.load_events import SECONDS_A_MINUTE, TOLERANCE, instant, knows_time
from harness.checkers.reading import attested, restarted
from harness.trace import Trace
from harness.usecase import Actor, Point
from harness.verdict import Finding, failed, noted, passed

PRICE_REQUESTS = (price.GetCurrentPrice, price.GetScheduledPrices)
REQUESTS = (*PRICE_REQUESTS, drlc.GetScheduledEvents, messaging.GetLastMessage)
LATER_PRICE = ("number_of_block_thresholds", "price_control")  # fields of 1.1
LONGEST_READING = 300.0  # seconds (PROFILE) that a customer may take to press the button


def price_is_asked_for(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """09-PRICE of the HAN Device: having registered, it asks for the price; one that it is given it does not refuse."""
    talk = dialogue(trace)
    yield from requested(talk, talk.by(actor, *PRICE_REQUESTS), "the price", "price-never-asked-for")
    yield from _taken(talk, actor, price.PublishPrice, later=False)


def price_is_given(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """09-PRICE of the ESI: a request for prices draws Publish Price with fields that are legal; a current one is current."""
    talk = dialogue(trace)
    for question in talk.to(actor, *PRICE_REQUESTS):
        if question.key != "link":
            continue
        given = [each for each in talk.answers(question) if each.is_a(price.PublishPrice)]
        for each in given:
            faults = _price_faults(trace, question, each)
            if faults:
                yield answered_wrongly(question, each, "a price that is legal and in force", "; ".join(faults), _price_cause(faults))
            else:
                yield passed("a price was given", question.number, each.number)
            if _is_later(each):
                yield noted(
                    "the price carries fields of later revisions", each.number, expected="34 or 40 octets and the label",
                    observed=f"{len(each.asdu)} octets with the header",
                )
        if not given and talk.answer(question) is None and _known_price(trace, talk, question):
            yield from unanswered(talk, question, "the price that was published before", "price-withheld")


def later_price_fields_are_tolerated(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """09-PRICE-NEW-FIELDS: a price with fields that later revisions appended is taken like any other."""
    yield from _taken(dialogue(trace), actor, price.PublishPrice, later=True)


def message_is_asked_for(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """09-MESSAGE of the HAN Device: having registered, it asks for the last message; one that it is given is not refused."""
    talk = dialogue(trace)
    yield from requested(talk, talk.by(actor, messaging.GetLastMessage), "its messages", "messages-never-asked-for")
    yield from _taken(talk, actor, messaging.DisplayMessage)


def message_is_given(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """09-MESSAGE of the ESI: Get Last Message draws a message whose control octet is legal and that is text."""
    talk = dialogue(trace)
    for question in talk.to(actor, messaging.GetLastMessage):
        answer = talk.answer(question)
        if answer is None or not answer.is_a(messaging.DisplayMessage) or question.key != "link":
            continue
        command = answer.command
        faults = {
            "a reserved transmission": command.transmission not in tuple(messaging.Transmission),
            "a reserved bit": bool(command.reserved_high or command.reserved_low),
            "no text": not _is_text(command.message),
            "it is over": _over(trace, answer) < question.time - TOLERANCE,
        }
        wrong = [fault for fault, there in faults.items() if there]
        if wrong:
            yield answered_wrongly(question, answer, "a legal message that is in force", "; ".join(wrong), "message-field-reserved")
        else:
            yield passed("the message was given", question.number, answer.number)


def messages_are_confirmed(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """09-CONFIRMATION: a message that asks for it is confirmed once, by its identifier, while it is shown; no other is."""
    talk = dialogue(trace)
    shown: dict[int, Said] = {}
    for each in talk.to(actor, messaging.DisplayMessage):
        if each.key == "link":
            shown.setdefault(each.command.message_id, each)
    confirmations = talk.by(actor, messaging.MessageConfirmation)
    strays = [each for each in confirmations if each.command.message_id not in shown]
    for identity, message in shown.items():
        mine = [each for each in confirmations if each.command.message_id == identity and each.number > message.number]
        wanted = bool(message.command.confirmation_required)
        shown_at_all = message.command.start_time == 0 or knows_time(talk, message.arrived_at)
        if restarted(trace, actor, message.arrived_at, max((each.time for each in mine), default=_over(trace, message))):
            continue
        if len(mine) > 1 or (mine and not wanted):
            yield failed(
                "a message was confirmed too often", message.number, *(each.number for each in mine),
                expected="one confirmation" if wanted else "none: it was not asked for", observed=f"{len(mine)}",
                hint="confirmed-again" if wanted else "confirmed-unasked",
            )
        elif mine:
            yield passed("the message was confirmed", message.number, mine[0].number)
        elif wanted and shown_at_all and attested(
            trace, Point.MAC, message.arrived_at, min(_over(trace, message), message.arrived_at + LONGEST_READING),
            message.first.channel,
        ):
            yield failed(
                "a message was not confirmed", message.number, expected=f"Message Confirmation of {identity}", observed="none",
                hint="confirmed-another-message" if strays else "message-never-confirmed",
            )
    for each in strays:
        if shown:
            yield failed(
                "a message was confirmed that was never sent", each.number,
                expected=f"one of {', '.join(map(str, sorted(shown)))}", observed=str(each.command.message_id),
                hint="confirmed-another-message",
            )


def nothing_pending_is_said_so(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """09-NONE-PENDING: a request to which there is nothing draws NOT_FOUND, or silence, and no other status."""
    talk = dialogue(trace)
    for question in talk.to(actor, *REQUESTS):
        answers = talk.answers(question)
        if question.key != "link" or any(not each.is_a(zcl.DefaultResponse) for each in answers):
            continue
        if not answers:
            if talk.watched(question, ANSWER_TIME):
                yield passed("there was nothing to give: silence", question.number)
        elif answers[0].command.status == Status.NOT_FOUND:
            yield passed("there was nothing to give, and the ESI said so", question.number, answers[0].number)
        else:
            expected = f"status {Status.NOT_FOUND:02x}, or silence"
            yield answered_wrongly(question, answers[0], expected, words(answers[0]), "nothing-is-an-error")


def meter_is_asked_for(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """09-METERING of the HAN Device: having registered, it reads the meter."""
    talk = dialogue(trace)
    asked = [
        each for each in talk.by(actor, zcl.ReadAttributes, metering.GetProfile)
        if each.cluster == metering.CLUSTER.identifier
    ]
    yield from requested(talk, asked, "its meter readings", "meter-never-read")


def _taken(talk: Dialogue, actor: Actor, layer: type[Layer], later: bool | None = None) -> Iterator[Finding]:
    """What is given is not refused; `later` asks only for prices with, or only for prices without, fields of 1.1."""
    for said in talk.to(actor, layer):
        if said.key != "link" or (later is not None and later is not _is_later(said)):
            continue
        refusal = next(
            (
                each for each in talk.answers(said)
                if each.is_a(zcl.DefaultResponse) and each.command.status != Status.SUCCESS
            ), None,
        )
        if refusal is not None:
            yield failed(
                f"{said.name} was refused", said.number, refusal.number, expected="silence, or a Default Response of success",
                observed=words(refusal), hint="later-fields-refused" if later else "offer-refused",
            )
        elif talk.watched(said, ANSWER_TIME):
            yield passed(f"{said.name} was not refused", said.number)


def _is_later(said: Said) -> bool:
    fields = any(getattr(said.command, name) is not None for name in LATER_PRICE)
    return fields or bool(said.zcl is not None and said.zcl.surplus)


def _price_faults(trace: Trace, question: Said, said: Said) -> list[str]:
    command = said.command
    current = question.is_a(price.GetCurrentPrice)
    faults = {
        f"a label of {len(command.rate_label or b'')} octets": len(command.rate_label or b"") > price.MAXIMUM_LABEL,
        "a label that is no text": not _is_text(command.rate_label),
        "no current time": command.current_time in (0, drlc.NEVER),
        "a wrong current time": abs(instant(trace, command.current_time) - said.time) > TOLERANCE,
        f"unit {command.unit_of_measure:02x}": command.unit_of_measure & ~price.BCD not in tuple(price.UnitOfMeasure),
        "it has not begun": current and command.start_time != 0 and instant(trace, command.start_time) > said.time + TOLERANCE,
        "it is over": _over(trace, said) < question.time - TOLERANCE,
    }
    return [fault for fault, there in faults.items() if there]


def _price_cause(faults: list[str]) -> str:
    """What is behind the first fault of a price, as far as its words tell."""
    if "octets" in faults[0]:
        return "label-too-long"
    return "current-time-left-out" if faults[0] == "no current time" else "price-field-illegal"


def _known_price(trace: Trace, talk: Dialogue, question: Said) -> bool:
    """Whether the ESI itself published a price before that is still in force."""
    return any(
        said.time < question.time and said.key == "link" and said.command.start_time and _over(trace, said) > question.time
        and instant(trace, said.command.start_time) <= question.time
        for said in talk.by(Actor.ESI, price.PublishPrice)
    )


def _over(trace: Trace, said: Said) -> float:
    """When a price or a message is no longer in force, seconds since the bench started."""
    command = said.command
    if command.duration_in_minutes in (price.UNTIL_CHANGED, messaging.UNTIL_CHANGED):
        return float("inf")
    start = said.time if command.start_time == 0 else instant(trace, command.start_time)
    return start + float(command.duration_in_minutes * SECONDS_A_MINUTE)


def _is_text(octets: bytes | None) -> bool:
    try:
        (octets or b"").decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
