"""Draws the clerks' pages from what the desk reads."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hall.hall import Hall
from hall.web import words
from kiosk.contract.promise import PromiseLevel

if TYPE_CHECKING:
    from jinja2 import Environment

_CLOSED = ("granted", "denied", "answered", "withdrawn", "expired")
_RESTING = (*_CLOSED, "correction_wanted")
"""No clock runs: it is over, or it is the citizen's turn."""


class Pages:
    """All pages. Templates are loaded at the first one, so that the hall starts fast."""

    def __init__(self, hall: Hall) -> None:
        self._hall = hall

    def cases(self, staff: str, *, kind: str | None) -> str:
        """The list of cases or of tickets."""
        return self._draw("cases.html", {"staff": staff, **self._list(kind)})

    def case_list(self, *, kind: str | None) -> str:
        """The part of it that changes."""
        return self._draw("_cases.html", self._list(kind))

    def case(self, staff: str, application_no: str) -> str:
        """One case; NotThere."""
        detail = self._hall.desk.case(application_no, actor=staff)
        tab = "tickets" if detail.row.kind == "consultation" else "cases"
        return self._draw("case.html", {"staff": staff, "case": detail, "tab": tab})

    def terminals(self, staff: str) -> str:
        """The board."""
        return self._draw("terminals.html", {"staff": staff, "tab": "terminals", **self._board()})

    def terminal_board(self) -> str:
        """The part of it that changes."""
        return self._draw("_terminals.html", self._board())

    def prints(self, staff: str) -> str:
        """What terminals printed."""
        return self._draw("prints.html", {"staff": staff, "tab": "prints", "jobs": self._hall.papers_printed.jobs()})

    def print_list(self) -> str:
        """The part of it that changes."""
        return self._draw("_prints.html", {"jobs": self._hall.papers_printed.jobs()})

    def media(self, staff: str, *, trouble: str = "") -> str:
        """Sticks: hand one in, and what was handed in."""
        values = {"staff": staff, "tab": "media", "imports": self._hall.media.imports(), "trouble": trouble}
        return self._draw("media.html", values)

    def refused(self, staff: str) -> str:
        """What terminals have set aside because the hall refused it."""
        rows = self._hall.second_chances.refused()
        return self._draw("refused.html", {"staff": staff, "tab": "refused", "rows": rows})

    def help_calls(self) -> str:
        """Open calls for help: on top of every page."""
        return self._draw("_help.html", {"calls": self._hall.help_desk.open()})

    def signed_out(self) -> str:
        """How to sign in."""
        return self._draw("signed_out.html", {})

    def not_there(self) -> str:
        """No such case."""
        return self._draw("not_there.html", {})

    def _list(self, kind: str | None) -> Mapping[str, Any]:
        counts = self._hall.desk.counts()
        return {
            "tab": "tickets" if kind == "consultation" else "cases",
            "rows": self._hall.desk.cases(kind=kind),
            "open_count": sum(number for state, number in counts.items() if state not in (*_CLOSED, "rejected")),
            "closed_count": sum(counts.get(state, 0) for state in _CLOSED),
            "rejected_count": counts["rejected"],
            "resting": _RESTING,
        }

    def _board(self) -> Mapping[str, Any]:
        board, now = self._hall.terminals.board(), self._hall.clock.now()
        late = [health for health in board if health.promise(now) is not PromiseLevel.NONE]
        late.sort(key=lambda health: -health.oldest_unsent_s(now))
        journals = self._hall.journals.standings()
        return {"board": board, "late": late, "help": self._hall.help_desk.latest(), "journals": journals}

    def _draw(self, template: str, values: Mapping[str, Any]) -> str:
        if "staff" in values:
            values = {**values, "calls": self._hall.help_desk.open()}
        return self._templates.get_template(template).render(
            {**values, "hall_name": self._hall.settings.name, "now": self._hall.clock.now()}
        )

    @cached_property
    def _templates(self) -> Environment:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

        environment = Environment(
            loader=FileSystemLoader(Path(__file__).with_name("templates")),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.globals["w"] = words
        return environment
