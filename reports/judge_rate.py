"""`make bench`: how many CIM messages a second are judged, from octets to findings, beside lxml that only validates them.

Compared is a whole pass over the right messages of `fixtures/cim/messages`, in this one process: ours is everything that
`check_message` does, lxml's is to parse the same octets and to hold the tree against the schema, once, with no rule looked at.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from lxml import etree

from harness.cim.check import check_message
from harness.cim.envelope import read
from harness.cim.schema import compiled
from harness.clock import wall_seconds

MESSAGES = Path("fixtures/cim/messages/good")
PASSES, ROUNDS = 2, 250  # by turns, and the best counts: rounds so short that whatever else the machine does spares some
AIM = 0.5  # of lxml's rate


def main() -> int:
    """Print the rates and their ratio; 1 where there is no message to judge."""
    corpus = [path.read_bytes() for path in sorted(MESSAGES.glob("*.xml"))]
    if not corpus:
        print(f"no messages below {MESSAGES}: run this in a clone of the repository", file=sys.stderr)
        return 1
    schemas = {octets: compiled(message) for octets in corpus if (message := read(octets)[0]) is not None}
    ours, theirs = _rates(corpus, check_message, lambda octets: schemas[octets].validate(etree.fromstring(octets)))
    print(f"{len(corpus)} CIM messages, {sum(map(len, corpus)) // len(corpus)} octets on average, judged by schemas and rules")
    print(f"hanproof  {ours:>9,.0f} messages/s")
    print(f"lxml      {theirs:>9,.0f} messages/s, by schemas alone: {ours / theirs:.2f} of its rate is ours (the aim is {AIM})")
    return 0


def _rates(corpus: Sequence[bytes], *ways: Callable[[bytes], object]) -> list[float]:
    """Messages a second, by each way of judging them."""
    rounds = [[_seconds(corpus, judged) for judged in ways] for _ in range(ROUNDS)]
    return [len(corpus) * PASSES / min(seconds) for seconds in zip(*rounds, strict=True)]


def _seconds(corpus: Sequence[bytes], judged: Callable[[bytes], object]) -> float:
    start = wall_seconds()
    for _ in range(PASSES):
        for octets in corpus:
            judged(octets)
    return wall_seconds() - start


if __name__ == "__main__":
    sys.exit(main())
