"""What a check of one CIM message says: a rule by name, in its layer, with a path; knows neither rules nor senders.

The layers are passed in order, and a part that fails one is not looked at by the next: `transport` (SOAP around the message, and
what HTTP says beside it), `xml` (octets to a tree), `schema` (what an XSD alone decides), `semantic` (what IEC 61968-9 and
61968-100 mean beyond their schemas) and `profile` (what only HANproof's documented profile fixes, docs/cim-profile.md).
`sequence` is about several messages, and is judged in exchanges and runs alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from harness.verdict import Verdict


class Layer(StrEnum):
    """Where in the making of a message a rule lives."""

    TRANSPORT = "transport"
    XML = "xml"
    SCHEMA = "schema"
    SEMANTIC = "semantic"
    PROFILE = "profile"
    SEQUENCE = "sequence"


RULES: dict[str, tuple[Layer, str]] = {
    "binding": (Layer.TRANSPORT, "a message travels on the bench's binding: bare, SOAP 1.1 or SOAP 1.2"),
    "soap-body": (Layer.TRANSPORT, "a SOAP envelope has one Body with one message in it"),
    "http-method": (Layer.TRANSPORT, "what is asked or told is posted"),
    "content-type": (Layer.TRANSPORT, "the content type is that of the binding: of plain XML, SOAP 1.1 or SOAP 1.2"),
    "charset": (Layer.TRANSPORT, "the charset of HTTP is UTF-8, as the message is"),
    "soap-action": (Layer.TRANSPORT, "the action is that of the operation: .../<Noun>/<Verb><Noun>, or the generic service's"),
    "http-status": (Layer.TRANSPORT, "a SOAP Fault comes with a status of failure, any other answer with one of success"),
    "broken-off": (Layer.TRANSPORT, "a message arrives whole, and the connection stays until it is answered"),
    "size": (Layer.XML, "a message is at most 1 MiB"),
    "encoding": (Layer.XML, "a message is UTF-8, and says so where it says anything"),
    "doctype": (Layer.XML, "a message has no document type, and so no entities"),
    "well-formed": (Layer.XML, "a message is well-formed XML"),
    "depth": (Layer.XML, "elements nest at most 64 deep"),
    "payload-as-text": (Layer.XML, "a payload is element content, neither escaped nor CDATA"),
    "compressed": (Layer.XML, "a compressed payload is base64 of gzip, stands alone, and inflates to XML of at most 1 MiB"),
    "schema-location": (Layer.XML, "schema hints inside a message are not followed"),
    "root": (Layer.SCHEMA, "the document element is a message of the envelope or a strongly typed message"),
    "namespace": (Layer.SCHEMA, "each element stands in its own namespace: message, envelope"),
    "payload-namespace": (Layer.SCHEMA, "the payload stands in the namespace of its profile, with the trailing #"),
    "verb": (Layer.SCHEMA, "the verb is one of the enumeration, in lower case (2008: in any case)"),
    "result": (Layer.SCHEMA, "the result is OK, PARTIAL or FAILED"),
    "uuid": (Layer.SCHEMA, "MessageID and CorrelationID are UUIDs (2018)"),
    "error-xpath": (Layer.SCHEMA, "xpath in an error is a qualified name; a real path belongs into details"),
    "date-time": (Layer.SCHEMA, "an instant is an xs:dateTime"),
    "order": (Layer.SCHEMA, "elements stand in the order of their sequence"),
    "missing": (Layer.SCHEMA, "mandatory elements are there"),
    "reply-place": (Layer.SCHEMA, "a response has a Reply; a request and an event have none"),
    "extension": (Layer.SCHEMA, "extensions stand in a foreign namespace, where the schema lets them"),
    "schema": (Layer.SCHEMA, "the message is valid against its schemas"),
    "validators-disagree": (Layer.SCHEMA, "two independent validators say the same"),
    "payload-unknown": (Layer.SEMANTIC, "the payload is of a profile that HANproof knows"),
    "payload-missing": (Layer.SEMANTIC, "a request that creates or changes, and an event, carry a payload"),
    "noun": (Layer.SEMANTIC, "the noun is the name of the payload's profile"),
    "wrapper-verb": (Layer.SEMANTIC, "the verb is the one that the strongly typed element names"),
    "kind-verb": (Layer.SEMANTIC, "requests, events and responses each have their own verbs"),
    "reply-verb": (Layer.SEMANTIC, "a response has the verb reply"),
    "result-error": (Layer.SEMANTIC, "the result agrees with the errors"),
    "error-code": (Layer.SEMANTIC, "an error code is in the table of reply codes, or a local one (beginning with a letter)"),
    "correlation": (Layer.SEMANTIC, "a response and an asynchronous request have a CorrelationID"),
    "async-address": (Layer.SEMANTIC, "an asynchronous request has an address to reply to"),
    "operation-set": (Layer.SEMANTIC, "a set of operations is executed; each has a number of its own, by which errors name it"),
    "replay-detection": (Layer.SEMANTIC, "a nonce says something, and is no younger than its message"),
    "freshness": (Layer.SEMANTIC, "the timestamp is not ahead of the receiver's clock, and not stale"),
    "context": (Layer.SEMANTIC, "the context is the one of the system that receives"),
    "control-code": (Layer.SEMANTIC, "a control or event names its kind by four numbers of the code tables"),
    "revision": (Layer.SEMANTIC, "a header's revision is one that the receiver supports: 1.0 or 2.0"),
    "secret": (Layer.SEMANTIC, "key material stands in the key element alone, and an address tells no password"),
    "linkage-ends": (Layer.SEMANTIC, "a linkage has two ends"),
    "identity": (Layer.SEMANTIC, "every linked object has an mRID or a name"),
    "time-order": (Layer.SEMANTIC, "what is recorded lies before the message, what is in force before its record"),
    "header-profile": (Layer.PROFILE, "the header has timestamp, source, MessageID and CorrelationID"),
    "time-zone": (Layer.PROFILE, "an instant says its zone"),
    "name-type": (Layer.PROFILE, "a name says what kind of name it is, by the profile's words"),
    "mrid": (Layer.PROFILE, "an mRID is a UUID; addresses and numbers of the utility are names"),
    "mac": (Layer.PROFILE, "an EUI-64 is written as 16 hex digits, most significant first, without separators"),
    "premise": (Layer.PROFILE, "a device that is linked to a customer is linked to a premise, as a ServiceLocation"),
    "status": (Layer.PROFILE, "a linkage says its status, by the profile's words, and since when"),
    "one-linkage": (Layer.PROFILE, "one message links one device"),
    "one-command": (Layer.PROFILE, "one message opens or closes one window"),
    "target": (Layer.PROFILE, "a window is ordered for one HAN device at one meter"),
    "incomplete": (Layer.PROFILE, "a window is ordered with the device's EUI-64, its key, start and duration"),
    "device-type": (Layer.PROFILE, "the code's first number is the HAN device's: 19, 16, or 12 where the type is not told"),
    "key": (Layer.PROFILE, "the key element has an install code with its CRC, or a link key, in hex digits"),
    "window": (Layer.PROFILE, "a window has a start and a duration, ends after it starts, and is not over"),
    "unanswered": (Layer.SEQUENCE, "a request is answered within 30 s"),
    "answered-twice": (Layer.SEQUENCE, "a request is answered once for each time it came"),
    "stranger": (Layer.SEQUENCE, "an answer is to a request that was made of its sender, and to that one"),
    "reply-correlation": (Layer.SEQUENCE, "an answer has its request's CorrelationID, letter for letter"),
    "needless-fault": (Layer.SEQUENCE, "a request whose header can be read is answered by a response, not by a fault"),
    "partial": (Layer.SEQUENCE, "who was asked for one thing did it or did not: PARTIAL is no answer to that"),
    "acknowledgement": (Layer.SEQUENCE, "what asks for an acknowledgement gets one, in time, before anything comes of it"),
    "async-reply": (Layer.SEQUENCE, "who asks for a later answer gets it at its ReplyAddress, not on the spot"),
    "message-id": (Layer.SEQUENCE, "every message has a MessageID of its own, but for the same octets sent again"),
    "correlation-reuse": (Layer.SEQUENCE, "requests that could be mistaken for each other have a CorrelationID each"),
    "timestamp-constant": (Layer.SEQUENCE, "messages made at different times do not have one timestamp"),
    "replayed": (Layer.SEQUENCE, "a nonce is used once, and just after it was made"),
    "same-object": (Layer.SEQUENCE, "an mRID stands for one object, in all messages"),
    "flood": (Layer.SEQUENCE, "nobody sends another more than 100 messages within a second"),
    "step-order": (Layer.SEQUENCE, "13 follows an order of step 1 that was granted, 14 a linkage of step 13 that was taken"),
    "passed-on-once": (Layer.SEQUENCE, "a linkage of step 13 goes on to the CIS once"),
    "device-chain": (Layer.SEQUENCE, "a linkage is of the device that was ordered in step 1"),
    "premise-chain": (Layer.SEQUENCE, "step 14 names the premise of the enrolment"),
    "in-force": (Layer.SEQUENCE, "a device has joined inside the window that was ordered, or at most 60 s after its end"),
    "key-told": (Layer.SEQUENCE, "the key of an order stands in no other place, neither in a message nor in a log"),
}


@dataclass(frozen=True)
class CimFinding:
    """One rule, broken or (verdict none) worth a note. `path` is made of local names from the document element."""

    rule: str
    message: str
    path: str = ""
    verdict: Verdict = Verdict.FAIL

    @property
    def layer(self) -> Layer:
        """The layer that the rule belongs to."""
        return RULES[self.rule][0]

    @property
    def failed(self) -> bool:
        """Whether the message breaks the rule."""
        return self.verdict >= Verdict.FAIL

    def as_dict(self) -> dict[str, Any]:
        """The finding as `hanproof cim check --json` prints it."""
        return {
            "verdict": str(self.verdict), "layer": str(self.layer), "rule": self.rule, "path": self.path,
            "message": self.message,
        }


def note(rule: str, message: str, path: str = "") -> CimFinding:
    """A deviation without a verdict."""
    return CimFinding(rule, message, path, Verdict.NONE)
