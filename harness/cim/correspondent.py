"""One party's end of the CIM bus: sends requests until they are answered, answers each request once; sans-I/O, knows no role.

What a request means is its owner's affair. A request that comes again with the same MessageID gets the same answer, octet for
octet, and is not given to the owner; one that nobody answers is sent again, octet for octet. A request that wants its result
later is acknowledged at once and answered where it says; an event that wants an acknowledgement gets one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Protocol

from lxml import etree

from harness.cim import operation_set
from harness.cim.check import check_read
from harness.cim.envelope import ACKNOWLEDGED, CimMessage, Form, Header, Kind, Reply, build, read, serialise
from harness.cim.finding import CimFinding
from harness.cim.nouns import NOUNS
from harness.cim.originator import Originator
from harness.cim.pending import Outstanding, State
from harness.cim.refusal import refusal, refused
from harness.cim.replay import replay_detection
from harness.cim.reply_codes import ReplyCode
from harness.cim.soap import transport_of, wrap
from harness.cim.tree import child
from harness.ports import Message

WIRE = "cim"
CREATE, CREATED = "create", "created"
PREFIX = "m"  # what a receiver looks for that goes by prefixes and not by namespaces; ours writes it
RESULT_DELAY = 0.5  # seconds between an acknowledgement and the result, which goes another way and must not overtake it


class Decisions(Protocol):
    """What a correspondent's policy decides; the right decisions, and their clauses, stand where the policy is."""

    @property
    def replies(self) -> bool: ...
    @property
    def validates(self) -> bool: ...
    @property
    def reads_any_prefix(self) -> bool: ...
    @property
    def recognises_repeats(self) -> bool: ...
    @property
    def recognises_replays(self) -> bool: ...
    @property
    def survives_hostile_xml(self) -> bool: ...
    @property
    def retries(self) -> bool: ...
    @property
    def keeps_message_id(self) -> bool: ...
    @property
    def acknowledges(self) -> bool: ...
    @property
    def answers_later(self) -> bool: ...
    def rewritten(self, structure: Any) -> list[Any]:
        """What really goes out in place of a structure: the tree of a message, then the `Message` that carries it."""


@dataclass(frozen=True)
class Incoming:
    """A message for its owner: a right request that waits for `Correspondent.answer`, an event, or the answer to a request.

    `about` is what the transport said (`Message.about`).
    """

    producer: str
    message: CimMessage
    header: Header
    request: Header | None = None  # what an answer answers, as it was sent
    about: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def accepted(self) -> bool:
        """Whether an answer says that all went well."""
        return self.message.reply is not None and self.message.reply.result == "OK"


