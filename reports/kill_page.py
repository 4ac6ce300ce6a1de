"""The page of a kill matrix: one HTML file with everything in it, drawn from `kill-matrix.json` alone. Gives no verdict."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from harness.causes import all_causes
from reports.page import POLICY, STYLE


def as_html(matrix: Mapping[str, Any]) -> str:
    """The page: survivors first, then every defect by step."""
    totals = matrix["totals"]
    rows = sorted(matrix["defects"], key=lambda row: (row["killed"], row["step"], row["id"]))
    told = "".join(_row(row) for row in rows)
    conformant = "".join(
        f"<li>{escape(device)}: {escape(', '.join(failed)) or 'nothing fails'}</li>" for device, failed in matrix["conformant"].items()
    )
    head = "".join(f"<th>{name}</th>" for name in ("step", "defect", "actor", "breaks", "fails besides", "cause", ""))
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><title>HANproof: kill matrix</title>'
        f"<style>{STYLE.read_text(encoding='utf-8')}</style></head><body><header><div><h1>HANproof <small>kill matrix</small></h1>"
        f"<p>{totals['defects']} defects, {totals['killed']} killed, {len(totals['survivors'])} survive;"
        f" {totals['must_clauses_killed']} of {totals['must_clauses']} MUST clauses by actor killed;"
        f" {totals['hinted']} findings name the defect's cause</p></div></header>"
        "<section><p>A kill is a fail of exactly the declared clauses, over the undisturbed run judged by every clause and the cases"
        " of the step. All defects are planted in virtual actors of HANproof's own.</p>"
        f"<h2>Nothing planted</h2><ul>{conformant}</ul><h2>Defects</h2>"
        f'<table class="clauses"><thead><tr>{head}</tr></thead><tbody>{told}</tbody></table></section></body></html>\n'
    )


def _row(row: Mapping[str, Any]) -> str:
    failed, declared = set(row["failed"]), set(row["declared"])
    cause = row["cause"]
    cells = (
        escape(row["step"]),
        f"<code>{escape(row['id'])}</code><br>{escape(row['text'])}"
        + (f"<br><small>{escape(', '.join(row['misbehaviours']))}</small>" if row["misbehaviours"] else ""),
        escape(row["actor"]),
        "<br>".join(_clause(each, each in failed) for each in sorted(declared)),
        escape(", ".join(sorted(failed - declared)) or "nothing"),
        f"{escape(cause)}<br><small>{escape(all_causes().get(cause, ''))}</small>" if cause else "",
        _chip(bool(row["killed"])) + "".join(f"<br>{escape(error)}" for error in row["errors"]),
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _clause(identifier: str, failed: bool) -> str:
    return f"<code>{escape(identifier)}</code>" + ("" if failed else " <b>unnoticed</b>")


def _chip(killed: bool) -> str:
    return f'<span class="chip {"pass" if killed else "fail"}">{"killed" if killed else "survives"}</span>'
