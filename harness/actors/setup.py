"""What every adapter is told when a bench is built; knows no adapter and no encoding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from harness.actors.prompt import Prompt, nobody
from harness.cim_profile import DEFAULT, CimProfile
from harness.ports import Chance
from harness.usecase import Actor, Order


@dataclass(frozen=True)
class Setup:
    """One actor of one run.

    `orders` are the orders the DR Application may place, first one first; `identity` is this actor's PIXIT (EUI-64,
    credentials, what key it holds ...); `options` come from the bench file. `policy` names decisions that differ from the
    right ones and `rewrites` changes outgoing structures: both are empty unless a defect or a provocation is planted.
    `cim` is how the bench wants its IEC 61968 messages; `reply_addresses` says, by who is asked, where a later result reaches this
    actor (on the bench's own wires it needs none). `interrupt` may be called from any thread: the bench then looks at once
    for what has arrived, instead of waiting on. `ask` puts a prompt to the laboratory's operator, for whom the bench's time stands
    still, and gives the answer; it raises Inconclusive where none comes. `aside` is the context for whatever else takes real time in
    which nothing is to happen on the bench. `note` keeps in the evidence what else was done by hand, and gives the record, to be
    completed when it is over.
    """

    actor: Actor
    orders: tuple[Order, ...]
    epoch: datetime
    chance: Chance
    identity: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    policy: Mapping[str, Any] = field(default_factory=dict)
    rewrites: tuple[Callable[[Any], Any], ...] = ()
    cim: CimProfile = DEFAULT
    reply_addresses: Mapping[str, str] = field(default_factory=dict)
    interrupt: Callable[[], None] = lambda: None
    ask: Callable[[Prompt], str] = nobody
    aside: Callable[[], AbstractContextManager[None]] = nullcontext
    note: Callable[..., dict[str, Any]] = dict
