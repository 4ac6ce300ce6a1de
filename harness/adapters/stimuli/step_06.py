"""What is said to either side of the HAN about its membership in step 6: goodbyes that nobody may believe."""

from __future__ import annotations

from dissectors.nwk import Leave
from harness.adapters.stimuli import ANSWER, Stimulus
from harness.stack.conversation import Script
from harness.stack.stimulus import Asker


def _unsecured_leave(asker: Asker) -> Script:
    """A parent tells to leave, a child says that it leaves: either without NWK security."""
    yield asker.network_command(Leave.of(request=int(asker.application.own_layers.parent is None)), secured=False)
    yield ANSWER


def _leave(asker: Asker) -> Script:
    """What a parent may say to a child."""
    yield asker.network_command(Leave.of(request=1))
    yield ANSWER


STIMULI = (
    Stimulus("leave", "a NWK Leave of the parent", _leave, misbehaviours=("M-45",)),
    Stimulus("unsecured-leave", "a NWK Leave without NWK security", _unsecured_leave),
)
