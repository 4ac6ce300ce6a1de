"""Causes of failures of windows at the ESI, discovery, association and admission (steps 4 to 6)."""

from __future__ import annotations

from collections.abc import Mapping

CAUSES: Mapping[str, str] = {}
