"""Causes of failures of orders and of what answers them (steps 1 to 4, integration points)."""

from __future__ import annotations

from collections.abc import Mapping

CAUSES: Mapping[str, str] = {
    # what has to hold before
    "meter-not-registered": "The meter was never registered with the head-end, or the record of it was not taken.",
    "meter-not-recorded": "The CIS has no record of the meter.",
    "device-not-imported": "The HAN device was never imported into the DR Application.",
    "not-enrolled": "The customer is not in a demand response programme alone.",
    # what is ordered
    "orders-nothing": "The DR Application sends nothing when a window is due.",
    "orders-something-else": "The control's code stands for another command than opening a window.",
    "another-verb": "The verb is not create, which alone makes an order or a linkage.",
    "orders-another-type": "The control's code names another type of device than the one ordered.",
    "orders-at-another-meter": "The order names another meter than the one that the device belongs to.",
    "orders-with-another-key": "The key in the order is not the one that was given for the device.",
    "link-key-for-install-code": "The order carries the link key that was made from the install code, and not the install code.",
    "orders-another-window": "Start or duration of the window are not those that were ordered.",
    "seconds-for-minutes": "The duration is written in seconds; minutes belong there.",
    # how requests are answered, and repeated
    "answers-about-another-noun": "The answer names a noun that the request is not about.",
    "right-request-refused": "A request without fault is refused.",
    "repeats-altered": "What is sent again is made anew, with other octets or another MessageID.",
    "asks-only-once": "A request that draws no answer is given up.",
    # what is made of wrong, repeated and unusual requests
    "rules-not-checked": "Requests are taken without the rules of a message being looked at.",
    "message-id-not-remembered": "The MessageIDs of earlier requests are not remembered, or not compared whole.",
    "nonce-not-remembered": "Nonces are not remembered, so that what is replayed is taken.",
    "meter-not-looked-up": "Whether anybody registered the meter is not looked up.",
    "wrong-request-unanswered": "A request with a fault is dropped without a word.",
    "wrong-request-obeyed": "A request with a fault takes effect, whatever is said to it.",
    "refusal-code-unfitting": "Refusals carry a code that does not say what is wrong.",
    "repetition-answered-otherwise": "A repetition gets another answer than the request that it repeats.",
    "repeated-request-obeyed-again": "Requests are not remembered, so that a repetition is obeyed once more.",
    "unusual-taken-for-wrong": "Messages are read by how they are usually written (prefix, order of attributes), not by what they mean.",
    "unusual-request-unanswered": "A message that is written unusually is met with silence.",
    "unreadable-unanswered": "A document that cannot be read is dropped without a word.",
    "hostile-document-silences": "A hostile document ends, or keeps busy, what reads it.",
    "withdrawal-kept": "A withdrawal is said yes to and goes no further, so that the window stays.",
    "opened-after-withdrawal": "A withdrawal does not reach the orders that are still waiting for their time.",
    # what is answered later
    "answered-on-the-spot": "Who asks for a later result gets it at once, in place of an acknowledgement.",
    "request-acknowledged-twice": "One request is acknowledged more than once.",
    "result-before-acknowledgement": "The result is sent before the acknowledgement.",
    "result-never-comes": "A request is acknowledged and then forgotten.",
    "result-elsewhere": "The result goes to an address that the request does not name.",
    "event-not-acknowledged": "Whether an event wants an acknowledgement is not looked at.",
    "event-acknowledged-twice": "An event is acknowledged more than once.",
    "event-acknowledged-late": "An event is dealt with first and acknowledged then.",
    "right-event-refused": "An event without fault is refused.",
    # orders on their way to the ESI
    "order-lost": "An order is taken and not sent on.",
    "altered-device": "An order goes on for another device.",
    "altered-device-type": "An order goes on with another type of device.",
    "altered-key-form": "An order goes on with its key called another form of key.",
    "altered-key-material": "An order goes on with another key.",
    "altered-end": "An order goes on with another end of its window.",
    "order-to-another-meter": "An order goes on to a meter that it does not name.",
    "order-past-the-nic": "An order goes past the NIC to the ESI.",
    "order-sent-again": "Orders are not remembered, so that one goes on more than once.",
    "late-order-sent": "Whether a window is over is not looked at before its order goes on.",
    "window-left-not-reckoned": "What is left of the window is not reckoned as of when the order goes on.",
    "obstacle-kept-quiet": "An order that cannot go on is dropped without a word.",
    # events and records
    "event-told-again": "One happening is told more than once.",
    "event-kept-quiet": "Of what happened no event is told.",
    "event-of-another-kind": "The event's code stands for something else than what happened.",
    "event-of-another-meter": "The event speaks of another meter.",
    "event-of-another-device": "The event speaks of another device.",
    "event-of-another-time": "The event says another time than that of what happened.",
    "record-of-another-meter": "The meter's record is one of another meter.",
}
