"""By which real radios a scenario was heard, and how much time passed that its time stamps do not show, in words.

Read from the header of the trace; knows no report and gives no verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.evidence.header import read_about
from harness.trace import BEHIND, RADIOS, STOOD

SHOWN = 0.05  # seconds: less than that is no standstill to a reader


def heard_by(folder: Path) -> dict[str, Any]:
    """What is known of each real radio of a scenario, and of time that is missing, by what a reader calls it. Raises InputError naming
    the file."""
    return read_about(folder, lambda about: {
        **{f"radio: {name}": said for name, said in dict(about.get(RADIOS, {})).items()}, **missing_time(about),
    })


def missing_time(about: Mapping[str, Any]) -> dict[str, str]:
    """Where and for how long the bench's clock stood still, and by how much it was behind. Raises TypeError or ValueError for what is
    neither."""
    stood = [f"{seconds:.1f} s at {at:.3f} s" for at, _, seconds in about.get(STOOD, ()) if seconds >= SHOWN]
    behind = [float(seconds) for _, _, seconds in about.get(BEHIND, ())]
    said = {
        "the bench's clock stood still": ", ".join(stood),
        "and was behind": f"by {max(behind):.2f} s at most, {len(behind)} times" if behind else "",
    }
    return {name: text for name, text in said.items() if text}
