"""Reads the vectors of `fixtures/vectors/<subject>/<publisher>.yaml`; knows their common head, not what they are about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

VECTORS = Path(__file__).parents[2] / "fixtures" / "vectors"


def read(subject: str, publisher: str) -> dict[str, Any]:
    """One file of vectors."""
    document: dict[str, Any] = yaml.safe_load((VECTORS / subject / f"{publisher}.yaml").read_text(encoding="utf-8"))
    return document


def rows(subject: str, key: str = "vectors") -> list[Any]:
    """The rows under `key` of every publisher's file on a subject, as pytest parameters named after the publisher."""
    found = [
        pytest.param(row, id=f"{path.stem}-{number}")
        for path in sorted((VECTORS / subject).glob("*.yaml"))
        for number, row in enumerate(read(subject, path.stem).get(key, ()), start=1)
    ]
    assert found, f"no vectors under {key!r} of {subject}"
    return found
