"""A device under test of several actors: which wires lie inside it, and what can therefore not be asked. Knows no encoding.

A meter that is NIC and ESI in one hides the wire of steps 4 and 10: nothing is recorded there, and no verdict may rest on it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from harness.usecase import Actor, Clause, Point, Sight, Sights, Wire

ADJACENT: frozenset[Wire] = frozenset({
    frozenset({Actor.DR_APPLICATION, Actor.AMI_HEAD_END}), frozenset({Actor.AMI_HEAD_END, Actor.AMI_NETWORK}),
    frozenset({Actor.AMI_NETWORK, Actor.NIC}), frozenset({Actor.NIC, Actor.ESI}), frozenset({Actor.ESI, Actor.HAN_DEVICE}),
    frozenset({Actor.CIS, Actor.DR_APPLICATION}), frozenset({Actor.CIS, Actor.AMI_HEAD_END}),
    frozenset({Actor.ODS, Actor.AMI_HEAD_END}),
})
"""Which actors talk to each other; a DUT of several actors hides only the wires between them."""

AIR: Wire = frozenset({Actor.ESI, Actor.HAN_DEVICE})
WIRE_OF_STEP: Mapping[int, Wire] = {
    **dict.fromkeys((1, 13), frozenset({Actor.DR_APPLICATION, Actor.AMI_HEAD_END})),
    **dict.fromkeys((2, 12), frozenset({Actor.AMI_HEAD_END, Actor.AMI_NETWORK})),
    **dict.fromkeys((3, 11), frozenset({Actor.AMI_NETWORK, Actor.NIC})),
    **dict.fromkeys((4, 10), frozenset({Actor.NIC, Actor.ESI})),
    **dict.fromkeys(range(5, 10), AIR),
    14: frozenset({Actor.CIS, Actor.DR_APPLICATION}),
}
FIRST_ON_AIR = 5


def connected(actors: Collection[Actor]) -> bool:
    """Whether these actors, each named once, hang together by wires between them."""
    reached = set(list(actors)[:1])
    while grown := {actor for actor in actors if actor not in reached and any({actor, other} in ADJACENT for other in reached)}:
        reached |= grown
    return reached == set(actors) and len(reached) == len(actors)


def inside(dut: Collection[str], wire: Collection[str]) -> bool:
    """Whether a wire, given by its two ends, lies inside the device under test."""
    ends = frozenset(wire)
    return ends in ADJACENT and ends <= set(dut)


def step_inside(dut: Collection[str], step: int) -> bool:
    """Whether the wire of a step lies inside the device under test."""
    return inside(dut, WIRE_OF_STEP[step])


def hidden(clause: Clause, actor: Actor, dut: Collection[Actor]) -> str:
    """Why a clause cannot be asked of an actor of this DUT: what it must see lies inside. Empty where it can."""
    for sight in _sights(clause, actor):
        choices = sight if isinstance(sight, tuple) else (sight,)
        if all(inside(dut, each if isinstance(each, frozenset) else WIRE_OF_STEP[each]) for each in choices):
            return f"{_told(choices)} inside the device under test ({', '.join(dut)})"
    return ""


def _sights(clause: Clause, actor: Actor) -> Sights:
    """What a clause must see: what it says, else its own step; and the air, where it needs that."""
    said = clause.sees.get(actor, ()) if isinstance(clause.sees, Mapping) else clause.sees
    own = int(clause.step) if clause.step.isdecimal() else None
    if said is None:
        said = () if own is None else (own,)
    on_air = own if own is not None and WIRE_OF_STEP[own] == AIR else FIRST_ON_AIR
    return (*said, on_air) if Point.MAC in clause.needs else said


def _told(choices: tuple[Sight, ...]) -> str:
    words = [
        f"step {each}" if isinstance(each, int) else "the wire between " + " and ".join(sorted(each)) for each in choices
    ]
    return f"{words[0]} lies" if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]} lie"
