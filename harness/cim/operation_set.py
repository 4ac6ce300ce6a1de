"""Several operations in one message, an OperationSet: read, and what one message alone can get wrong with it.

Knows no noun of the operations; whether they are carried out is for the receiver to decide.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from harness.cim.envelope import CimMessage, Kind, Reply, ReplyError
from harness.cim.finding import CimFinding
from harness.cim.reply_codes import ReplyCode, is_success
from harness.cim.tree import children, local, path_of, text

NOUN = "OperationSet"
VERBS = {Kind.REQUEST: "execute", Kind.EVENT: "executed"}


@dataclass(frozen=True)
class Operation:
    """One operation of a set: its number as it is written (None: it has none), and the noun and verb it is about."""

    identifier: str | None
    noun: str | None
    verb: str | None


def read(payload: etree._Element) -> tuple[Operation, ...]:
    """The operations of an OperationSet, in their order."""
    return tuple(
        Operation(text(each, "operationId"), text(each, "noun"), text(each, "verb")) for each in children(payload, "Operation")
    )


def holds_one(message: CimMessage) -> bool:
    """Whether the payload of a message is an OperationSet."""
    return message.payload is not None and local(message.payload) == NOUN


def check(message: CimMessage) -> Iterator[CimFinding]:
    """The rules of a set of operations, and of a reply to one."""
    header, payload = message.header, message.payload
    if header is None:
        return
    if payload is not None and holds_one(message):
        path = path_of(payload)
        wanted = VERBS.get(message.kind) if message.kind else None
        if wanted and message.verb != wanted:
            yield CimFinding("operation-set", f"a set of operations with the verb {message.verb}; {wanted} it would be", path)
        if header.noun != NOUN:
            yield CimFinding("operation-set", f"a set of operations with the noun {header.noun}", path)
        yield from _check_numbers(read(payload), path)
    elif message.verb in VERBS.values() and header.noun == NOUN:
        where = "" if payload is None else path_of(payload)
        yield CimFinding("operation-set", f"{message.verb} without a set of operations", where)
    if message.kind is Kind.RESPONSE and header.noun == NOUN and message.reply is not None:
        yield from _check_reply(message.reply)


def _check_numbers(operations: tuple[Operation, ...], path: str) -> Iterator[CimFinding]:
    if not operations:
        yield CimFinding("operation-set", "a set without operations", path)
    met: set[str] = set()
    for each in operations:
        if each.identifier and each.identifier in met:  # that none is missing, the schema sees
            yield CimFinding("operation-set", f"two operations have the operationId {each.identifier}", path)
        met.add(each.identifier or "")


def _check_reply(reply: Reply) -> Iterator[CimFinding]:
    """Where not all of a set went the same way, each error says of which operation it is."""
    nameless = [error for error in reply.errors if not is_success(error.code) and not error.operation_id]
    if reply.result == "PARTIAL" and nameless:
        yield CimFinding("operation-set", f"the error {nameless[0].code} says of no operation", "/Reply/Error")


def refused(message: CimMessage, code: ReplyCode, reason: str) -> Reply:
    """FAILED with one error for each operation of the set."""
    operations = read(message.payload) if message.payload is not None else ()
    return Reply("FAILED", tuple(ReplyError(code, reason, operation_id=each.identifier) for each in operations))
