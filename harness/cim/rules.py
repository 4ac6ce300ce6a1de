"""The rules of the envelope that one message alone can break and no schema can see; knows no payload and no sender."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from harness.cim.envelope import EVENT_VERBS, REPLY, REQUEST_VERBS, CimMessage, Form, Header, Kind
from harness.cim.envelope import Reply as ReplyPart
from harness.cim.finding import CimFinding, note
from harness.cim.instant import fault_of, instant_of
from harness.cim.redaction import stands_elsewhere
from harness.cim.reply_codes import is_known, is_success
from harness.cim.tree import local, text

AHEAD = timedelta(minutes=5)  # how far a sender's clock may be ahead of the receiver's
STALE = timedelta(hours=1)  # how old a message may be on arrival; longer than any retry, which keeps its timestamp
REVISIONS = ("1.0", "2.0")  # what a header's Revision may say, where it says anything (profile)
MIN_KEY_DIGITS = 16  # what the shortest install code has
GRAVE = ("FATAL", "CATASTROPHIC")
PAYLOAD_VERBS = ("create", "change", *EVENT_VERBS)
VERBS = (*REQUEST_VERBS, *EVENT_VERBS, REPLY)
_SAID = ("Timestamp", "Source", "MessageID", "CorrelationID")
VERBS_OF = {Kind.REQUEST: REQUEST_VERBS, Kind.EVENT: EVENT_VERBS, Kind.RESPONSE: (REPLY,)}


def check_envelope(message: CimMessage, now: datetime | None, context: str | None) -> Iterator[CimFinding]:
    """Header, verb, noun and reply of a message; `now` and `context` are the receiver's, None where they are not known."""
    name = local(message.root)
    if message.header is not None:
        path = f"/{name}/Header"
        yield from _check_verb(message, message.header, name)
        yield from _check_noun(message, message.header, path)
        yield from _check_header(message, message.header, context, path)
        yield from _check_timestamp(message.header, now, path)
        yield from _check_secrets(message, message.header, path)
    if message.reply is not None:
        yield from _check_reply(message.reply, f"/{name}/Reply", message.generation)


def _check_verb(message: CimMessage, header: Header, name: str) -> Iterator[CimFinding]:
    verb, kind, path = message.verb or "", message.kind, f"/{name}/Header/Verb"
    if message.generation == "2008" and verb not in VERBS:  # later generations leave that to their schema
        yield CimFinding("verb", f"{header.verb!r} is no verb in any case", path)
    elif kind is Kind.RESPONSE and verb in EVENT_VERBS:
        yield note("reply-verb", f"a response has the verb reply, not {verb}", path)
    elif message.form is Form.TYPED and message.wrapper and verb != message.wrapper[0]:
        yield CimFinding("wrapper-verb", f"{name} with the verb {verb}", path)
    elif kind in VERBS_OF and verb not in VERBS_OF[kind]:
        yield CimFinding("kind-verb", f"{name} with the verb {verb}", path)
    if message.payload is None and verb in PAYLOAD_VERBS and kind in (Kind.REQUEST, Kind.EVENT):
        yield CimFinding("payload-missing", f"{verb} without a payload", f"/{name}")


def _check_noun(message: CimMessage, header: Header, path: str) -> Iterator[CimFinding]:
    named = message.wrapper[1] if message.wrapper else None if message.payload is None else local(message.payload)
    if named is not None and header.noun != named:
        yield CimFinding("noun", f"the noun is {header.noun}, the message is about {named}", f"{path}/Noun")


def _check_header(message: CimMessage, header: Header, context: str | None, path: str) -> Iterator[CimFinding]:
    asynchronous = header.async_reply_flag in ("true", "1")
    said = (header.timestamp, header.source, header.message_id, header.correlation_id)
    for name in () if all(said) else [name for name, value in zip(_SAID, said, strict=True) if not value]:
        needed = name == "CorrelationID" and (asynchronous or message.kind is Kind.RESPONSE)
        yield CimFinding("correlation" if needed else "header-profile", f"no {name}", path)
    if asynchronous and not header.reply_address:
        yield CimFinding("async-address", "AsyncReplyFlag is true, and there is no ReplyAddress", path)
    elif asynchronous and not _is_address(header.reply_address or ""):
        yield CimFinding("async-address", "the ReplyAddress is none that anybody can reach", f"{path}/ReplyAddress")
    if header.revision and header.revision not in REVISIONS:
        yield CimFinding("revision", f"{header.revision} is none of {', '.join(REVISIONS)}", f"{path}/Revision")
    if header.context and context and header.context != context:
        yield CimFinding("context", f"{header.context}, while the receiver is {context}", f"{path}/Context")


def _is_address(written: str) -> bool:
    """Whether a text can be a URL with a host, or the name of a queue; what only stands for one is neither."""
    try:
        parts = urlsplit(written)
        host, _ = parts.hostname, parts.port  # a port that is no number raises
    except ValueError:
        return False
    return not any(character.isspace() or character in "<>{}" for character in written) and (bool(host) or "://" not in written)


def _check_timestamp(header: Header, now: datetime | None, path: str) -> Iterator[CimFinding]:
    made = instant_of(header.timestamp)
    if made is None:
        if (fault := fault_of(header.timestamp)) is not None:
            yield CimFinding(*fault, f"{path}/Timestamp")
    elif now and made - now > AHEAD:
        yield CimFinding("freshness", f"{header.timestamp} is in the future", f"{path}/Timestamp")
    elif now and now - made > STALE:
        yield CimFinding("freshness", f"{header.timestamp} is stale", f"{path}/Timestamp")


def _check_secrets(message: CimMessage, header: Header, path: str) -> Iterator[CimFinding]:
    """Key material, and passwords, outside of the elements that are made for them; no finding repeats one."""
    if header.reply_address and "@" in header.reply_address.partition("://")[2].partition("/")[0]:
        yield CimFinding("secret", "the ReplyAddress tells a name or a password", f"{path}/ReplyAddress")
    told = [] if message.payload is None else [text(each) or "" for each in message.payload.iter("{*}installCode")]
    keys = [key.lower().encode() for key in told if len(key) >= MIN_KEY_DIGITS]
    if keys and any(stands_elsewhere(message.octets, key) for key in keys):
        yield CimFinding("secret", "the key stands outside of its element as well", path.removesuffix("/Header"))


def _check_reply(reply: ReplyPart, path: str, generation: str) -> Iterator[CimFinding]:
    failures = [error.code for error in reply.errors if not is_success(error.code)]
    grave = [error.code for error in reply.errors if error.level in GRAVE or error.code in failures]
    if reply.result == "OK" and grave:
        yield CimFinding("result-error", f"OK, and yet the error {grave[0]}", path)
    if reply.result == "PARTIAL" and not reply.errors:
        yield CimFinding("result-error", "PARTIAL, and nothing says what was left out", path)
    if reply.result == "FAILED" and not failures:
        yield CimFinding("result-error", "FAILED, and no error says why", path)
    for error in reply.errors:
        if not is_known(error.code):
            where = f"{path}/ReplyCode" if generation == "2008" else f"{path}/Error/code"
            yield CimFinding("error-code", f"{error.code!r} is no reply code, and not of the local form", where)
