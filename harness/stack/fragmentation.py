"""Cutting an ASDU into blocks and putting blocks together again. Knows no key and no timer; a window is one block.

05-3474, 2.2.8.4.5 and 2.2.5.1.8 (extended header); the window of one block is SE 1.0's, table 5-8.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from dissectors.aps import Fragmentation
from dissectors.layer import Record
from harness.stack.primitives import LinkKeyKind

ALL_RECEIVED = 0xFF  # an acknowledgement's bitfield when the window's block is there; bits beyond the window are 1
THIS_BLOCK = 0x01  # the bit of the window's only block
INTERFRAME_DELAY = 0.05  # seconds between blocks, SE table 5-8
MAX_BLOCKS = 0xFF  # the block number has one octet


def split(asdu: bytes, size: int) -> tuple[bytes, ...]:
    """Blocks of `size` octets, the last one shorter; an ASDU that fits is one block."""
    return tuple(asdu[start : start + size] for start in range(0, len(asdu), size)) or (b"",)


def extended_header(index: int, total: int) -> dict[str, int]:
    """The header fields of block `index` (from 0): the first one says how many there are, the others who they are."""
    if total == 1:
        return {}
    kind, number = (Fragmentation.PART, index) if index else (Fragmentation.FIRST, total)
    return {"extended_header_present": 1, "fragmentation": kind, "block_number": number}


def is_fragment(header: Record) -> bool:
    """Whether an APS frame is a block of a longer one, or acknowledges one."""
    return bool(header.extended_header_present) and header.fragmentation in (Fragmentation.FIRST, Fragmentation.PART)


def block_index(header: Record) -> int:
    """Which block a data frame carries, from 0."""
    return 0 if header.fragmentation == Fragmentation.FIRST else int(header.block_number)


def acknowledgement(header: Record) -> dict[str, int]:
    """The extended header of the acknowledgement of one block: the window begins, and ends, with it."""
    return {
        "extended_header_present": 1, "fragmentation": header.fragmentation, "block_number": block_index(header),
        "ack_bitfield": ALL_RECEIVED,
    }


def acknowledges(ack: Record, index: int, total: int) -> bool:
    """Whether an acknowledgement is for block `index` of `total` and says that it arrived."""
    if total == 1:
        return not is_fragment(ack)
    return is_fragment(ack) and ack.block_number == index and bool(ack.ack_bitfield & THIS_BLOCK)


@dataclass
class Reassembly:
    """The blocks of one transmission that have arrived; `total` is known when the first block is there.

    `kind` is that of the link key with which the block that came first was secured, None where it was not.
    """

    limit: int  # octets
    kind: LinkKeyKind | None = None
    total: int | None = None
    blocks: dict[int, bytes] = field(default_factory=dict)

    def takes(self, header: Record, block: bytes) -> bool:
        """Whether a block may belong here: numbered inside the whole, and the whole not longer than the limit."""
        index = block_index(header)
        total = header.block_number if header.fragmentation == Fragmentation.FIRST else self.total
        longest = max(len(block), *(len(each) for each in self.blocks.values())) if self.blocks else len(block)
        return total is None or (index < total and (total - 1) * longest < self.limit)

    def add(self, header: Record, block: bytes) -> None:
        """Take a block."""
        if header.fragmentation == Fragmentation.FIRST:
            self.total = header.block_number
        self.blocks[block_index(header)] = block

    @property
    def whole(self) -> bytes | None:
        """The ASDU, once every block is there."""
        if self.total is None or len(self.blocks) < self.total:
            return None
        return b"".join(self.blocks[index] for index in range(self.total))
