"""What a clone needs to set itself up, and what may not be in one: unpinned packages, registry addresses, silent skips."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PINS = ROOT / "requirements.txt"
NODE_LOCKS = [ROOT / "harness" / "tests" / "peers" / "package-lock.json", ROOT / "reports" / "allure" / "package-lock.json"]
TAKEN_APART = re.compile(r"[-_.]+")


def pinned() -> dict[str, str]:
    """Name and version of everything in requirements.txt."""
    return dict(re.findall(r"^([A-Za-z0-9_.-]+)==([^ ;\\]+)", PINS.read_text(encoding="utf-8"), re.MULTILINE))


def test_every_package_is_pinned_with_hashes_and_without_an_address() -> None:
    text = PINS.read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", text.strip())
    assert len(entries) > 20
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry or "==" not in entry] == []
    assert not re.search(r"https?:|file:|--(extra-)?index-url|--find-links| @ ", text)


def test_everything_the_project_names_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [each for extra in project["optional-dependencies"].values() for each in extra if not each.startswith(project["name"])]
    named = {re.split(r"[><=!~; ]", each)[0] for each in (*project["dependencies"], *extras)}
    assert {TAKEN_APART.sub("-", name).lower() for name in named} - pinned().keys() == set()


@pytest.mark.parametrize("lock", NODE_LOCKS, ids=lambda lock: lock.parent.name)
def test_node_packages_are_pinned_without_an_address(lock: Path) -> None:
    packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    assert [name for name, entry in packages.items() if name and "integrity" not in entry] == []
    wanted = json.loads(lock.with_name("package.json").read_text(encoding="utf-8"))["dependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    assert "omit-lockfile-registry-resolved=true" in lock.with_name(".npmrc").read_text(encoding="utf-8")


def test_the_front_door_has_the_targets_that_the_readme_names() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"certify", "test", "lint", "clean"} <= named <= targets


def test_the_gate_is_a_script_that_stops_at_the_first_failure() -> None:
    gate = ROOT / ".ci" / "run"
    assert os.access(gate, os.X_OK)
    assert re.search(r"^set -eu", gate.read_text(encoding="utf-8"), re.MULTILINE)
    subprocess.run(["bash", "-n", str(gate)], check=True, timeout=30)


@pytest.mark.parametrize(("peers", "outcome"), [("required", "1 failed"), ("", "1 skipped")])
def test_a_missing_peer_skips_and_where_peers_are_required_it_fails(tmp_path: Path, peers: str, outcome: str) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_peer.py").write_text("import pytest\ndef test_it():\n    pytest.skip('tshark is absent')\n")
    command = [sys.executable, "-m", "pytest", "-rs", "-p", "harness.tests.peers.required", "-p", "no:cacheprovider", "."]
    surroundings = {**os.environ, "HANPROOF_PEERS": peers, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, cwd=tmp_path, env=surroundings, capture_output=True, text=True, timeout=60, check=False)
    assert outcome in ran.stdout
    assert "tshark is absent" in ran.stdout
