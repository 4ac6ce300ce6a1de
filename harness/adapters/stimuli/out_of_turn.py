"""Messages of key establishment that nobody asked for: what either side can say of it by itself, at any place, right or wrong."""

from __future__ import annotations

from dissectors.clusters import key_establishment as cluster
from dissectors.clusters.key_establishment import (
    ConfirmKeyData,
    EphemeralData,
    InitiateKeyEstablishment,
    TerminateKeyEstablishment,
    TerminateStatus,
)
from dissectors.layer import Record
from dissectors.nwk import COORDINATOR
from harness.adapters.stimuli import Stimulus
from harness.stack.application import Path
from harness.stack.conversation import Script
from harness.stack.stimulus import Asker

EVERY_ENDPOINT = 0xFF  # 05-3474, 2.2.4.1.1: whoever has the cluster takes it
MESSAGES: dict[str, Record] = {
    **{layer.__name__: layer.of() for layer in (InitiateKeyEstablishment, EphemeralData, ConfirmKeyData)},
    **{
        status.name.lower().replace("_", "-"): TerminateKeyEstablishment.of(status=status, wait_time=1)
        for status in TerminateStatus
    },
}


def _say(asker: Asker, message: str) -> Script:
    """No answer is waited for. The device is the initiator, the ESI the responder."""
    known = asker.partner.endpoints.get(cluster.CLUSTER.identifier, EVERY_ENDPOINT)
    from_device = asker.partner.address == COORDINATOR
    path = Path(asker.partner.address, known, asker.endpoint, cluster.CLUSTER.identifier, to_server=from_device)
    yield asker.command(path, MESSAGES[message])


STIMULI = (Stimulus("key-message", "a message of key establishment, whatever comes before it", _say, unmet=True),)
