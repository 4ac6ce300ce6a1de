"""From the evidence of a run to what people read: ladders, HANproof's own page, Allure's report. Gives no verdict.

`build(run)` draws everything anew from the run folder, as often as it is called; what the run itself wrote it leaves alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from harness.backhaul.named_codec import load_codec
from harness.evidence.by_hand import deeds_in
from harness.evidence.heard_by import heard_by
from harness.evidence.results import Results
from harness.evidence.scenario import FOLDER, read_scenario
from harness.verdict import Verdict
from reports import allure_report, ladder, page
from reports.rungs import Marks

REPORT, INDEX, OWN = "report", "index.html", "hanproof.html"
ALLURE_RESULTS = "allure-results"


def build(run: Path, leg_codecs: Sequence[str] = ()) -> Path:
    """Draw the reports of a run folder; returns the page to open first. Raises InputError where the folder holds no run.

    `leg_codecs` are the names of codecs that may be loaded to read the proprietary legs.

    With Allure at hand that is Allure's report with HANproof's page beside it, else HANproof's page alone.
    """
    results = Results.read(run)
    report = run / REPORT
    report.mkdir(exist_ok=True)
    marks = marks_of(results)
    scenarios = sorted(folder.name for folder in (run / FOLDER).glob("[!.]*") if folder.is_dir())
    with ProcessPoolExecutor() as workers:
        drawn = workers.map(_draw_ladder, ((run / FOLDER / name, marks.get(name, {}), leg_codecs) for name in scenarios), chunksize=4)
        for _ in drawn:  # what went wrong in a worker is raised here
            pass
    index = report / INDEX
    for page_of_before in (index, report / OWN):
        page_of_before.unlink(missing_ok=True)
    with_allure = allure_report.build(run / ALLURE_RESULTS, index, OWN)
    ladders = {
        name: (run / FOLDER / name / "ladder.svg").read_text(encoding="utf-8")
        for name in scenarios if name in marks or name.startswith("provisioned")
    }
    files = {name: evidence_links(run / FOLDER / name) for name in scenarios}
    own = report / OWN if with_allure else index
    by_hand = {name: deeds_in(run / FOLDER / name) for name in scenarios}
    radios = {name: heard_by(run / FOLDER / name) for name in scenarios}
    own.write_text(page.as_html(results, ladders, files, INDEX if with_allure else "", by_hand, radios), encoding="utf-8")
    return index


def marks_of(results: Results) -> Mapping[str, Marks]:
    """For each scenario the exchanges that are evidence of something worse than a pass, or of a note."""
    found: dict[str, dict[int, dict[tuple[str, str], None]]] = {}
    for case in results.cases:
        for finding in case.findings:
            if finding["verdict"] != str(Verdict.PASS):
                for number in finding["evidence"]:
                    told = found.setdefault(finding["scenario"], {}).setdefault(number, {})
                    told[finding["verdict"], finding["clause"] or case.title] = None
    return {
        scenario: {number: tuple(sorted(told, key=_weight, reverse=True)) for number, told in numbers.items()}
        for scenario, numbers in found.items()
    }


def evidence_links(folder: Path) -> list[str]:
    """Every file of a scenario, as links from the report; the ladder first, CIM messages last."""
    found = (path for path in folder.rglob("*") if path.is_file())
    files = sorted(found, key=lambda path: (len(path.parts), path.suffix != ".svg", path.name))
    return [f"../{path.relative_to(folder.parent.parent).as_posix()}" for path in files]


def _draw_ladder(scenario: tuple[Path, Marks, Sequence[str]]) -> None:
    folder, marks, leg_codecs = scenario
    trace = read_scenario(folder, leg_codecs={name: load_codec(name) for name in leg_codecs})
    ladder.draw(trace, folder, marks, page.anchor(folder.name))


def _weight(mark: tuple[str, str]) -> Verdict:
    return Verdict.parse(mark[0])
