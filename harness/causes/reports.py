"""Causes of failures of reports and linkages, and of the whole run beyond the radio (steps 10 to 14)."""

from __future__ import annotations

from collections.abc import Mapping

CAUSES: Mapping[str, str] = {
    # reports of the provisioning state
    "reports-unprompted": "Provisioning is reported on the strength of the order, before anybody below has said that it came about.",
    "reports-another": "A report or linkage is made about another device than the one that it belongs to.",
    "report-not-sent": "What was told, or seen on the air, is not made into a report at all.",
    "report-doubled": "One report is sent more than once, of the sender's own accord.",
    "report-repeats-obeyed": "A report that comes again is not recognised, and is passed on as a further one.",
    "report-kept": "A report lies in a queue and is not sent when it is due.",
    "report-time-altered": "The time of a report is made anew, or shifted, and is not that of the registration.",
    "report-meter-altered": "A report goes on under another meter than that which it came from.",
    "report-state-altered": "The state of a report, or its reason, is not passed on as it came.",
    "failure-as-success": "Whether a report says provisioned or failed is not looked at: each counts as a success.",
    "failure-kept-quiet": "Only successes are reported: nobody hears of a device that was not provisioned.",
    # linkages
    "linkage-not-told": "What was reported or taken does not give rise to a linkage.",
    "linkage-unprompted": "A linkage is told when the order is granted, before the step that it rests on.",
    "linkage-told-again": "Each report, or each arrival of a linkage, is made into a linkage of its own.",
    "linkage-in-force-elsewhen": "A linkage is in force since another instant than that which the step before says.",
    "name-left-out": "An object of the linkage, or its name of the kind that is asked for, is left out.",
    "meter-of-another": "The linkage names another meter than that of the order.",
    "premise-of-another": "The linkage names another premise than that of the customer's enrolment.",
    "chain-of-its-own": "The linkage has a new CorrelationID instead of that of the order.",
    "agreement-left-out": "The customer's enrolment is known and not written into the linkage.",
    "linkage-not-looked-up": "Whether device, meter and premise of a linkage belong together, or are linked already, is not looked up.",
    "linkage-forgotten": "A linkage is granted, and not stored: who asks later is told nothing of it.",
    # two orders
    "device-of-the-first": "The device is remembered from the first order, not looked up by each.",
    "meter-of-the-first": "The meter is remembered from the first order, not looked up by each.",
    "premise-of-the-first": "The premise is remembered from the first order, not looked up by each.",
    "every-meter-served": "The meter of an order is not looked at: it goes to whatever meter there is.",
    "first-pair-kept": "The first pair of device and meter is kept when another takes its place.",
    "new-pair-refused": "A device that is known at one meter is not taken at another.",
    "device-at-every-premise": "A device that has moved is not taken from the premise where it was.",
    # the whole run
    "link-key-again": "The link key of before the reset is agreed on once more.",
    "returning-broken-off": "A device that comes back after a reset is let in, and its registration is left unfinished.",
    "key-in-a-message": "The key is written into a message beside the key element of the order.",
}