class Correspondent:
    """One party. `wait` is how long it waits for a reply (seconds), `tries` how often it sends a request at most."""

    def __init__(
        self, originator: Originator, decisions: Decisions, accepts: Sequence[str], *, wait: float = 10.0, tries: int = 3,
        result_wait: float = 60.0, addresses: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """`accepts` are the nouns for which this party takes `create` requests; `addresses` says, by who is asked, where a later
        result reaches it, `result_wait` how long it waits for one that was promised (seconds). The originator's profile says how
        it speaks."""
        self.originator = originator
        self.decisions = decisions
        self.accepts = accepts
        self.profile = originator.profile
        self.addresses = addresses
        self.unanswered: list[Header] = []  # requests given up, for the owner to take
        self._outstanding = Outstanding(wait, result_wait, tries)
        self._answered: dict[tuple[str, str], tuple[bytes, list[Message]]] = {}
        self._nonces: set[tuple[str, str]] = set()
        self._deaf = False
        self._out: list[Message] = []
        self._later: list[tuple[float, Message]] = []

    # -- sending

    def request(
        self, receiver: str, noun: str, payload: etree._Element, now: float, correlation_id: str | None = None,
    ) -> Header:
        """Send a create request, again and again until it is answered; returns its header as it went out."""
        header = self.originator.header(CREATE, noun, now, correlation_id)
        if self.profile.pattern == "asynchronous":
            own = f"urn:hanproof:{self.originator.source.lower().replace(' ', '-')}"  # on wires that know parties by name
            header = header._replace(async_reply_flag="true", reply_address=self.addresses.get(receiver, own))
        asked = self._ask(self._send(receiver, build(Kind.REQUEST, header, payload, profile=self.profile)), now)
        return asked[0].header or header if asked else header

    def announce(
        self, receivers: Sequence[str], noun: str, payload: etree._Element, now: float, correlation_id: str | None,
    ) -> None:
        """Send the same event to each receiver, each with a MessageID of its own; nobody answers an event unasked."""
        octets = etree.tostring(payload)
        for receiver in receivers:
            header = self.originator.header(CREATED, noun, now, correlation_id)
            self._ask(self._send(receiver, build(Kind.EVENT, header, etree.fromstring(octets), profile=self.profile)), now)

    def answer(self, request: Incoming, reply: Reply, now: float) -> None:
        """Answer a request, where it wants that, and remember the answer for when the request comes again."""
        later = request.message.is_asynchronous and self.decisions.answers_later
        address = request.header.reply_address or "" if later else ""
        self._answer(request.producer, request.message, reply, now, request.about, address)

    # -- receiving

    def receive(self, pdu: Message, now: float) -> Incoming | None:
        """Take a message; returns what is for the owner, None where there is nothing left to do."""
        if self._deaf:
            return None
        message, findings = read(pdu.octets)
        if message is None and not self.decisions.survives_hostile_xml:
            self._deaf = True
            return None
        if message is not None and message.kind is Kind.FAULT:
            return None
        if message is None or message.header is None:
            if "answers" not in pdu.about:  # nobody answers an answer, be it as it may
                self._fault(pdu, message, findings)
            return None
        incoming = Incoming(pdu.producer, message, message.header, about=pdu.about)
        if message.kind is Kind.RESPONSE:
            request = self._outstanding.settle(pdu.producer, message, now)
            return replace(incoming, request=request) if request else None
        if self._repeated(pdu, message.header, now):
            return None
        if not any(finding.failed for finding in findings):
            findings += check_read(message, self.originator.instant(now), profile=self.profile)
        reply = self._refusal(pdu.producer, message, findings)
        if reply is not None:
            if message.kind is not Kind.EVENT or message.wants_acknowledgement:
                self._answer(pdu.producer, message, reply, now, pdu.about)
            return None
        promises = message.is_asynchronous and self.decisions.answers_later
        if (promises or message.wants_acknowledgement) and self.decisions.acknowledges:
            self._answer(pdu.producer, message, ACKNOWLEDGED, now, pdu.about)
        return incoming

    # -- time

    def transmit(self) -> list[Message]:
        """What is to go out now."""
        out, self._out = self._out, []
        return out

    def deadline(self) -> float | None:
        """When a result is due, or the next unanswered request is due again."""
        due = [self._outstanding.deadline(), *(instant for instant, _ in self._later)]
        return min((instant for instant in due if instant is not None), default=None)

    def wake(self, now: float) -> None:
        """Send what was to be sent later; send again what has waited long enough, or give it up."""
        self._out += [message for instant, message in self._later if instant <= now]
        self._later = [each for each in self._later if each[0] > now]
        for pending in self._outstanding.overdue(now, retries=self.decisions.retries):
            if pending.state is State.GIVEN_UP:
                self.unanswered.append(pending.header)
            else:
                kept = self.decisions.keeps_message_id
                self._out.append(pending.message if kept else self._renumbered(pending.message))

    # -- inside

    def _send(self, receiver: str, root: etree._Element) -> list[Message]:
        """Send a message of one's own accord."""
        sent = self._written(receiver, root, {}, self.profile.binding, answers=False)
        self._out += sent
        return sent

    def _send_back(self, receiver: str, root: etree._Element, asked: Mapping[str, Any], binding: str) -> list[Message]:
        """Send the answer to what came with `asked` about it, back the way it came."""
        about = {"answers": asked["exchange"]} if "exchange" in asked else {}
        sent = self._written(receiver, root, about, binding, answers=True)
        self._out += sent
        return sent

    def _written(
        self, receiver: str, root: etree._Element, about: Mapping[str, Any], binding: str, *, answers: bool,
    ) -> list[Message]:
        """What really goes out in place of a message, with `about` it beside what its transport says."""
        written: list[Message] = []
        producer = self.originator.source
        for tree in self.decisions.rewritten(root):
            transport = transport_of(tree, binding, answers=answers)
            octets = serialise(wrap(tree, binding))
            written += self.decisions.rewritten(Message(WIRE, producer, receiver, octets, {**about, "transport": transport}))
        return written

    def _ask(self, sent: Sequence[Message], now: float) -> list[CimMessage]:
        """Wait for an answer to whatever of this wants one."""
        asking = []
        for message in sent:
            read_back, _ = read(message.octets)
            if read_back is not None and (read_back.kind is not Kind.EVENT or read_back.wants_acknowledgement):
                self._outstanding.add(read_back, message, now)
                asking.append(read_back)
        return asking

    def _repeated(self, pdu: Message, header: Header, now: float) -> bool:
        """Whether this is a request once more; if so it has been answered as before."""
        octets, answers = self._answered.get((pdu.producer, header.message_id or ""), (b"", []))
        if not self.decisions.recognises_repeats or octets != pdu.octets:
            return False
        for each in answers:
            if "address" in each.about:
                self._later.append((now + RESULT_DELAY, each))
            else:
                token = {"answers": pdu.about["exchange"]} if "exchange" in pdu.about else {}
                self._out.append(replace(each, about={**each.about, **token}))
        return True

    def _refusal(self, producer: str, message: CimMessage, findings: Sequence[CimFinding]) -> Reply | None:
        """The reply to a message that is wrong in itself or not for this party; None when it is neither."""
        if not self.decisions.validates:
            return None
        if any(finding.failed for finding in findings):
            return refusal(findings)
        if not self.decisions.reads_any_prefix and message.payload is not None and message.payload.prefix != PREFIX:
            return refused(ReplyCode.SCHEMA, f"no element {PREFIX}:{message.noun}")
        known = (message.message_id or "") in {identifier for _, identifier in self._answered}
        if known and self.decisions.recognises_repeats:
            return refused(ReplyCode.REQUEST_ID, "another message had this MessageID")
        if self._replayed(producer, message):
            return refused(ReplyCode.REQUEST_ID, "another message had this nonce")
        if message.kind is not Kind.REQUEST:
            return None
        if message.noun not in self.accepts:
            reason = f"{message.noun} is not taken here"
            is_set = operation_set.holds_one(message)
            return operation_set.refused(message, ReplyCode.NOUN, reason) if is_set else refused(ReplyCode.NOUN, reason)
        return refused(ReplyCode.VERB, f"{message.verb} is not taken here") if message.verb != CREATE else None

    def _replayed(self, producer: str, message: CimMessage) -> bool:
        """Whether the nonce of a message came from the same producer before, with another message."""
        said = replay_detection(message)
        if said is None or not self.decisions.recognises_replays:
            return False
        known = (producer, said.nonce) in self._nonces
        self._nonces.add((producer, said.nonce))
        return known

    def _answer(
        self, producer: str, message: CimMessage, reply: Reply, now: float, about: Mapping[str, Any], address: str = "",
    ) -> None:
        """Answer on the spot, or in a moment at an address."""
        noun = message.wrapper[1] if message.wrapper else message.noun or ""
        form = message.form if noun in NOUNS else Form.GENERIC
        header = self.originator.reply_header(message.header, noun, now)
        tree = build(Kind.RESPONSE, header, reply=reply, form=form, profile=self.profile)
        sent: list[Message] = []
        if self.decisions.replies and address:
            sent = self._written(producer, tree, {"address": address}, self._binding_of(message), answers=False)
            self._later += [(now + RESULT_DELAY, each) for each in sent]
        elif self.decisions.replies:
            sent = self._send_back(producer, tree, about, self._binding_of(message))
        if message.message_id:
            octets, before = self._answered.get((producer, message.message_id), (b"", []))
            self._answered[producer, message.message_id] = message.octets, [*(before if octets == message.octets else ()), *sent]

    def _fault(self, pdu: Message, message: CimMessage | None, findings: Sequence[CimFinding]) -> None:
        """The answer to what has no header that could be read."""
        code = ReplyCode.SCHEMA if message is None else ReplyCode.HEADER_ELEMENT_MISSING
        reply = refusal(findings) if any(finding.failed for finding in findings) else refused(code, "no header")
        if self.decisions.replies:
            tree = build(Kind.FAULT, Header(None, None), reply=reply, form=Form.GENERIC, profile=self.profile)
            self._send_back(pdu.producer, tree, pdu.about, self._binding_of(message))

    def _binding_of(self, request: CimMessage | None) -> str:
        """How a request was bound, for it is answered in kind; one that cannot be read is answered as this party speaks."""
        if request is None:
            return self.profile.binding
        return "xml" if request.soap is None else request.soap.version

    def _renumbered(self, message: Message) -> Message:
        root = etree.fromstring(message.octets)
        identifier = child(next(root.iter("{*}Header"), None), "MessageID")
        if identifier is not None:
            identifier.text = self.originator.identifier()
        return replace(message, octets=serialise(root))
