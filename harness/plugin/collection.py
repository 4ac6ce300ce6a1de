"""Which functions are conformance cases, which clauses and which step they name, and for which devices they run.

The markers carry the clauses and the row themselves; nothing here knows where the table of the use case stands.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from harness.plugin.options import current_run
from harness.usecase import Clause, Step

PLACE = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers."""
    config.addinivalue_line("markers", "clause(*clauses): the clauses of the use case that this case asks about")
    config.addinivalue_line("markers", "step(row): the row of the use case, or the section outside its rows, of these cases")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every case runs once for each device of the run."""
    if "device" in metafunc.fixturenames and metafunc.definition.get_closest_marker("clause") is not None:
        try:
            names = [device.name for device in current_run(metafunc.config).devices]
        except pytest.UsageError:  # here pytest would take it for a fault of the module; it is raised again below
            names = ["?"]
        metafunc.parametrize("device", names, indirect=True, ids=names)


def pytest_collection_modifyitems(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """Remember the order of collection, which parallel workers do not keep. Raises UsageError for a wrong bench file."""
    if any(is_case(item) for item in items):
        current_run(config)
    for place, item in enumerate(items):
        item.stash[PLACE] = place


def is_case(item: pytest.Item) -> bool:
    """Whether the item is a conformance case."""
    return item.get_closest_marker("clause") is not None


def clauses_of(item: pytest.Item) -> tuple[Clause, ...]:
    """The clauses the case is marked with."""
    return tuple(clause for mark in item.iter_markers("clause") for clause in mark.args)


def step_of(item: pytest.Item) -> str:
    """The step ("1" to "14") or section the case belongs to: its module's mark, else its first clause's."""
    mark = item.get_closest_marker("step")
    where = mark.args[0] if mark is not None else clauses_of(item)[0].step
    return str(where.number) if isinstance(where, Step) else str(where).lstrip("0")


def device_of(item: pytest.Item) -> str:
    """The name of the device the case runs for; empty where it asks for none."""
    callspec = getattr(item, "callspec", None)
    return str(callspec.params.get("device", "")) if callspec is not None else ""


def title_of(item: pytest.Item) -> str:
    """The case's name as the sentence it is."""
    return str(getattr(item, "originalname", item.name)).removeprefix("test_").replace("_", " ")
