"""Known causes of failures by id, each in one sentence: what a finding's hint means.

Knows the rules of CIM messages by name, no checker, and no device.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType


@cache
def all_causes() -> Mapping[str, str]:
    """Every cause by its id, found by walking this package's modules for their `CAUSES`. Raises ValueError for one told twice."""
    found: dict[str, str] = {}
    for module in pkgutil.iter_modules(__path__):
        causes: Mapping[str, str] = importlib.import_module(f"{__name__}.{module.name}").CAUSES
        twice = found.keys() & causes.keys()
        if twice:
            raise ValueError(f"harness/causes/{module.name}.py tells again of {', '.join(sorted(twice))}")
        found.update(causes)
    return MappingProxyType(found)


def in_words(cause: str) -> str:
    """The sentence of a cause. Raises LookupError for an id that nobody has explained."""
    if cause not in all_causes():
        raise LookupError(f"no cause is called {cause!r}; causes stand in harness/causes/")
    return all_causes()[cause]
