"""From `module:Class`, as a bench file names somebody's class, to that class. Knows none of them."""

from __future__ import annotations

import importlib
from typing import Any

from harness.errors import BenchError


def load(name: str) -> Any:
    """What is named as `module:Class`. Raises BenchError saying what is missing."""
    module, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except Exception as fault:  # a module of somebody else's may fail in any way
        raise BenchError(f"adapter {name}: {fault}") from fault
