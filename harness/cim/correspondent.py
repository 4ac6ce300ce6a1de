"""One party's end of the CIM bus: sends requests until they are answered, answers each request once; sans-I/O, knows no role.

What a request means is its owner's affair. A request that comes again with the same MessageID gets the same answer, octet for
octet, and is not given to the owner; one that nobody answers is sent again, octet for octet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from lxml import etree

from harness.cim.check import check_read
from harness.cim.envelope import CimMessage, Form, Header, Kind, Reply, build, read, serialise
from harness.cim.finding import CimFinding
from harness.cim.nouns import NOUNS
from harness.cim.originator import Originator
from harness.cim.refusal import refusal, refused
from harness.cim.reply_codes import ReplyCode
from harness.cim.tree import child
from harness.ports import Message

WIRE = "cim"
CREATE, CREATED = "create", "created"


class Decisions(Protocol):
    """What a correspondent's policy decides; the right decisions, and their clauses, stand where the policy is."""

    @property
    def replies(self) -> bool: ...
    @property
    def validates(self) -> bool: ...
    @property
    def recognises_repeats(self) -> bool: ...
    @property
    def survives_hostile_xml(self) -> bool: ...
    @property
    def retries(self) -> bool: ...
    @property
    def keeps_message_id(self) -> bool: ...
    def rewritten(self, structure: Any) -> list[Any]:
        """What really goes out in place of a structure."""


@dataclass(frozen=True)
class Incoming:
    """A message for its owner: a right request that waits for `Correspondent.answer`, an event, or the answer to a request."""

    producer: str
    message: CimMessage
    header: Header
    request: Header | None = None  # what an answer answers, as it was sent

    @property
    def accepted(self) -> bool:
        """Whether an answer says that all went well."""
        return self.message.reply is not None and self.message.reply.result == "OK"


@dataclass
class _Pending:
    """A request that has not been answered; `header` is the one that went out, whatever a policy made of it."""

    header: Header
    message: Message
    due: float
    tries_left: int


