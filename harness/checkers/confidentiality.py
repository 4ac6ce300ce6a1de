"""Whether key material stays where it belongs: in the key element of the order, and nowhere else. Knows octets."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from contextlib import suppress

from harness.checkers.cim_message import STEP_1, nouns_of
from harness.checkers.correspondence import Letter, letters
from harness.cim.envelope import Kind
from harness.cim.redaction import redacted
from harness.crypto.install_code import InstallCodeError, ordered_link_key
from harness.trace import Trace
from harness.usecase import Actor, Check, Point
from harness.verdict import Finding, failed, inconclusive, passed

_SEPARATORS = re.compile(rb"[\s:-]")


def keeps_the_key(actor: Actor, *, log: bool) -> Check:
    """01-SECRET: the key stands in no message of this actor but in an order's key element, nor (where asked for) in its log."""

    def check(trace: Trace) -> Iterator[Finding]:
        own = [letter for letter in letters(trace, actor) if "instead_of" not in letter.exchange.about]
        lines = [each for each in trace.at(Point.LOG) if log and each.producer == actor]
        secrets = _secrets(trace)
        if own and not secrets:
            yield inconclusive("the key that was ordered is not in the evidence", own[0].number, expected="the order's key")
            return
        own_telling = [letter.number for letter in own if tells(without_its_place(letter), secrets)]
        telling = own_telling + [each.number for each in lines if tells(each.octets, secrets)]
        if telling:
            yield failed(
                f"the {actor} tells the device's key", *telling, expected="key material in the key element of an order alone",
                observed=f"{len(telling)} messages or log lines with it",
                hint="key-in-a-log" if not own_telling else "key-in-a-message",
            )
        elif own:
            yield passed(f"the {actor} keeps the device's key to itself", *(letter.number for letter in own))

    check.__name__ = f"the {actor} keeps the key"
    return check


def _secrets(trace: Trace) -> list[bytes]:
    """What was ordered, and the link key made from it."""
    order = trace.header.order
    secrets = {order.key_material}
    with suppress(InstallCodeError):
        secrets.add(ordered_link_key(order.key_form, order.key_material))
    return [secret for secret in secrets if secret]


def tells(octets: bytes, secrets: list[bytes]) -> bool:
    """Whether a secret is in there: raw, in base64, or as hex digits with whatever stands between them."""
    digits = _SEPARATORS.sub(b"", octets.lower())
    return any(
        secret in octets or base64.b64encode(secret) in octets or secret.hex().encode() in digits for secret in secrets
    )


def without_its_place(letter: Letter) -> bytes:
    """The message, for an order without the content of its key element."""
    message = letter.message
    if message is None or message.kind is not Kind.REQUEST or STEP_1.noun not in nouns_of(message):
        return letter.exchange.octets
    return redacted(letter.exchange.octets)
