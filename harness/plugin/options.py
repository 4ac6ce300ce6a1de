"""What a run is told on the command line and in pytest.ini: bench, seed, devices, run folder. Knows no case and no verdict."""

from __future__ import annotations

import argparse
import importlib
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from harness.clock import wall_seconds, wall_utc
from harness.declarations import BenchFile, Device, read_bench
from harness.errors import InputError
from harness.evidence.results import FILE as RESULTS
from harness.evidence.scenario import FOLDER as SCENARIOS
from harness.plugin.campaign import Campaign
from harness.plugin.examples import EXAMPLES, load_profile

DEFAULT_BENCH = "fixtures/benches/virtual.yaml"
RUNS = "reports/runs"
BUILDER = "harness.plugin.bench_building:build"


@dataclass(frozen=True)
class Run:
    """One run of the suite: its bench, seed and devices, and where its evidence goes (None: nowhere)."""

    campaign: Campaign
    devices: tuple[Device, ...]
    folder: Path | None
    keep_keys: bool
    examples: int
    started: datetime
    start: float

    @property
    def bench(self) -> BenchFile:
        """The bench file."""
        return self.campaign.bench

    def secrets(self, device: Device) -> tuple[bytes, ...]:
        """The key material of a device that must not reach this run's evidence."""
        return () if self.keep_keys else device.confidential


RUN = pytest.StashKey[Run]()
FOLDER = pytest.StashKey[Path | None]()
STARTED = pytest.StashKey[datetime]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of a conformance run."""
    group = parser.getgroup("hanproof", "conformance run")
    group.addoption("--bench", metavar="FILE", help=f"bench file (default: the ini setting `bench`, else {DEFAULT_BENCH})")
    group.addoption("--device", metavar="NAME", action="append", help="run only for this device of the bench file (repeatable)")
    group.addoption("--seed", metavar="N", type=int, help="the one number that reproduces the run (default: the bench file's)")
    group.addoption("--examples", metavar="N", type=_count, help=f"examples of a case that varies its input (default {EXAMPLES})")
    group.addoption("--run-dir", metavar="DIR", help=f"the folder of this run's evidence (default: a new one below {RUNS}/)")
    group.addoption("--no-evidence", action="store_true", help="keep nothing on disk")
    group.addoption("--keep-keys", action="store_true", help="keep confidential keys of device files in the evidence as well")
    parser.addini("bench", "bench file, relative to this file", default=DEFAULT_BENCH)
    parser.addini("builder", "what makes a bench of a plan, module:function", default=BUILDER)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of examples; right would be 1 or more")
    return int(text)


def pytest_configure(config: pytest.Config) -> None:
    """Load the Hypothesis profile, unless the command line names one."""
    if not config.getoption("hypothesis_profile", None):
        load_profile()


def pytest_sessionstart(session: pytest.Session) -> None:
    """A bench or device that the command line names is looked up at once; the default ones when they are needed."""
    if session.config.getoption("bench") is not None or session.config.getoption("device"):
        current_run(session.config)


def current_run(config: pytest.Config) -> Run:
    """The run; its bench file is read at the first call. Raises UsageError for a bench or device file that is wrong."""
    if RUN not in config.stash:
        try:
            run = config.stash[RUN] = _read_run(config)
        except InputError as fault:
            raise pytest.UsageError(str(fault)) from fault
        if any(map(run.secrets, run.devices)):  # tracebacks would show what functions were called with: keys, too
            config.option.tbstyle, config.option.showlocals = "short", False
    return config.stash[RUN]


def is_worker(config: pytest.Config) -> bool:
    """Whether this is a worker of xdist, whose controller keeps the results."""
    return hasattr(config, "workerinput")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """xdist: every worker writes into the controller's run folder."""
    node.workerinput["hanproof_folder"] = str(run_folder(node.config) or "")


def run_folder(config: pytest.Config) -> Path | None:
    """Where this run's evidence goes; the folder is made when there is something to put into it."""
    if FOLDER not in config.stash:
        config.stash[STARTED] = wall_utc()
        if is_worker(config):
            given = config.workerinput["hanproof_folder"]  # type: ignore[attr-defined]
            config.stash[FOLDER] = Path(given) if given else None
        elif config.getoption("no_evidence") or config.getoption("collectonly"):
            config.stash[FOLDER] = None
        elif config.getoption("run_dir") is not None:
            config.stash[FOLDER] = _new(config.getoption("run_dir"))
        else:
            config.stash[FOLDER] = config.rootpath / RUNS / config.stash[STARTED].strftime("%Y%m%dT%H%M%S.%fZ")
    return config.stash[FOLDER]


def _new(given: str) -> Path:
    """The folder, if it holds no run yet: what another run left there would pass for this one's. Raises UsageError."""
    folder = Path(given).absolute()
    if not given:
        raise pytest.UsageError("--run-dir: names no folder; right would be a new one")
    if os.path.isfile(folder / RESULTS) or os.path.isdir(folder / SCENARIOS):
        raise pytest.UsageError(f"--run-dir {given}: holds a run already; right would be a new folder")
    return folder


def _read_run(config: pytest.Config) -> Run:
    given = config.getoption("bench")
    bench = read_bench(Path(given) if given is not None else config.rootpath / config.getini("bench"))
    named = config.getoption("device")
    devices = tuple(bench.device(name) for name in dict.fromkeys(named)) if named else bench.devices
    module, _, function = config.getini("builder").partition(":")
    builder = importlib.import_module(module)
    getattr(builder, "check", lambda bench: None)(bench)
    seed = config.getoption("seed")
    folder = run_folder(config)
    return Run(
        Campaign(bench, bench.seed if seed is None else seed, getattr(builder, function)), devices, folder, config.getoption("keep_keys"),
        config.getoption("examples") or EXAMPLES, config.stash[STARTED], wall_seconds(),
    )