class Correspondent:
    """One party. `wait` is how long it waits for a reply (seconds), `tries` how often it sends a request at most."""

    def __init__(
        self, originator: Originator, decisions: Decisions, accepts: Sequence[str], *, wait: float = 10.0, tries: int = 3,
    ) -> None:
        """`accepts` are the nouns for which this party takes `create` requests."""
        self.originator = originator
        self.decisions = decisions
        self.accepts = accepts
        self.wait = wait
        self.tries = tries
        self.unanswered: list[Header] = []  # requests given up, for the owner to take
        self._pending: list[_Pending] = []
        self._answered: dict[tuple[str, str], tuple[bytes, list[Message]]] = {}
        self._deaf = False
        self._out: list[Message] = []

    # -- sending

    def request(
        self, receiver: str, noun: str, payload: etree._Element, now: float, correlation_id: str | None = None,
    ) -> Header:
        """Send a create request, again and again until it is answered; returns its header as it went out."""
        header = self.originator.header(CREATE, noun, now, correlation_id)
        outgoing = []
        for message in self._send(receiver, build(Kind.REQUEST, header, payload, profile=self.originator.profile)):
            sent, _ = read(message.octets)
            if sent is not None and sent.header is not None:
                outgoing.append(_Pending(sent.header, message, now + self.wait, self.tries - 1))
        self._pending += outgoing
        return outgoing[0].header if outgoing else header

    def announce(
        self, receivers: Sequence[str], noun: str, payload: etree._Element, now: float, correlation_id: str | None,
    ) -> None:
        """Send the same event to each receiver, each with a MessageID of its own; nobody answers an event."""
        octets = etree.tostring(payload)
        for receiver in receivers:
            header = self.originator.header(CREATED, noun, now, correlation_id)
            self._send(receiver, build(Kind.EVENT, header, etree.fromstring(octets), profile=self.originator.profile))

    def answer(self, request: Incoming, reply: Reply, now: float) -> None:
        """Answer a request, and remember the answer for when the request comes again."""
        self._answer(request.producer, request.message, reply, now)

    # -- receiving

    def receive(self, pdu: Message, now: float) -> Incoming | None:
        """Take a message; returns what is for the owner, None where there is nothing left to do."""
        if self._deaf:
            return None
        message, findings = read(pdu.octets)
        if message is None and not self.decisions.survives_hostile_xml:
            self._deaf = True
            return None
        if message is None or message.header is None:
            if message is None or message.kind is not Kind.FAULT:  # a fault has no header, and is not answered
                self._fault(pdu.producer, message, findings, now)
            return None
        incoming = Incoming(pdu.producer, message, message.header)
        if message.kind is Kind.RESPONSE:
            request = self._settle(incoming)
            return replace(incoming, request=request) if request else None
        if self._repeated(pdu, message.header):
            return None
        if not any(finding.failed for finding in findings):
            findings += check_read(message, self.originator.instant(now), profile=self.originator.profile)
        reply = self._refusal(message, findings)
        if message.kind is Kind.EVENT:
            return None if reply else incoming
        if reply is not None:
            self._answer(pdu.producer, message, reply, now)
            return None
        return incoming

    # -- time

    def transmit(self) -> list[Message]:
        """What is to go out now."""
        out, self._out = self._out, []
        return out

    def deadline(self) -> float | None:
        """When the next unanswered request is due again."""
        return min((pending.due for pending in self._pending), default=None)

    def wake(self, now: float) -> None:
        """Send again what has waited long enough, or give it up."""
        for pending in [pending for pending in self._pending if pending.due <= now]:
            if pending.tries_left <= 0 or not self.decisions.retries:
                self._pending.remove(pending)
                self.unanswered.append(pending.header)
                continue
            pending.tries_left -= 1
            pending.due = now + self.wait
            self._out.append(pending.message if self.decisions.keeps_message_id else self._renumbered(pending.message))

    # -- inside

    def _send(self, receiver: str, root: etree._Element) -> list[Message]:
        sent = [Message(WIRE, self.originator.source, receiver, serialise(each)) for each in self.decisions.rewritten(root)]
        self._out += sent
        return sent

    def _settle(self, incoming: Incoming) -> Header | None:
        """The header of the request that this answers, which then waits no longer; replies echo CorrelationID or MessageID."""
        for pending in self._pending:
            asked, echoed = pending.header, incoming.header.correlation_id
            whom = pending.message.receiver == incoming.producer and asked.noun == incoming.header.noun
            if whom and echoed is not None and echoed in (asked.correlation_id, asked.message_id):
                self._pending.remove(pending)
                return asked
        return None

    def _repeated(self, pdu: Message, header: Header) -> bool:
        """Whether this is a request once more; if so it has been answered as before."""
        octets, answers = self._answered.get((pdu.producer, header.message_id or ""), (b"", []))
        if not self.decisions.recognises_repeats or octets != pdu.octets:
            return False
        self._out += answers
        return True

    def _refusal(self, message: CimMessage, findings: Sequence[CimFinding]) -> Reply | None:
        """The reply to a message that is wrong in itself or not for this party; None when it is neither."""
        if not self.decisions.validates:
            return None
        if any(finding.failed for finding in findings):
            return refusal(findings)
        known = (message.message_id or "") in {identifier for _, identifier in self._answered}
        if known and self.decisions.recognises_repeats:
            return refused(ReplyCode.REQUEST_ID, "another message had this MessageID")
        if message.kind is not Kind.REQUEST:
            return None
        if message.noun not in self.accepts:
            return refused(ReplyCode.NOUN, f"{message.noun} is not taken here")
        return refused(ReplyCode.VERB, f"{message.verb} is not taken here") if message.verb != CREATE else None

    def _answer(self, producer: str, message: CimMessage, reply: Reply, now: float) -> None:
        noun = message.wrapper[1] if message.wrapper else message.noun or ""
        form = message.form if noun in NOUNS else Form.GENERIC
        header = self.originator.reply_header(message.header, noun, now)
        tree = build(Kind.RESPONSE, header, reply=reply, form=form, profile=self.originator.profile)
        sent = self._send(producer, tree) if self.decisions.replies else []
        if message.message_id:
            self._answered[producer, message.message_id] = (message.octets, sent)

    def _fault(self, producer: str, message: CimMessage | None, findings: Sequence[CimFinding], now: float) -> None:
        """The answer to what has no header that could be read."""
        code = ReplyCode.SCHEMA if message is None else ReplyCode.HEADER_ELEMENT_MISSING
        reply = refusal(findings) if findings else refused(code, "no header")
        if self.decisions.replies:
            profile = self.originator.profile
            self._send(producer, build(Kind.FAULT, Header(None, None), reply=reply, form=Form.GENERIC, profile=profile))

    def _renumbered(self, message: Message) -> Message:
        root = etree.fromstring(message.octets)
        identifier = child(root, "Header", "MessageID")
        if identifier is not None:
            identifier.text = self.originator.identifier()
        return Message(message.wire, message.producer, message.receiver, serialise(root))
