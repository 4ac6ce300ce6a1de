"""HANproof's own page of a run: one HTML file with everything in it, drawn from `verdicts.json` and the scenario folders.

It asks the network for nothing (no script at all, styles and ladders inline, a policy that says so) and links only to the
evidence files beside it. Gives no verdict of its own: every word on it is read from the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cases.table import clauses, steps
from harness.evidence.by_hand import Deed
from harness.evidence.results import NOT_APPLICABLE, SECTIONS, STEPS, TOLD, CaseResult, Results
from harness.usecase import Clause
from harness.verdict import Verdict, worst

STYLE = Path(__file__).with_name("page.css")
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
SHOWN = {"none": "not exercised", NOT_APPLICABLE: "not applicable"}
SECTION_TITLES = {
    "PRE": "Preconditions", "POST": "Postconditions", "INT": "Integration points", "SEQ": "The whole run",
}
LIMITS = (
    "A virtual radio proves protocol, not radio: power, sensitivity and timing below a frame need a real one in a laboratory.",
    "A pass says that the recorded messages meet the clauses listed here, and nothing about what was not asked.",
    "HANproof is no certification programme: no alliance, laboratory or utility endorses it or its verdicts.",
    "Clauses of origin PROFILE are choices made where no public document fixes the answer; a bench may choose otherwise.",
    "Open items are questions that the use case itself leaves open; they are shown, not decided.",
)
UNFINISHED = {2: "interrupted", 3: "broken off by an internal error", 8: "evidence could not be written"}  # by exit code


def as_html(
    results: Results, ladders: Mapping[str, str], files: Mapping[str, list[str]], allure: str = "",
    by_hand: Mapping[str, Sequence[Deed]] = MappingProxyType({}), radios: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> str:
    """The page. `ladders` are the pictures to embed by scenario, `files` the links to each scenario's evidence, `by_hand` what a person
    was asked in it, or a command did, `radios` what is known of those that heard it, and of time that is missing."""
    devices = list(results.bench["devices"])
    parts = [
        _head(results, devices, allure), _matrix(results, devices), _details(results, devices, ladders),
        _scenarios(ladders, files, by_hand, radios), _footer(results),
    ]
    title = f"HANproof: conformance run {_text(results.run.get('id', ''))}"
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{title}</title>'
        f"<style>{STYLE.read_text(encoding='utf-8')}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def anchor(*words: str) -> str:
    """An id that a link on the page can point at."""
    return "-".join("".join(letter if letter.isalnum() else "-" for letter in word) for word in words)


def _head(results: Results, devices: list[str], allure: str) -> str:
    totals = " · ".join(f"{count} {SHOWN.get(name, name)}" for name, count in results.totals.items() if count)
    unfinished = UNFINISHED.get(results.run.get("exit_code", 0), "")
    badges = "".join(
        _badge(device, [case for case in results.cases if case.device == device], unfinished) for device in devices
    ) + _badge("whole run", results.cases, unfinished)
    other = f'<a class="other" href="{escape(allure)}">the same run in Allure</a>' if allure else ""
    return (
        f"<header><div><h1>HANproof <small>HAN device provisioning, AEP use case 2.7</small></h1><p>{totals}</p>{other}</div>"
        f'<div class="badges">{badges}</div></header>'
        f'<details class="facts"><summary>What was run, where and with what</summary>{_facts(results)}</details>'
    )


def _badge(name: str, cases: Sequence[CaseResult], unfinished: str) -> str:
    """A verdict on many cases; steps that no case looked at are told, and what ended the run before its end, for what was not
    asked is not passed."""
    verdict = worst(case.verdict for case in cases)
    missing = len({*STEPS} - {case.step for case in cases})
    chip = _chip("none", "incomplete") if (missing or unfinished) and verdict <= Verdict.PASS else _chip(verdict)
    told = f"<br><small>{missing} of {len(STEPS)} steps not run</small>" if missing else ""
    told += f"<br><small>{unfinished}</small>" if unfinished else ""
    return f'<div class="device"><span>{_text(name)}</span>{chip}{told}</div>'


def _facts(results: Results) -> str:
    told = {**results.bench, **{name: value for name, value in results.run.items() if name != "durations"}}
    rows = "".join(f"<tr><th>{_text(name)}</th><td>{_value(value)}</td></tr>" for name, value in told.items())
    return f"<table>{rows}</table>"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "<br>".join(f"{_text(name)}: {_value(each)}" for name, each in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_value(each) for each in value)
    return _text(value)


def _matrix(results: Results, devices: list[str]) -> str:
    heads = "".join(f"<th>{_text(device)}</th>" for device in devices)
    rows = []
    for step, verdicts in results.step_rows():
        link = f'<a href="#{anchor("step", step)}">{_title(step)}</a>'
        cells = "".join(
            f"<td>{_chip(verdict, word)} {_count(results, step, device)}</td>"
            for device, (word, verdict) in zip(devices, verdicts, strict=True)
        )
        rows.append(f'<tr><td class="n">{_text(step)}</td><td>{link}</td>{cells}</tr>')
    return (
        '<section><h2>The fourteen steps</h2><table class="matrix"><thead><tr><th>step</th><th>information exchanged</th>'
        f"{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table></section>"
    )


def _count(results: Results, step: str, device: str) -> str:
    count = sum((case.step, case.device) == (step, device) for case in results.cases)
    return f"<small>{count} case{'s' if count > 1 else ''}</small>" if count else ""


def _title(step: str) -> str:
    if step in SECTIONS:
        return SECTION_TITLES[step]
    row = steps()[int(step)]
    return f"<b>{escape(row.producer)} → {escape(row.receiver)}</b> {escape(row.information)}"


def _details(results: Results, devices: list[str], ladders: Mapping[str, str]) -> str:
    told = "".join(_step_details(results, step, devices, ladders) for step in results.steps())
    return f"<section><h2>Clauses and cases</h2>{told}</section>"


def _step_details(results: Results, step: str, devices: list[str], ladders: Mapping[str, str]) -> str:
    cases = [case for case in results.cases if case.step == step]
    verdict = results.step(step)
    opened = " open" if verdict > Verdict.PASS else ""
    name = SECTION_TITLES.get(step) or f"Step {step}"
    item = "" if step in SECTIONS else steps()[int(step)].open_item
    told = f'<p class="open">Open item: {escape(item)}</p>' if item else ""
    asked = sorted({clause for case in cases for clause in case.clauses})
    heads = "".join(f"<th>{_text(device)}</th>" for device in devices)
    rows = "".join(_clause_row(clause, cases, devices) for clause in asked)
    return (
        f'<details id="{anchor("step", step)}"{opened}><summary>{_chip(verdict)} <b>{name}</b> {_title(step)}</summary>{told}'
        f'<table class="clauses"><thead><tr><th>clause</th><th>says</th>{heads}</tr></thead><tbody>{rows}</tbody></table>'
        f'<h3>Cases</h3>{"".join(_case(case, ladders) for case in cases) or "<p>none</p>"}</details>'
    )


def _clause_row(identifier: str, cases: list[CaseResult], devices: list[str]) -> str:
    name, _, actor = identifier.partition("@")
    clause = clauses().get(name)
    cells = "".join(
        f"<td>{_clause_chip(identifier, [case for case in cases if case.device == device])}</td>" for device in devices
    )
    return f"<tr><td><code>{_text(name)}</code><br><small>{_text(actor)}</small></td><td>{_said(clause)}</td>{cells}</tr>"


def _said(clause: Clause | None) -> str:
    if clause is None:
        return "<i>not in this version's table</i>"
    item = f'<br><span class="open">open item: {escape(clause.open_item)}</span>' if clause.open_item else ""
    return f"{escape(clause.text)}<br><small>{escape(clause.origin)}, {escape(clause.citation)}</small>{item}"


def _clause_chip(identifier: str, cases: list[CaseResult]) -> str:
    asking = [case for case in cases if identifier in case.clauses]
    if not asking:
        return ""
    if all(identifier in case.not_applicable for case in asking):
        return f'<span title="{_text(asking[0].not_applicable[identifier])}">{_chip(NOT_APPLICABLE)}</span>'
    return _chip(worst(case.verdict_on(identifier) for case in asking))


def _case(case: CaseResult, ladders: Mapping[str, str]) -> str:
    opened = " open" if case.verdict > Verdict.PASS else ""
    reason = f"<p>{_text(case.reason)}</p>" if case.reason else ""
    drawn = "".join(f"<li>{_text(name)} = <code>{_text(value)}</code></li>" for name, value in case.example.items())
    findings = [each for each in case.findings if each["verdict"] != "pass"] or list(case.findings)
    hidden = len(case.findings) - len(findings)
    more = f"<p><small>and {hidden} findings that pass</small></p>" if hidden else ""
    names = [path.rpartition("/")[2] for path in case.evidence]
    evidence = " ".join(f'<a href="#{anchor(name)}">{_text(name)}</a>' for name in names)
    return (
        f'<details class="case"{opened}><summary>{_chip(case.outcome)} {_text(case.title)} <small>{_text(case.device)}</small>'
        f"</summary>{reason}{f'<ul>{drawn}</ul>' if drawn else ''}{''.join(_finding(each, ladders) for each in findings)}{more}"
        f'{f"<p>evidence: <span class=links>{evidence}</span></p>" if evidence else ""}</details>'
    )


def _finding(finding: Mapping[str, Any], ladders: Mapping[str, str]) -> str:
    kind = "note" if finding.get("note") else finding["verdict"]
    scenario = str(finding.get("scenario", ""))
    picture = ladders.get(scenario, "")
    where = " ".join(_exchange(anchor(scenario, str(number)), number, picture) for number in finding["evidence"])
    rows = "".join(
        f"<tr><th>{name}</th><td>{_text(finding[name])}</td></tr>"
        for name in TOLD if finding.get(name)
    )
    told = f"<tr><th>evidence</th><td>{_text(scenario)} {where}</td></tr>" if where else ""
    said = f'{_chip(kind)} {_text(finding["message"])} <code>{_text(finding["clause"])}</code>'
    return f'<div class="finding {escape(kind)}"><p>{said}</p><table>{rows}{told}</table></div>'


def _exchange(identifier: str, number: int, picture: str) -> str:
    """The exchange's number, as a link where the ladder draws it on its own."""
    return f'<a href="#{identifier}">#{number}</a>' if f'id="{identifier}"' in picture else f"#{number}"


