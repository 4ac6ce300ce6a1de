"""The reports: what they say is what the run said, and nothing in them asks the network for anything."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import html

import reports
from cases.table import clauses
from harness.causes import in_words
from harness.errors import InputError
from harness.evidence.results import STEPS, Results
from harness.tests import sample_run
from reports import allure_report, page

LOADING = ("src", "href", "data", "action", "poster", "srcset", "background", "formaction", "ping", "manifest", "xlink:href")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    sample_run.write(folder)
    reports.build(folder)
    return folder


@pytest.fixture
def own(run: Path) -> html.HtmlElement:
    beside = run / "report" / "hanproof.html"
    return html.parse(str(beside if beside.exists() else run / "report" / "index.html")).getroot()


def has_allure() -> bool:
    return allure_report.node() is not None and allure_report.ALLURE.exists()


def requests(page: str) -> list[str]:
    """Everything a browser would fetch for the page: what elements load, and what a style or the page's own script asks for."""
    root = html.document_fromstring(page)
    loaded = [
        value for element in root.iter() if isinstance(element.tag, str) and element.tag != "a"
        for name, value in element.attrib.items()
        if name in LOADING and not value.startswith(("data:", "#")) and not (element.tag == "link" and value == "")
    ]
    styles = "".join(element.text or "" for element in root.iter("style"))
    scripts = "".join(element.text or "" for element in root.iter("script"))
    loaded += re.findall(r"url\(\s*['\"]?(?!data:|#)([^)]+)", styles) + re.findall(r"@import\s+([^;]+)", styles)
    return loaded + re.findall(
        r"(?:fetch|sendBeacon|open|importScripts|WebSocket|EventSource)\(\s*[\"'](https?:|wss?:|//)", scripts,
    )


def test_the_pages_ask_the_network_for_nothing(run: Path) -> None:
    pages = sorted((run / "report").glob("**/*.html"))
    assert len(pages) == (2 if has_allure() else 1)
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert requests(text) == []
        assert "googletagmanager" not in text
        assert "gtag(" not in text
        policy = html.document_fromstring(text).xpath("//head/meta[@http-equiv='Content-Security-Policy']/@content")
        assert len(policy) == 1
        assert policy[0].startswith("default-src 'none'")
        assert not re.search(r"(https?:|wss?:|\*)", policy[0])


@pytest.mark.parametrize("asking", [
    '<script src="https://e.test/x.js"></script>', '<link rel="stylesheet" href="//e.test/x.css">', '<img src="x.png">',
    "<style>@import 'x.css';</style>", "<style>a{background:url(http://e.test/x)}</style>", '<script>fetch("https://e.test")</script>',
])
def test_that_test_can_fail(asking: str) -> None:
    assert requests(f"<html><head>{asking}</head><body>x</body></html>")


def test_the_tag_manager_is_cut_out_and_the_data_stays() -> None:
    page = (
        '<html><head><title>t</title></head><body><script src="data:text/javascript;base64,AA=="></script>'
        '<script async src="https://tags.test/gtag/js?id=G-1"></script>\n<script>\n  window.dataLayer = window.dataLayer || [];'
        'function gtag(){dataLayer.push(arguments);} gtag("js", new Date());</script><script>keep()</script></body></html>'
    )
    cleaned = allure_report.confidential(page, "hanproof.html")
    assert "tags.test" not in cleaned
    assert "dataLayer" not in cleaned
    assert "keep()" in cleaned
    assert "data:text/javascript" in cleaned
    assert cleaned.index("Content-Security-Policy") < cleaned.index("<title>")
    assert 'href="hanproof.html"' in cleaned


def test_each_step_and_device_has_the_verdict_of_the_run(run: Path, own: html.HtmlElement) -> None:
    results = Results.read(run)
    devices = own.xpath("//table[@class='matrix']/thead/tr/th/text()")[2:]
    assert devices == ["pct", "switch"]
    table = own.xpath("//table[@class='matrix']/tbody/tr")
    shown = [(row.xpath("string(td[1])"), row.xpath("td[position()>2]/span/text()")) for row in table]
    assert shown == [(step, [word for word, _ in cells]) for step, cells in results.step_rows()]
    assert dict(shown)["6"] == ["fail", "not run"]


def test_what_was_not_asked_is_not_passed(run: Path, own: html.HtmlElement, tmp_path: Path) -> None:
    badges = {badge.xpath("string(span[1])"): badge.xpath("string(span[2])") for badge in own.xpath("//div[@class='device']")}
    assert badges == {"pct": "fail", "switch": "inconc", "whole run": "fail"}
    results = Results.read(run)
    passing = replace(results, cases=tuple(case for case in results.cases if case.outcome == "pass"))
    told = html.document_fromstring(page.as_html(passing, {}, {})).xpath("//div[@class='device'][last()]")[0].text_content()
    assert told == "whole runincomplete13 of 14 steps not run"


