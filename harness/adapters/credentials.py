"""Where a virtual node's certificate comes from: what its file declares, else HANproof's own test authority issues one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.crypto.ecqv import TEST_CA, Credentials
from harness.ports import Chance
from harness.values import Eui64


def credentials_of(ieee: Eui64, declared: Mapping[str, Any], chance: Chance) -> Credentials:
    """`certificate`, `private_key` and `ca` of `declared`, in hex; issued for `ieee` where there is no certificate.

    Raises ValueError naming the field that is wrong.
    """
    if declared.get("certificate") is None:
        return TEST_CA.issue(ieee, chance)
    return Credentials.read({
        "certificate": declared["certificate"], "private_key": declared["private_key"], "ca_public_key": declared["ca"],
    })
