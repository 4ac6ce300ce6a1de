"""The header of a scenario's trace as its folder keeps it. Knows no report, and nothing of what stands in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from harness.errors import InputError

TRACE = "trace.jsonl"
T = TypeVar("T")


def read_about(folder: Path, read: Callable[[Mapping[str, Any]], T]) -> T:
    """What `read` makes of the header's `about`. Raises InputError naming the file, also where `read` finds something else than it
    should (KeyError, TypeError, ValueError, AttributeError)."""
    path = folder / TRACE
    try:
        with path.open(encoding="utf-8") as lines:
            return read(json.loads(lines.readline())["about"])
    except OSError as fault:
        raise InputError(f"{path}: cannot be read: {fault.strerror}") from fault
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise InputError(f"{path}:1: not the header of a trace: {fault}") from fault