@pytest.mark.parametrize(("code", "said"), [(0, ""), (1, ""), (2, "interrupted"), (8, "evidence could not be written")])
def test_a_run_that_did_not_end_is_not_passed(run: Path, code: int, said: str) -> None:
    passing = next(case for case in Results.read(run).cases if case.outcome == "pass")
    every = tuple(replace(passing, step=step) for step in STEPS)
    ended = Results(every, {"name": "sample", "devices": [passing.device]}, {"id": "one", "exit_code": code})
    told = html.document_fromstring(page.as_html(ended, {}, {})).xpath("//div[@class='device'][last()]")[0].text_content()
    assert told == ("whole run" + ("incomplete" if said else "pass") + said)


def test_a_finding_shows_the_clause_expected_observed_the_cause_and_its_evidence(own: html.HtmlElement) -> None:
    [finding] = own.xpath("//div[@class='finding fail']")
    cells = (cell.text_content().strip() for cell in finding.xpath(".//td"))
    told = dict(zip(finding.xpath(".//th/text()"), cells, strict=True))
    assert told == {
        "says": clauses()[finding.xpath(".//code/text()")[0].partition("@")[0]].text, "expected": "sealed", "observed": "in clear",
        "cause": in_words("cofactor-left-out"), "evidence": "provisioned-pct #10",
    }
    [link] = finding.xpath(".//a/@href")
    assert str(own.get_element_by_id(link.removeprefix("#")).tag).endswith("g")


def test_what_a_device_says_stays_text(own: html.HtmlElement) -> None:
    assert not own.xpath("//script")
    assert sample_run.HOSTILE in own.text_content()


def test_every_link_of_the_page_leads_somewhere(run: Path, own: html.HtmlElement) -> None:
    identifiers = set(own.xpath("//@id"))
    links = own.xpath("//a/@href")
    assert [link for link in links if link.startswith("#") and link[1:] not in identifiers] == []
    files = [link for link in links if not link.startswith("#")]
    assert files
    assert [link for link in files if not (run / "report" / link).exists()] == []


def test_the_limits_are_told(own: html.HtmlElement) -> None:
    told = own.xpath("string(//footer)")
    assert "endorses" in told
    assert "A virtual radio proves protocol, not radio" in told
    assert "no case of this run asked about" in told


def test_ladders_stand_in_the_scenario_folders_with_their_marks(run: Path) -> None:
    assert "<== fail: UC2.7-06-KEY-SEALED@ESI" in (run / "scenarios" / "provisioned-pct" / "ladder.txt").read_text()
    assert "<== none: UC2.7-05-SCANS@HAN Device" in (run / "scenarios" / "odd-switch" / "ladder.txt").read_text()


def test_a_report_can_be_built_again(run: Path) -> None:
    before = {path: path.read_bytes() for path in (run / "scenarios").rglob("*") if path.is_file()}
    index = reports.build(run)
    assert index == run / "report" / "index.html"
    assert index.exists()
    assert {path: path.read_bytes() for path in (run / "scenarios").rglob("*") if path.is_file()} == before


def test_without_node_the_own_page_is_the_report(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(run, tmp_path / "run")
    monkeypatch.setattr(allure_report, "ALLURE", tmp_path / "absent.js")
    index = reports.build(tmp_path / "run")
    assert "The fourteen steps" in index.read_text(encoding="utf-8")
    assert "in Allure" not in index.read_text(encoding="utf-8")


def test_where_allure_fails_the_own_page_is_the_report(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    if allure_report.node() is None:
        pytest.skip("no node 20 or later")
    (tmp_path / "cli.js").write_text("console.error('Error: ENOSPC\\n    at somewhere'); process.exit(1)")
    monkeypatch.setattr(allure_report, "ALLURE", tmp_path / "cli.js")
    shutil.copytree(run, tmp_path / "run")
    index = reports.build(tmp_path / "run")
    assert "The fourteen steps" in index.read_text(encoding="utf-8")
    assert [path.name for path in index.parent.iterdir()] == ["index.html"]  # and nothing that an earlier drawing left
    assert capsys.readouterr().err == "Allure wrote no report (Error: ENOSPC): HANproof's own page stands alone\n"


def test_allure_has_every_case(run: Path) -> None:
    if not has_allure():
        pytest.skip("peer absent: Allure (node 20 and `npm ci` in reports/allure)")
    text = (run / "report" / "index.html").read_text(encoding="utf-8")
    assert text.count('d("data/test-results/') == len(Results.read(run).cases)


def test_a_folder_without_a_run_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"verdicts\.json"):
        reports.build(tmp_path)


def test_marks_are_by_scenario_and_put_the_worst_first(run: Path) -> None:
    results = Results.read(run)
    failing, passing, noting = (
        next(case for case in results.cases if case.outcome == outcome) for outcome in ("fail", "pass", "inconc")
    )
    note = {**noting.findings[0], "scenario": "provisioned-pct", "evidence": [10]}
    twice = replace(failing, findings=(note, *failing.findings))
    marks = reports.marks_of(replace(results, cases=(twice, passing)))
    assert list(marks) == ["provisioned-pct"]
    assert [verdict for verdict, _ in marks["provisioned-pct"][10]] == ["fail", "none"]