def _scenarios(
    ladders: Mapping[str, str], files: Mapping[str, list[str]], by_hand: Mapping[str, Sequence[Deed]],
    radios: Mapping[str, Mapping[str, Any]],
) -> str:
    told = "".join(
        _scenario(name, ladders, files, _by_hand(by_hand.get(name, ())) + _radios(radios.get(name, {}))) for name in files
    )
    return f"<section><h2>Scenarios and their evidence</h2>{told}</section>"


def _scenario(name: str, ladders: Mapping[str, str], files: Mapping[str, list[str]], told: str) -> str:
    links = " ".join(f'<a href="{_text(path)}">{_text(path.rsplit("/", 1)[-1])}</a>' for path in files[name])
    picture = f'<div class="picture">{ladders[name]}</div>' if name in ladders else ""
    return (
        f'<details class="scenario"><summary>{_text(name)}</summary>'
        f'<p class="links" id="{anchor(name)}">{links}</p>{told}{picture}</details>'
    )


def _radios(radios: Mapping[str, Any]) -> str:
    rows = "".join(f"<tr><th>{_text(name)}</th><td>{_value(said)}</td></tr>" for name, said in radios.items())
    return f'<table class="radios">{rows}</table>' if rows else ""


def _by_hand(deeds: Sequence[Deed]) -> str:
    heads = "".join(f"<th>{head}</th>" for head in ("at", "done by hand", "how", "outcome", "took", "UTC"))
    rows = "".join(
        f"<tr><td>{deed.at:.3f} s</td><td>{_text(deed.what)}</td><td>{_text(deed.how)}</td><td>{_text(deed.outcome)}"
        f"{f'<pre>{_text(deed.output)}</pre>' if deed.output else ''}</td><td>{_text(deed.time)}</td><td>{_text(deed.when)}</td></tr>"
        for deed in deeds
    )
    return f'<table class="by-hand"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>' if rows else ""


def _footer(results: Results) -> str:
    limits = "".join(f"<li>{escape(limit)}</li>" for limit in LIMITS)
    return f"<footer><h2>What this report does not say</h2><ul>{limits}</ul><p>{_not_asked(results)}</p></footer>"


def _not_asked(results: Results) -> str:
    asked = {clause.partition("@")[0] for clause in results.clauses()}
    left = [identifier for identifier in clauses() if identifier not in asked]
    return f"Clauses that no case of this run asked about: {', '.join(left)}." if left else ""


def _chip(verdict: Verdict | str, word: str = "") -> str:
    name = str(verdict)
    return f'<span class="chip {escape(name)}">{_text(word or SHOWN.get(name, name))}</span>'


def _text(value: object) -> str:
    return escape(str(value))
