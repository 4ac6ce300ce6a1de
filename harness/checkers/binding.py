"""The binding of CIM messages: what SOAP and HTTP say beside what an actor sends. Knows no noun; silent where nothing shows it."""

from __future__ import annotations

from collections.abc import Iterator

from harness.checkers.cim_message import told
from harness.checkers.correspondence import Letter, letters
from harness.cim.envelope import Kind, read
from harness.cim.finding import Layer
from harness.cim.soap import XML
from harness.cim.transport import check_transport
from harness.cim_profile import CimProfile
from harness.trace import Trace
from harness.usecase import Actor
from harness.verdict import Finding, passed


def keeps_the_binding(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """INT-TRANSPORT: every message of the actor is wrapped as the bench wants it, and its transport says what it is."""
    profile = trace.header.about.get("cim")
    binding = CimProfile.of(profile).binding if profile else None
    for letter in letters(trace, judged):
        about = letter.exchange.about
        if "instead_of" in about or not letter.exchange.octets:
            continue
        # what an answer says is its route's affair, but one that nobody can read is of no route
        layers = (Layer.TRANSPORT, Layer.XML) if "answers" in about else (Layer.TRANSPORT,)
        findings = [each for each in read(letter.exchange.octets)[1] if each.layer in layers]
        shown = about.get("transport") if letter.message is not None else None
        if letter.message is not None and shown is not None:
            findings += check_transport(letter.message, shown, _wanted(trace, letter, binding))
        yield from told(letter, findings)
        if shown is not None and not any(each.failed for each in findings):
            yield passed("travels on the binding of the bench", letter.number)


def _wanted(trace: Trace, letter: Letter, binding: str | None) -> str | None:
    """The binding that a message has to travel on: an answer by HTTP on that of its question, anything else on the bench's."""
    asked = _question(trace, letter) if "status" in letter.exchange.about["transport"] else None
    if asked is None or asked.message is None:
        return binding
    return asked.message.soap.version if asked.message.soap is not None else XML


def _question(trace: Trace, answer: Letter) -> Letter | None:
    """What a message answers: the latest that its CorrelationID names."""
    echoed = answer.message.correlation_id if answer.message is not None else None
    between = (answer.exchange.receiver, answer.exchange.producer)
    asked = [
        each for each in letters(trace) if (each.exchange.producer, each.exchange.receiver) == between
        and each.number < answer.number and each.message is not None and each.message.kind in (Kind.REQUEST, Kind.EVENT)
        and echoed is not None and echoed in (each.message.correlation_id, each.message.message_id)
    ]
    return asked[-1] if asked else None
