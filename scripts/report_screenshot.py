"""Takes the picture of a report that the README shows.

    ./scripts/run search_space=quadratic preset=standard model.noise=0.3 hydra.run.dir=outputs/shown
    python scripts/report_screenshot.py outputs/shown

Needs the dev extra and Chromium.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from hpo_app.report.document import write_report
from hpo_app.study.replay import load_study


PICTURE = Path(__file__).parents[1] / ".github" / "report.png"
SIZE = {"width": 1000, "height": 1000}


def main(folder: Path) -> None:
    """Write the report of a run into a temporary folder, and take its picture."""
    study = load_study(folder)
    with tempfile.TemporaryDirectory() as place, sync_playwright() as driver:
        page_file = write_report(
            study,
            Path(place),
            command=str(study.facts.get("command", "")),
            train_command=f"./scripts/run action=train best={folder / 'best.yaml'}",
            has_images=False,
        )
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox"] if os.geteuid() == 0 else [],
        )
        page = browser.new_page(viewport=SIZE)
        page.goto(page_file.as_uri())
        # What decided comes first on the page; the picture shows that and what can be pointed at.
        for between in page.locator("section:not(:has(#chart-history))").all()[::-1]:
            between.evaluate("section => section.remove()")
        best = page.locator("#chart-history .best")
        best.scroll_into_view_if_needed()
        page.evaluate("scrollTo(0, 0)")
        box = best.bounding_box()
        if box:
            page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.screenshot(path=str(PICTURE))
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
