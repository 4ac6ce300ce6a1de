"""Every promise of an adapter, by what fills a place: a radio, or a machine. Knows what they are, and not how they are tested.

The first of a table is what the others of it rest on. To add one: a question in the module of its subject, a row below it, and a
wrong adapter in `harness/tests/wrong_radios.py` or `wrong_machines.py` that breaks it.
"""

from __future__ import annotations

from harness.contract import machine_manners, machine_recordings, radio_hearing, radio_manners, radio_sending

RADIO = (*radio_manners.PROMISES, *radio_sending.PROMISES, *radio_hearing.PROMISES)
MACHINE = machine_manners.PROMISES
RECORDED = (machine_manners.REHEARSES, *machine_recordings.PROMISES)
"""On the recording that the question of the first one returns."""

PROMISES = (*MACHINE, *RECORDED, *RADIO)
