"""What is lower knows nothing of what is higher: the imports of every module are held to the table below.

A row names a package (the longest name that fits a module counts) and what of ours it may import beside itself; `LAYER_0` is
open to every package of the harness. docs/design.md quotes this table.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = ("harness", "dissectors", "cases", "reports")
LAYER_0 = (
    "harness.values", "harness.clock", "harness.errors", "harness.verdict", "harness.usecase", "harness.trace", "harness.ports",
    "harness.remembered", "harness.judge", "harness.pics", "harness.inquiry", "harness.cim_profile", "harness.composite", "harness.garbage",
)

MAY_IMPORT = {
    "dissectors": (),
    "harness": (),
    **dict.fromkeys(LAYER_0, LAYER_0),
    "harness.crypto": ("dissectors.security",),
    "harness.cim": (),
    "harness.causes": ("harness.cim.finding",),
    "harness.cim.recording": ("harness.cim", "harness.declared"),
    "harness.stack": ("dissectors", "harness.crypto"),
    "harness.faults": ("dissectors",),
    "harness.live_capture": ("dissectors",),
    "harness.radio": ("dissectors", "harness.faults", "harness.live_capture"),
    "harness.backhaul": ("dissectors", "harness.faults"),
    "harness.checkers": ("dissectors", "harness.cim", "harness.crypto", "harness.backhaul.codec", "harness.backhaul.message"),
    "harness.strategies": ("dissectors", "harness.cim", "harness.crypto"),
    "harness.application_strategies": ("dissectors",),
    "harness.cim_strategies": ("harness.cim",),
    "harness.overlap_strategies": ("harness.strategies",),
    "harness.profiles": (
        "dissectors", "harness.crypto", "harness.declarations", "harness.stack", "harness.strategies",
    ),
    "harness.declared": (),
    "harness.leg_declaration": ("harness.declared",),
    "harness.role_verbs": ("harness.declared",),
    "harness.radio_declaration": ("dissectors", "harness.declared"),
    "harness.declarations": (
        "harness.crypto", "harness.declared", "harness.leg_declaration", "harness.radio_declaration", "harness.role_verbs",
    ),
    "harness.actors": (),
    "harness.ncp": (),
    "harness.loading": (),
    "harness.asking": ("harness.actors", "harness.bench_time"),
    "harness.operator": ("harness.actors.prompt", "harness.asking", "harness.declared"),
    "harness.adapters": (
        "dissectors", "harness.actors", "harness.stack", "harness.crypto", "harness.cim", "harness.radio", "harness.backhaul",
        "harness.leg_declaration", "harness.loading", "harness.ncp.libraries", "harness.ncp.line", "harness.role_verbs",
    ),
    "harness.airs": (
        "harness.declarations", "harness.loading", "harness.plan", "harness.radio", "harness.radio_declaration", "harness.taps",
    ),
    "harness.bench": (
        "harness.actors", "harness.airs", "harness.asking", "harness.backhaul", "harness.bench_time", "harness.faults",
        "harness.declarations",
        "harness.stack.happenings", "harness.adapters.defects", "harness.building",
        "harness.loop", "harness.machines", "harness.plan", "harness.sanity", "harness.silent_device", "harness.taps",
        "harness.window_by_hand",
    ),
    "harness.loop": ("harness.airs", "harness.backhaul.wires", "harness.bench_time", "harness.machines"),
    "harness.bench_time": (),
    "harness.machines": (),
    "harness.window_by_hand": ("harness.backhaul",),
    "harness.serving": ("harness.actors", "harness.backhaul"),
    "harness.serving_air": ("harness.actors", "harness.backhaul", "harness.radio"),
    "harness.building": (
        "harness.crypto.install_code",
        "harness.actors", "harness.adapters.defects", "harness.declarations", "harness.leg_declaration", "harness.loading",
        "harness.neighbour", "harness.plan", "harness.radio_declaration", "harness.second_meter",
    ),
    "harness.plan": (
        "harness.backhaul.wires", "harness.crypto.install_code", "harness.declarations", "harness.second_meter", "harness.taps",
    ),
    "harness.sanity": (),
    "harness.silent_device": ("harness.actors.reports", "harness.stack.happenings"),
    "harness.second_meter": (),
    "harness.taps": ("dissectors", "harness.actors.reports", "harness.faults", "harness.backhaul"),
    "harness.neighbour": ("dissectors", "harness.actors", "harness.backhaul", "harness.stack.happenings"),
    "harness.evidence": ("dissectors.capture", "dissectors.key_file", "harness.actors.prompt", "harness.causes", "harness.declarations"),
    "harness.plugin": ("harness.declarations", "harness.evidence"),
    "harness.plugin.operating": (
        "harness.actors.prompt", "harness.declarations", "harness.operator", "harness.plugin", "harness.role_verbs",
    ),
    "harness.plugin.kill_matrix": ("harness.adapters.defects", "harness.declarations", "harness.plugin"),
    "harness.plugin.bench_building": (
        "harness.backhaul.named_codec", "harness.bench", "harness.building", "harness.declarations",
        "harness.leg_declaration", "harness.plan", "harness.plugin", "harness.radio_declaration",
    ),
    "harness.fuzzing": (
        "dissectors", "harness.adapters.defects", "harness.backhaul.message", "harness.bench", "harness.crypto", "harness.declarations",
        "harness.faults", "harness.plan", "harness.stack.happenings", "harness.stack.policy", "harness.strategies",
    ),
    **dict.fromkeys(("harness.fuzzing.vocabulary", "harness.fuzzing.model"), ()),
    "harness.fuzzing.script": ("harness.crypto.install_code", "harness.fuzzing.vocabulary"),
    "harness.fuzzing.sight": ("dissectors", "harness.fuzzing.vocabulary"),
    **dict.fromkeys(
        ("harness.fuzzing.laws_of_admission", "harness.fuzzing.laws_of_keys", "harness.fuzzing.laws_of_service"),
        ("dissectors", "harness.backhaul.message", "harness.fuzzing.laws_of_keys", "harness.fuzzing.model", "harness.fuzzing.sight"),
    ),
    "harness.audit": ("dissectors", "harness.checkers"),
    "harness.new_bench": ("harness.actors.prompt", "harness.role_verbs"),
    "harness.doctor": (
        "dissectors.smart_energy", "harness.actors.verbs", "harness.airs", "harness.declarations", "harness.declared",
        "harness.leg_declaration", "harness.loading", "harness.radio_declaration", "harness.role_verbs",
    ),
    "harness.contract": (
        "dissectors.mac", "harness.actors", "harness.backhaul.named_codec", "harness.backhaul.wires", "harness.bench", "harness.building",
        "harness.declarations", "harness.leg_declaration", "harness.plan", "harness.radio", "harness.radio_declaration", "harness.taps",
    ),
    "harness.commands": (
        "harness.actors.prompt", "harness.adapters.defects", "harness.audit", "harness.doctor", "harness.fuzzing", "harness.live_capture",
        "harness.new_bench", "harness.operator",
        "dissectors", "harness.backhaul.named_codec", "harness.cim", "harness.crypto", "harness.declared", "harness.declarations",
        "harness.evidence", "harness.plugin", "reports",
    ),
    "harness.commands.adapter": ("harness.contract", "harness.declarations"),
    "harness.commands.matrix": ("harness.adapters.defects", "harness.adapters.stimuli"),
    "harness.commands.defects": (
        "harness.commands", "harness.adapters.defects", "harness.declared", "harness.declarations", "harness.plugin", "reports",
    ),
    "harness.commands.serve": (
        "harness.commands", "harness.serving", "harness.building", "harness.actors", "harness.adapters", "harness.backhaul", "harness.cim",
        "harness.declarations",
    ),
    "harness.commands.serve_air": (
        "harness.serving", "harness.serving_air", "harness.building", "harness.actors", "harness.adapters", "harness.backhaul",
        "harness.declarations", "harness.plan",
    ),
    "harness.cli": ("harness.commands",),
    "cases.table": ("harness.checkers",),
    "cases": (
        "dissectors", "harness.checkers", "harness.faults", "harness.backhaul.faults", "harness.strategies",
        "harness.application_strategies", "harness.cim_strategies", "harness.overlap_strategies",
    ),
    "reports": ("dissectors", "harness", "cases.table"),
}
CO_PROCESSOR = ("harness.radio.rcp", "harness.radio.rcp_line", "harness.radio.rcp_session")
MAY_KEEP_TIME = {
    "time": ("harness.clock",),
    "random": (
        "harness.bench", "harness.contract.script", "harness.contract.watching", "harness.serving", "harness.commands.serve",
        "harness.commands.serve_air",
    ),
    "asyncio": ("harness.adapters", "harness.backhaul", "harness.ncp", *CO_PROCESSOR),
}
MAY_USE = {  # packages from outside that belong to one subject
    "scapy": ("dissectors",), "cryptography": ("dissectors",), "lxml": ("harness.cim", "harness.adapters", "reports"),
    **dict.fromkeys(("aiospinel", "serialx"), CO_PROCESSOR),
    "xmlschema": ("harness.cim",), "yaml": ("harness.declared",), "h11": ("harness.backhaul",),
    "zigpy": ("harness.ncp",), "bellows": ("harness.ncp.ezsp",),
    "proton": ("harness.backhaul.amqp_carrier",), "stomp": ("harness.backhaul.stomp_carrier",),
    "hypothesis": (
        "harness.strategies", "harness.application_strategies", "harness.cim_strategies", "harness.overlap_strategies",
        "harness.profiles.strategies", "harness.fuzzing", "harness.plugin", "cases",
    ),
    "allure_commons": ("harness.plugin",), "allure_pytest": ("harness.plugin",),
    "pytest": ("harness.plugin", "harness.commands", "cases"),
}


def modules() -> Iterator[tuple[str, Path]]:
    packages = [ROOT / top for top in OURS]
    while packages:
        package = packages.pop()
        packages += [path.parent for path in package.glob("*/__init__.py") if path.parent.name != "tests"]
        for path in sorted(package.glob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


MODULES = dict(modules())


@cache
def syntax(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@cache
def imported(path: Path) -> tuple[tuple[str, int], ...]:
    """Every name that a module imports, also inside functions, with its line; what is taken from a package is below it."""
    found: list[tuple[str, int]] = []
    for node in syntax(path):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            found += [(f"{node.module}.{alias.name}", node.lineno) for alias in node.names]
    return tuple(found)


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def row_of(module: str) -> str:
    return max((package for package in MAY_IMPORT if within(module, (package,))), key=len, default="")


def forbidden(module: str, path: Path) -> Iterator[str]:
    row = row_of(module)
    allowed = (row, *MAY_IMPORT[row], *(LAYER_0 if row not in ("dissectors", *LAYER_0) else ()))
    for name, line in imported(path):
        if name.split(".")[0] in OURS and not within(name, allowed) and name not in allowed:
            yield f"{path.relative_to(ROOT)}:{line}: {module} imports {name}"


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_its_row_names(module: str) -> None:
    assert row_of(module) not in ("", "harness") or module == "harness", f"{module} stands in no row of the table"
    assert list(forbidden(module, MODULES[module])) == []


@pytest.mark.parametrize(("package", "owners"), [*MAY_KEEP_TIME.items(), *MAY_USE.items()])
def test_time_chance_and_libraries_stay_with_their_owners(package: str, owners: tuple[str, ...]) -> None:
    users = {module for module, path in MODULES.items() for name, _ in imported(path) if name.split(".")[0] == package}
    assert {user for user in users if not within(user, owners)} == set()


def test_nobody_reads_a_clock_or_draws_chance_by_another_way() -> None:
    hidden = {
        ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"),
        ("os", "urandom"), ("uuid", "uuid4"),
    }
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for module, path in MODULES.items() if module != "harness.clock"
        for node in syntax(path)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and (node.value.id, node.attr) in hidden
    ]
    assert found == []


def test_adapters_know_each_other_only_by_shared_modules_without_an_actor() -> None:
    adapters = {module for module in MODULES if module.startswith("harness.adapters.virtual_")}
    found = [
        f"{module} imports {name}" for module in adapters for name, _ in imported(MODULES[module])
        if any(within(name, (other,)) for other in adapters - {module})
    ]
    assert found == []


def test_the_radio_process_knows_nothing_of_the_bench() -> None:
    """zigpy is GPL-3.0 and shares no process with Scapy: not even layer 0 is taken along, which may come to import more."""
    found = [
        f"{module} imports {name}" for module, path in MODULES.items() if within(module, ("harness.ncp",))
        for name, _ in imported(path) if name.split(".")[0] in (*OURS, "scapy") and not within(name, ("harness.ncp",))
    ]
    assert found == []


def test_no_module_hides_a_standard_one() -> None:
    top = {path.stem for path in ROOT.glob("*.py")} | {path.name for path in ROOT.iterdir() if (path / "__init__.py").is_file()}
    assert top & sys.stdlib_module_names == set()


def test_the_table_would_notice(tmp_path: Path) -> None:
    (tmp_path / "intruder.py").write_text("def late():\n    from harness.bench import Bench\n")
    ((name, line),) = imported(tmp_path / "intruder.py")
    assert (name, line) == ("harness.bench.Bench", 2)
    assert not within(name, (row_of("dissectors.intruder"), *MAY_IMPORT["dissectors"]))
