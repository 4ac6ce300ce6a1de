"""Causes of failures of windows at the ESI, discovery, association and admission (steps 4 to 6)."""

from __future__ import annotations

from collections.abc import Mapping

CAUSES: Mapping[str, str] = {
    # a device behind a router
    "update-device-ignored": "The trust centre does nothing about an Update-Device: devices can join by the ESI alone.",
    "key-past-the-router": "Transport-Key is sent to the device itself, whose network key is missing, so that no router relays it.",
    "tunnel-without-nonce": "The auxiliary header inside the Tunnel lacks the extended nonce: behind a router nobody knows who sealed it.",
    "no-key-from-a-router": "The device takes a network key only where the trust centre is its parent.",
    "announced-to-all": "An end device broadcasts by itself what it must hand to its parent.",
}
