"""The decisions that the virtual back office and backhaul take, as one frozen value; a defect is a policy that differs.

A decision is a named field (asked at one place), or a rewrite of one outgoing structure: a `LegMessage` or the element tree of
a CIM message before it becomes octets, or the `Message` that carries it. Nothing here knows which clause a defect breaks; the
comments name the clauses that a field is about, so that a defect can be looked up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lxml import etree

from harness.actors.setup import Setup
from harness.backhaul.message import LegKind, LegMessage
from harness.cim.envelope import CimMessage, Kind, read
from harness.cim.tree import local, text
from harness.errors import LocalProtocolError
from harness.inquiry import DEMAND_RESPONSE
from harness.ports import Message

Rewrite = Callable[[Any], Any]
"""Sees each outgoing LegMessage, CIM tree and CIM Message of one actor; returns it, another, a tuple of several, or None to
send nothing."""


@dataclass(frozen=True)
class BackOfficePolicy:
    """What a conformant actor of the back office or the backhaul does; each field's default is the right decision."""

    # every party of the CIM bus (DR Application, AMI Head-End, CIS)
    replies: bool = True  # 01-REPLY, 13-REPLY, 14-REPLY
    validates: bool = True  # 01-REJECTS, 13-REJECTS, 14-REJECTS: refuses what schema, header or profile forbid
    reads_any_prefix: bool = True  # 01-TOLERANT, 13-TOLERANT, 14-TOLERANT: knows an element by its namespace
    recognises_repeats: bool = True  # 01-IDEMPOTENT, 13-IDEMPOTENT, 14-IDEMPOTENT: the same message again does nothing new
    survives_hostile_xml: bool = True  # 01-HOSTILE-XML: still answers afterwards
    retries: bool = True  # 13-RETRY, 14-RETRY: an unanswered request is sent again
    keeps_message_id: bool = True  # 13-RETRY, 14-RETRY, 13-UNIQUE, 14-UNIQUE: octet for octet as it was
    acknowledges: bool = True  # INT-ASYNC, INT-ACKNOWLEDGES: says at once that it has taken what wants that said
    answers_later: bool = True  # INT-ASYNC: the result goes to the ReplyAddress, not back the way the request came
    recognises_replays: bool = True  # 01-REJECTS, 13-REJECTS, 14-REJECTS: a nonce is used once
    # DR Application
    accepts_linkages: bool = True  # 13-REPLY: a right linkage is accepted
    awaits_linkage: bool = True  # 14-AFTER-13: CIS is informed when step 13 has come, not when the order was accepted
    checks_linkage: bool = True  # 13-REJECTS, 14-REJECTS: unknown device, meter or premise, duplicate
    informs_cis: bool = True  # 14-MESSAGE
    updates_state: bool = True  # POST-STATE-IN-DRMS
    imports_devices: bool = True  # PRE-DEVICE-IMPORTED
    moves_enrolments: bool = True  # SEQ-SWAP: a device that is ordered at another meter is enrolled there from then on
    # AMI Head-End
    registers_meters: bool = True  # PRE-METER-REGISTERED
    checks_meter: bool = True  # 01-REJECTS, INT-CIS-HEAD-END: a meter that nobody registered is refused
    checks_install_code: bool = True  # 01-KEY, 01-REJECTS, 04-BAD-CODE: length and CRC
    obeys_cancel: bool = True  # 01-CANCEL
    waits_for_start: bool = True  # 01-WINDOW, 02-TIMELY: nothing is forwarded before the window begins
    tells_failure_apart: bool = True  # 13-FAILURE: no linkage for a device that was not provisioned
    links_once: bool = True  # 13-ONE-LINKAGE, 13-UNIQUE: a repeated report makes no second linkage
    informs_ods: bool = True  # INT-HEAD-END-ODS
    publishes_to_cis: bool = True  # INT-HEAD-END-CIS
    # CIS
    programmes: tuple[str, ...] = (DEMAND_RESPONSE,)  # PRE-ENROLLED: what customers are enrolled in
    keeps_linkage: bool = True  # POST-CONFIG-IN-CIS
    moves_devices: bool = True  # SEQ-SWAP: a device is at the premise that its newest linkage names, and at no other
    # AMI Head-End, AMI Network, NIC: the proprietary legs
    drops_expired: bool = True  # 02-TIMELY, 03-TIMELY, 04-TIMELY: a window that is over is not opened
    remembers_withdrawals: bool = True  # 04-CLOSES: an order that comes after its withdrawal opens nothing
    subtracts_latency: bool = True  # 02-TIMELY, 03-TIMELY, 04-TIMELY: says the window left, not the window ordered
    drops_duplicates: bool = True  # 02-ONCE to 04-ONCE, 10-ONCE to 12-ONCE
    reports_undeliverable: bool = True  # 02-UNDELIVERABLE, 03-UNDELIVERABLE, 04-UNDELIVERABLE
    awaits_registration: bool = True  # 10-AFTER-REGISTRATION to 12-AFTER-REGISTRATION, 13-FAILURE
    has_routes: bool = True  # 02-UNDELIVERABLE, 03-UNDELIVERABLE: of the network, to any meter
    routes_to_every_meter: bool = False  # 03-TARGET, SEQ-TWO-DEVICES
    passes_the_nic_by: bool = False  # 03-RECEIVER: sends orders to the ESI as well
    serves_every_meter: bool = False  # 04-TARGET, 04-UNDELIVERABLE: hands its ESI what is for another meter
    install_code_mistake: str | None = None  # 04-AUTHORISES: how the ESI makes link keys wrong, a name of `known_mistakes`
    logs_keys: bool = False  # 02-CONFIDENTIAL to 04-CONFIDENTIAL, 01-SECRET
    forwarding_delay: float = 0.0  # seconds that a relay keeps a message; 02-TIMELY to 04-TIMELY, 10-TIMELY to 12-TIMELY
    rewrites: tuple[Rewrite, ...] = ()

    def rewritten(self, structure: Any) -> list[Any]:
        """What this actor really sends in place of a structure, in order; empty when it keeps silent."""
        outgoing = [structure]
        for rewrite in self.rewrites:
            outgoing = [made for each in outgoing for made in _as_list(rewrite(each))]
        return outgoing


