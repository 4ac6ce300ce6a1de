"""Causes of failures in key establishment (step 8)."""

from __future__ import annotations

from collections.abc import Mapping

CAUSES: Mapping[str, str] = {}
