"""The message ladder of a scenario as text and as a picture, drawn from its trace whenever it is wanted. Gives no verdict.

`marks` say which exchanges are evidence of what: exchange number -> (verdict, clause@actor) pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.trace import Trace
from harness.usecase import Actor, second
from reports.ladder_svg import as_svg
from reports.rungs import LEGEND, Fold, Marks, Rung, lifelines, rungs

ABBREVIATIONS = {
    Actor.CIS: "CIS", Actor.ODS: "ODS", Actor.DR_APPLICATION: "DRA", Actor.AMI_HEAD_END: "HES", Actor.AMI_NETWORK: "NET",
    Actor.NIC: "NIC", Actor.ESI: "ESI", Actor.HAN_DEVICE: "HAN",
}
HEADS = {
    **{str(actor): head for actor, head in ABBREVIATIONS.items()},
    **{second(actor): f"{head}2" for actor, head in ABBREVIATIONS.items()},
}
FATES = {"lost": " (lost)", "altered": " (altered on the way)"}
COLUMN = 5


def draw(trace: Trace, folder: Path, marks: Marks | None = None, identifier: str = "ladder") -> tuple[Path, Path]:
    """Write `ladder.txt` and `ladder.svg` into `folder`; returns both paths."""
    ladder = rungs(trace, keep=marks or ())
    text, picture = folder / "ladder.txt", folder / "ladder.svg"
    text.write_text(as_text(ladder, marks or {}), encoding="utf-8")
    picture.write_text(as_svg(ladder, marks or {}, identifier), encoding="utf-8")
    return text, picture


def as_text(ladder: list[Rung | Fold], marks: Marks) -> str:
    """The ladder in columns of characters: time in seconds, exchange number, step, arrow, what was said."""
    names = lifelines(ladder)
    places = {name: COLUMN * index + COLUMN // 2 for index, name in enumerate(names)}
    heads = [HEADS.get(name, name[:4]) for name in names]
    lines = [
        f"{'time':>11} {'no':>5} step {''.join(head.center(COLUMN) for head in heads)}",
        *(_line(each, places, marks) for each in ladder),
        "",
        ", ".join(f"{head} = {name}" for head, name in zip(heads, names, strict=True)),
        LEGEND,
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _line(each: Rung | Fold, places: Mapping[str, int], marks: Marks) -> str:
    row = [" "] * (COLUMN * len(places))
    for place in places.values():
        row[place] = "|"
    if isinstance(each, Fold):
        return f"{'':>11} {'':>5}      {''.join(row)} {each.text}"
    start = places[each.producer]
    for name in each.heard_by(places):
        end = places[name]
        step = 1 if end > start else -1
        for place in range(start + step, end, step):
            row[place] = "-" if each.fate == "arrived" else "."
        row[end - step] = "x" if each.fate == "lost" else ">" if step > 0 else "<"
    row[start] = "o"
    number = "" if each.step is None else f"{each.step:02d}"
    told = "".join(f"   <== {verdict}: {clause}" for verdict, clause in marks.get(each.number, ()))
    return f"{each.time:>11.3f} {each.number:>5} {number:>4} {''.join(row)} {each.text}{FATES.get(each.fate, '')}{told}"
