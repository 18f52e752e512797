"""All cases into one page: every screen, receipt and page, side by side, to be looked at."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, PackageLoader, select_autoescape

from kiosk.devdock.cases.runner import Report


def write_tour(reports: list[Report], out: Path) -> Path:
    """Write `index.html` beside the cases' folders; returns its path."""
    environment = Environment(
        loader=PackageLoader("kiosk.devdock", "templates"), autoescape=select_autoescape(default=True)
    )
    page = environment.get_template("tour.html").render(
        reports=reports,
        passed=sum(report.ok for report in reports),
        seconds=round(sum(report.seconds for report in reports), 1),
    )
    target = out / "index.html"
    target.write_text(page, encoding="utf-8")
    return target