def policy_of(setup: Setup) -> BackOfficePolicy:
    """The policy that an actor was set up with. Raises LocalProtocolError for a decision that no policy has."""
    unknown = setup.policy.keys() - BackOfficePolicy.__dataclass_fields__.keys()
    if unknown:
        raise LocalProtocolError(f"{setup.actor}: no policy decides {', '.join(sorted(unknown))}")
    return BackOfficePolicy(**setup.policy, rewrites=setup.rewrites)


@dataclass(frozen=True)
class LegRewrite:
    """A rewrite of leg messages of some kinds; an ESI, which rewrites structures of the air as well, knows it by its type."""

    change: Callable[[LegMessage], Any]
    kinds: tuple[LegKind, ...]

    def __call__(self, structure: Any) -> Any:
        """The structure, rewritten if it is a leg message of these kinds."""
        concerned = isinstance(structure, LegMessage) and (not self.kinds or structure.kind in self.kinds)
        return self.change(structure) if concerned else structure


def on_leg(change: Callable[[LegMessage], Any], *kinds: LegKind) -> Rewrite:
    """A rewrite of the leg messages of these kinds (of every kind when none is named)."""
    return LegRewrite(change, kinds)


def on_cim(change: Callable[[etree._Element], Any], *documents: str) -> Rewrite:
    """A rewrite of the CIM trees whose document element has one of these local names (of every tree when none is named).

    The names are those of the strongly typed form; a generic message goes by the name that it would have there.
    """

    def rewrite(structure: Any) -> Any:
        if not etree.iselement(structure) or (documents and _typed_name(structure) not in documents):
            return structure
        return change(structure)

    return rewrite


def on_wire(change: Callable[[Message, CimMessage], Any], *kinds: Kind) -> Rewrite:
    """A rewrite of CIM messages as they travel, with what their transport says, given also what was read from them.

    Of these kinds alone, or of every kind when none is named.
    """

    def rewrite(structure: Any) -> Any:
        message = read(structure.octets)[0] if isinstance(structure, Message) else None
        if message is None or (kinds and message.kind not in kinds):
            return structure
        return change(structure, message)

    return rewrite


def _typed_name(root: etree._Element) -> str:
    name, verb, noun = local(root), text(root, "Header", "Verb") or "", text(root, "Header", "Noun") or ""
    if name == f"{Kind.RESPONSE}Message":
        return f"{noun}{name}"
    return f"{verb.capitalize()}{noun}" if name in (f"{Kind.REQUEST}Message", f"{Kind.EVENT}Message") else name


def _as_list(made: Any) -> list[Any]:
    if made is None:
        return []
    return list(made) if isinstance(made, tuple) else [made]
