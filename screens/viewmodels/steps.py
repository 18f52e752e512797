"""Where in the journey: the stations that it has, in words."""

from __future__ import annotations

from kiosk.core import views
from kiosk.core.views import Step
from screens.locale import zh_cn

NOWHERE: tuple[tuple[Step, ...], int] = ((), -1)


def position(view: views.View) -> tuple[tuple[Step, ...], int]:
    """The stations, and which of them this page belongs to (from 0); nothing and -1 outside of a journey."""
    match view:
        case views.PutCardView(steps=steps):
            return _at(steps, "card")
        case views.PrintView(steps=steps):
            return _at(steps, "paper")
        case (
            views.QuestionView(steps=steps, step=step)
            | views.MaterialsView(steps=steps, step=step)
            | views.CaptureView(steps=steps, step=step)
            | views.CheckView(steps=steps, step=step)
            | views.SendingView(steps=steps, step=step)
            | views.DoneView(steps=steps, step=step)
        ):
            return _at(steps, step)
        case _:
            return NOWHERE


def words(steps: tuple[Step, ...]) -> list[str]:
    """As they are written under the dots."""
    return [zh_cn.STEP_WORDS[step] for step in steps]


def _at(steps: tuple[Step, ...], step: Step) -> tuple[tuple[Step, ...], int]:
    return (steps, steps.index(step)) if step in steps else NOWHERE
