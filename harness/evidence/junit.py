"""JUnit XML from the results of a run: pytest's own writer would call an inconclusive case a failure. Knows no pytest.

fail is a failure; inconc and error are errors whose `type` says which; not applicable is skipped, with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from harness.evidence.results import NOT_APPLICABLE, CaseResult, Results, told

FILE = "junit.xml"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, clause 2.2


def write_junit(results: Results, folder: Path) -> None:
    """Write `junit.xml` into the run folder: one suite a step, one testcase a case and device."""
    root = ElementTree.Element("testsuites", {"name": "hanproof", **_counts(results.cases)})
    for step in dict.fromkeys(case.step for case in results.cases):
        cases = [case for case in results.cases if case.step == step]
        durations = results.run.get("durations", {})
        spent = sum(float(durations.get(case.id, 0.0)) for case in cases)
        suite = ElementTree.SubElement(root, "testsuite", {"name": f"step {step}", "time": f"{spent:.3f}", **_counts(cases)})
        for case in cases:
            _write_case(suite, case, float(durations.get(case.id, 0.0)))
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(folder / FILE, encoding="utf-8", xml_declaration=True)


def _counts(cases: Sequence[CaseResult]) -> dict[str, str]:
    outcomes = [case.outcome for case in cases]
    return {
        "tests": str(len(cases)),
        "failures": str(outcomes.count("fail")),
        "errors": str(outcomes.count("error") + outcomes.count("inconc")),
        "skipped": str(outcomes.count(NOT_APPLICABLE)),
    }


def _write_case(suite: ElementTree.Element, case: CaseResult, duration: float) -> None:
    module, _, name = case.id.partition("::")
    element = ElementTree.SubElement(
        suite, "testcase", classname=module.removesuffix(".py").replace("/", "."), name=name, time=f"{duration:.3f}",
    )
    properties = ElementTree.SubElement(element, "properties")
    for label, value in (("verdict", str(case.verdict)), ("device", case.device), ("clauses", " ".join(case.clauses))):
        ElementTree.SubElement(properties, "property", name=label, value=_text(value))
    for path in case.evidence:
        ElementTree.SubElement(properties, "property", name="evidence", value=_text(path))
    if case.outcome == NOT_APPLICABLE:
        ElementTree.SubElement(element, "skipped", message=_text(case.reason))
    elif case.outcome != "pass":
        kind = "failure" if case.outcome == "fail" else "error"
        name = {"fail": "NonConformance", "inconc": "inconclusive", "error": "error"}[case.outcome]
        ElementTree.SubElement(element, kind, type=name, message=_text(case.reason)).text = _text(told(case.findings))


def _text(value: str) -> str:
    return _NOT_XML.sub("\ufffd", value)
