"""The folder of one run: closing it writes verdicts, JUnit and captures, and points `latest` at it. Knows no case."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from harness.errors import InputError
from harness.evidence.junit import write_junit
from harness.evidence.results import FILE, Results
from harness.evidence.scenario import FOLDER, write_capture
from harness.evidence.sums import write_sums

LATEST = "latest"
PACKAGES = ("hanproof", "pytest", "hypothesis", "scapy", "cryptography", "lxml", "xmlschema", "allure-pytest")


def close_run(folder: Path, results: Results) -> None:
    """Write what belongs to the whole run; also an interrupted run is closed. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    results.write(folder)
    write_junit(results, folder)
    for scenario, comments in _comments(results).items():
        if (folder / FOLDER / scenario).is_dir():
            write_capture(folder / FOLDER / scenario, comments)
    write_sums(folder)
    _point_at(folder)


def find_run(named: str | None, runs: Path) -> Path:
    """The folder of a finished run: as named, by its id below `runs`, or (None) the latest. Raises InputError."""
    candidates = [runs / LATEST] if named is None else [Path(named), runs / named]
    for folder in map(_pointed_at, candidates):
        if os.path.isfile(folder / FILE):  # not Path.is_file, which raises for a name that no file can have
            return folder
    raise InputError(f"{candidates[0]}: not the folder of a finished run; right would be one that holds {FILE}")


def _pointed_at(folder: Path) -> Path:
    """The run beside it that the pointer names which stands for the link where links cannot be made; else the folder itself."""
    if folder.name != LATEST or not os.path.isfile(folder):
        return folder
    return folder.parent / folder.read_text(encoding="utf-8", errors="replace").strip()


def versions() -> dict[str, str]:
    """What the run was made with."""
    known = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            known[package] = version(package)
        except PackageNotFoundError:
            known[package] = "not installed"
    return known


def _comments(results: Results) -> Mapping[str, Mapping[int, Sequence[str]]]:
    """What was found, by scenario and exchange, for the packets of its capture; every scenario of the run is named."""
    comments: dict[str, dict[int, list[str]]] = {
        path.removeprefix(f"{FOLDER}/"): {} for case in results.cases for path in case.evidence
    }
    for case in results.cases:
        for finding in case.findings:
            line = f"{finding['clause'] or case.title} {finding['verdict']}: {finding['message']}"
            for number in finding["evidence"]:
                lines = comments.setdefault(finding["scenario"], {}).setdefault(number, [])
                if line not in lines:
                    lines.append(line)
    return comments


def _point_at(folder: Path) -> None:
    """Point `latest` beside the run at it: a link, or where that cannot be made a file with its name."""
    latest = folder.parent / LATEST
    draft = latest.with_name(f".{LATEST}.{folder.name}")
    try:
        draft.symlink_to(folder.name, target_is_directory=True)
        draft.replace(latest)
    except OSError:
        draft.unlink(missing_ok=True)
        latest.write_text(folder.name + "\n", encoding="utf-8")
