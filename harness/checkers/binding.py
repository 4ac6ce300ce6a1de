"""The binding of CIM messages: what SOAP and HTTP say beside what an actor sends. Knows no noun; silent where nothing shows it."""

from __future__ import annotations

from collections.abc import Iterator

from harness.checkers.cim_message import told
from harness.checkers.correspondence import letters
from harness.cim.envelope import read
from harness.cim.finding import Layer
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
        if "transport" not in about or "instead_of" in about or not letter.exchange.octets:
            continue
        # what an answer says is its route's affair, but one that nobody can read is of no route
        layers = (Layer.TRANSPORT, Layer.XML) if "answers" in about else (Layer.TRANSPORT,)
        findings = [each for each in read(letter.exchange.octets)[1] if each.layer in layers]
        if letter.message is not None:
            findings += check_transport(letter.message, about["transport"], binding)
        yield from told(letter, findings)
        if letter.message is not None and not any(each.failed for each in findings):
            yield passed("travels on the binding of the bench", letter.number)
