"""What holds between the CIM messages of a run and belongs to no single row: the rules of sequences, as for recorded exchanges."""

from __future__ import annotations

from harness.checkers import recorded
from harness.checkers.apart import together
from harness.checkers.parties import for_each
from harness.usecase import Actor, Clause, Point

CLAUSES = (
    Clause(
        id="UC2.7-INT-SEQUENCE",
        text=(
            "No message contradicts another: identifiers, nonces and mRIDs are their own, timestamps advance, an answer goes to "
            "who asked, as he asked for it, and every step follows from the one before."
        ),
        origin="PROFILE",
        citation="docs/cim-profile.md, rules of the layer sequence; IEC 61968-100:2013, HeaderType and message exchange patterns",
        checks=together(for_each((Actor.DR_APPLICATION, Actor.AMI_HEAD_END, Actor.CIS), recorded.contradicts_nothing)),
        needs=(Point.CIM,),
    ),
)
