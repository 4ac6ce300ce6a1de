"""A DUT in another process over HTTPS: certificates on one or both sides and a password, each way; who has none gets nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.tests.http_peers import Authority
from harness.tests.served import HEAD_END, bench_file, passed, run, serving, wrong

STEP_1 = ("cases/step_01_window_requested.py", "-k", "install_code_of_any_length")


def papers(folder: Path, who: str, *, mutual: bool, password: bool) -> dict[str, str]:
    """The options of one side; both come from one authority and share a password."""
    folder = folder / who
    folder.mkdir()
    (folder / "password").write_text("Sesam-öffne dich\n", encoding="utf-8")
    certificate, key = _authority(folder.parent).issue(who)
    options = {"certificate": str(certificate), "private_key": str(key), "trust": str(folder.parent / "laboratory.pem")}
    if mutual:
        options["mutual"] = "yes"
    if password:
        options |= {"user": "utility", "password_file": str(folder / "password")}
    return options


_AUTHORITIES: dict[Path, Authority] = {}


def _authority(folder: Path) -> Authority:
    if folder not in _AUTHORITIES:
        _AUTHORITIES[folder] = Authority(folder)
    return _AUTHORITIES[folder]


def words(options: dict[str, str]) -> list[str]:
    return [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]


@pytest.mark.parametrize(("mutual", "password"), [(False, False), (True, False), (False, True), (True, True)])
def test_our_own_head_end_passes_over_https(tmp_path: Path, mutual: bool, password: bool) -> None:
    theirs, ours = (papers(tmp_path, who, mutual=mutual, password=password) for who in ("head-end", "bench"))
    with serving("ami-head-end", *words(theirs), "--leg=tcp", "--control") as served:
        assert served.where[HEAD_END].startswith("https://")
        code, verdicts, output = run(tmp_path, bench_file(tmp_path, HEAD_END, served, **ours), *STEP_1)
    assert (code, wrong(verdicts), passed(verdicts)) == (0, [], 1), output
    assert "Sesam" not in "\n".join([output, *served.lines, *(path.read_text() for path in (tmp_path / "run").rglob("*.json*"))])


@pytest.mark.parametrize(("theirs", "ours", "said"), [
    ({"mutual": True, "password": False}, {"certificate", "private_key"}, "it may not have taken our certificate"),
    ({"mutual": False, "password": False}, {"trust"}, "certificate not accepted"),
    ({"mutual": False, "password": True}, {"user", "password_file"}, "HTTP 401"),
], ids=["no certificate of ours", "nobody vouches for theirs", "no password"])
def test_what_a_side_lacks_is_said(tmp_path: Path, theirs: dict[str, bool], ours: set[str], said: str) -> None:
    options = papers(tmp_path, "bench", mutual=False, password=theirs["password"])
    options = {name: value for name, value in options.items() if name not in ours}
    with serving("ami-head-end", *words(papers(tmp_path, "head-end", **theirs)), "--leg=tcp", "--control") as served:
        code, verdicts, output = run(tmp_path, bench_file(tmp_path, HEAD_END, served, **options), *STEP_1)
    assert code != 0
    assert any(said in line for line in wrong(verdicts)), (wrong(verdicts), output)
