"""Causes of failures in commissioning (step 7)."""

from __future__ import annotations

from collections.abc import Mapping

CAUSES: Mapping[str, str] = {}
