"""A ladder as a self-contained SVG that reads well on a light and on a dark ground. Knows rungs; nothing of traces.

Rows stand one under another, lifelines keep their distance by the longest label between neighbours; a step has its colour and
its number, so that colour alone says nothing. Nothing in the picture asks the network for anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from cases.table import steps
from harness.usecase import Actor
from reports.rungs import LEGEND, Fold, Marks, Rung, lifelines

ROW, FOLD, BAND, HEAD = 23, 17, 30, 36  # heights, in pixels
LEFT, BESIDE = 168, 60  # where the first lifeline may stand, and where marks stand right of the last
LETTER = 6.1  # mean width of a letter at 11 pixels
LONGEST = 60  # letters of a label that lifelines make room for
HEADS_EVERY = 40  # rows
COLOURS = (
    "#2563c9", "#2a7fd4", "#2390c4", "#1c9bab", "#249a6b", "#4b9a36", "#84901c", "#b98410", "#d4701f", "#d4544a", "#cc4a7b",
    "#b04fae", "#8a5bd0", "#6a62d6",
)
VERDICTS = {"fail": "#d03a3a", "error": "#d03a3a", "inconc": "#c98a00", "none": "#808890"}
SIGNS = {"fail": "✗", "error": "✗", "inconc": "?", "none": "i"}

STYLE = """
.ladder{--ink:#1b2430;--faint:#8a94a3;--line:#ccd3dc;--ground:#fff;--head:#eef1f5;
font:11px system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif}
@media (prefers-color-scheme:dark){.ladder{--ink:#e3e8ef;--faint:#8993a1;--line:#3a4451;--ground:#12161c;--head:#222a34}}
.ladder .ground{fill:var(--ground)}.ladder text{fill:var(--ink)}.ladder .faint{fill:var(--faint)}
.ladder .life{stroke:var(--line)}.ladder .head{fill:var(--head);stroke:var(--line)}.ladder .chip{fill:#fff;font-weight:600}
.ladder .said{paint-order:stroke;stroke:var(--ground);stroke-width:3px;stroke-linejoin:round}
.ladder .row:target .hit{fill:#f2c744;fill-opacity:.35}.ladder .hit{fill:transparent}
.ladder .lost{fill:#d03a3a;font-weight:600}.ladder .pause{stroke:var(--faint);stroke-dasharray:1 4}
""".replace("\n", "")


def as_svg(ladder: list[Rung | Fold], marks: Marks, identifier: str = "ladder") -> str:
    """The picture. Row ids are `<identifier>-<exchange number>`, so that a page can point at one."""
    names = lifelines(ladder)
    places = _places(ladder, names)
    told = max((sum(len(clause) + 4 for _, clause in pairs) for pairs in marks.values()), default=0) * LETTER
    width = max(places.values(), default=LEFT) + BESIDE + told
    rows: list[str] = []
    top, since, met = HEAD + 8.0, 0, set[int]()
    for each in ladder:
        if since >= HEADS_EVERY:
            rows.append(_heads(names, places, top + 6))
            top, since = top + HEAD, 0
        if isinstance(each, Fold):
            rows.append(_fold(each, places, top))
            top += FOLD
            continue
        if each.step is not None and each.step not in met:
            met.add(each.step)
            rows.append(_band(each.step, top))
            top += BAND
        rows.append(_rung(each, places, top, width, marks.get(each.number, ()), identifier))
        top, since = top + ROW, since + 1
    rows.append(f'<text class="faint said" x="12" y="{top + 18:g}">{LEGEND}</text>')
    height = top + 28
    lives = "".join(f'<line class="life" x1="{x:g}" x2="{x:g}" y1="{HEAD}" y2="{height:g}"/>' for x in places.values())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ladder" role="img" aria-label="message ladder" '
        f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"><style>{STYLE}</style>'
        f'<rect class="ground" width="100%" height="100%"/>{lives}{_heads(names, places, 2)}{"".join(rows)}</svg>\n'
    )


def _places(ladder: list[Rung | Fold], names: list[str]) -> dict[str, float]:
    """Where each lifeline stands: far enough from those left of it for the longest label between them."""
    between: dict[tuple[str, str], int] = {}
    for rung in ladder:
        if isinstance(rung, Rung):
            for other in rung.heard_by(names)[:1]:
                left, right = sorted((rung.producer, other), key=names.index)
                between[left, right] = max(between.get((left, right), 0), min(len(rung.text), LONGEST))
    places: dict[str, float] = {}
    for index, name in enumerate(names):
        before = names[index - 1] if index else None
        least = LEFT + _wide(name) / 2 if before is None else places[before] + (_wide(before) + _wide(name)) / 2 + 12
        places[name] = max([least, *(
            places[left] + letters * LETTER + 30 for (left, right), letters in between.items() if right == name
        )])
    return places


def _wide(name: str) -> float:
    return len(name) * (LETTER + 0.6) + 16


def _heads(names: list[str], places: Mapping[str, float], top: float) -> str:
    return "".join(_head(name, places[name], top) for name in names)


def _head(name: str, x: float, top: float) -> str:
    wide = _wide(name)
    return (
        f'<rect class="head" x="{x - wide / 2:.1f}" y="{top:g}" width="{wide:.1f}" height="22" rx="4"/>'
        f'<text x="{x:g}" y="{top + 15:g}" text-anchor="middle" font-weight="600">{escape(name)}</text>'
    )


def _band(number: int, top: float) -> str:
    row = steps()[number]
    said = row.description if len(row.description) < 130 else row.description[:127] + "..."
    return (
        f'<text x="12" y="{top + 20:g}" font-weight="600" style="fill:{COLOURS[number - 1]}" class="said">'
        f"Step {number}: {escape(row.producer)} → {escape(row.receiver)} "
        f'<tspan class="faint" font-weight="400">{escape(said)}</tspan></text>'
    )


def _fold(fold: Fold, places: Mapping[str, float], top: float) -> str:
    x = places.get(Actor.ESI, LEFT)
    return (
        f'<line class="pause" x1="12" x2="{LEFT - 30}" y1="{top + 8:g}" y2="{top + 8:g}"/>'
        f'<text class="faint said" x="{x + 10:g}" y="{top + 12:g}" font-size="10">{escape(fold.text)}</text>'
    )


def _rung(
    rung: Rung, places: Mapping[str, float], top: float, width: float, marks: tuple[tuple[str, str], ...], identifier: str,
) -> str:
    y, colour = top + 17, COLOURS[rung.step - 1] if rung.step else "#808890"
    parts = [f'<rect class="hit" x="4" y="{top:g}" width="{width - 8:.0f}" height="{ROW}" rx="3"/>']
    if marks:
        tint = f'fill="{VERDICTS[marks[0][0]]}" fill-opacity=".14"'
        parts.append(f'<rect x="4" y="{top:g}" width="{width - 8:.0f}" height="{ROW}" rx="3" {tint}/>')
    parts.append(f'<text class="faint" x="78" y="{y:g}" text-anchor="end">{rung.time:.3f} s</text>')
    parts.append(f'<text class="faint" x="116" y="{y:g}" text-anchor="end">{rung.number}</text>')
    if rung.step:
        parts.append(f'<rect x="124" y="{y - 12:g}" width="22" height="15" rx="4" fill="{colour}"/>')
        parts.append(f'<text class="chip" x="135" y="{y - 1:g}" text-anchor="middle" font-size="10">{rung.step}</text>')
    parts.extend(_arrows(rung, places, y, colour))
    x = max(places.values()) + BESIDE
    for verdict, clause in marks:
        said = f"{SIGNS[verdict]} {escape(clause)}"
        parts.append(f'<text x="{x:.0f}" y="{y:g}" style="fill:{VERDICTS[verdict]}" font-weight="600">{said}</text>')
        x += (len(clause) + 4) * LETTER
    ends = f"{rung.producer} to {rung.receiver or 'all'}"
    title = f"{rung.time:.6f} s, exchange {rung.number}: {ends}: {rung.label} ({rung.fate})"
    return f'<g class="row" id="{escape(identifier)}-{rung.number}"><title>{escape(title)}</title>{"".join(parts)}</g>'


def _arrows(rung: Rung, places: Mapping[str, float], y: float, colour: str) -> Iterator[str]:
    start = places[rung.producer]
    receivers = rung.heard_by(places)
    if receivers:
        middle = (start + places[receivers[0]]) / 2
        yield f'<text class="said" x="{middle:.1f}" y="{y - 5:g}" text-anchor="middle">{escape(rung.text)}</text>'
    else:
        yield f'<text class="said" x="{start + 8:g}" y="{y + 2:g}">{escape(rung.text)}</text>'
    dash = "" if rung.fate == "arrived" else ' stroke-dasharray="4 3"'
    yield f'<circle cx="{start:g}" cy="{y:g}" r="2.5" fill="{colour}"/>'
    for receiver in receivers:
        end = places[receiver]
        back = -6 if end > start else 6
        tip = end - 30 if rung.fate == "lost" and end > start else end + 30 if rung.fate == "lost" else end
        yield f'<line x1="{start:g}" x2="{tip:g}" y1="{y:g}" y2="{y:g}" stroke="{colour}" stroke-width="1.6"{dash}/>'
        if rung.fate == "lost":
            yield f'<text class="lost" x="{tip:g}" y="{y + 4:g}" text-anchor="middle">✕</text>'
        else:
            yield f'<path d="M{end:g} {y:g}l{back} -3.5v7z" fill="{colour}"/>'
