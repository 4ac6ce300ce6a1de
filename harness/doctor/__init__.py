"""What is wrong with a laboratory's bench before a run is begun on it: each finding one line, with what to do about it.

Nothing here touches the device under test: ports are opened, radios asked who they are, addresses connected to; no verb is
performed and nobody is asked. Knows no case.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.declarations import BenchFile
from harness.doctor.files import examine_files
from harness.doctor.finding import Finding
from harness.doctor.host import examine_host
from harness.doctor.radios import examine_radios
from harness.doctor.remote import examine_addresses
from harness.doctor.verbs import examine_verbs


def examine(file: BenchFile) -> Iterator[Finding]:
    """Everything that can be said of a bench, in the order in which one would mend it."""
    yield from examine_host()
    yield from examine_files(file)
    yield from examine_radios(file)
    yield from examine_verbs(file)
    yield from examine_addresses(file)
