"""Causes of failures of CIM messages: the rule that is broken, by its id. Knows the rules, not who checks them."""

from __future__ import annotations

from collections.abc import Mapping

from harness.cim.finding import RULES, Layer

CAUSES: Mapping[str, str] = {
    rule: f"{'Among messages' if layer is Layer.SEQUENCE else 'In a message'} this does not hold: {sentence}."
    for rule, (layer, sentence) in RULES.items()
}
