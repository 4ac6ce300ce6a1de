"""Causes of failures of reports and linkages (steps 10 to 14, postconditions, the whole run)."""

from __future__ import annotations

from collections.abc import Mapping

CAUSES: Mapping[str, str] = {}
