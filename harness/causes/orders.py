"""Causes of failures of orders and of what answers them (steps 1 to 4, integration points)."""

from __future__ import annotations

from collections.abc import Mapping

CAUSES: Mapping[str, str] = {}
