"""What the citizen touches, and where that leads. A touch that does not belong to the page shown is ignored:
it was meant for the page before."""

from __future__ import annotations

from typing import assert_never

from kiosk.core import intents
from kiosk.core.print_ledger import REPRINT_REASONS, VoidReason
from kiosk.services.flow import (
    assistance,
    correct,
    home,
    item,
    materials,
    mouths,
    pages,
    receipt,
    scan,
    submit,
    unfinished,
    window,
)
from kiosk.services.flow.clockwork import working
from kiosk.services.flow.space import open_space
from kiosk.services.flow.visit import EndReason, end, start
from kiosk.services.places import (
    AtCapture,
    AtCheck,
    AtCode,
    AtDone,
    AtExit,
    AtGuide,
    AtHome,
    AtMaterials,
    AtPrint,
    AtPutCard,
    AtQuestion,
    AtSearch,
    AtSending,
    AtSlip,
    AtSpace,
    ToItem,
)
from kiosk.services.turn import Turn


def touched(turn: Turn, intent: intents.Intent) -> None:
    """One touch."""
    visit = turn.model.visit
    match intent:
        case intents.CallHelp():
            assistance.call(turn)
        case intents.DisplayChanged(large):
            turn.set(large_text=large)
        case intents.PapersSeen():
            mouths.acknowledged(turn)
        case intents.Start():
            start(turn)
        case intents.Touched() | intents.ExtendTime():
            pass  # the idle clock has started again already
        case _ if visit is None:
            pass
        case intents.Finish():
            _finish(turn)
        case _ if visit.gone is not None:
            _without_card(turn, intent)
        case _:
            _with_card(turn, intent)


def _finish(turn: Turn) -> None:
    """退出 / 完成. Between 确认提交 and the word that it is safe there is nothing to decide for a blink."""
    if not isinstance(turn.visit.place, AtSending):
        end(turn, EndReason.FINISHED)


def _without_card(turn: Turn, intent: intents.Intent) -> None:
    """The card is gone: only what needs none of her data, and the way out."""
    place = turn.visit.place
    match intent, place:
        case (
            (intents.PrintAgain() | intents.PaperTaken() | intents.PaperSpoiled()),
            (AtDone() | AtPrint() | AtSlip()),
        ):
            _paper(turn, intent)
        case ((intents.Home() | intents.Back()), _):
            _finish(turn)
        case _:
            pass


def _with_card(turn: Turn, intent: intents.Intent) -> None:
    match intent:
        case intents.Home():
            if not working(turn.visit) or isinstance(turn.visit.place, AtSlip):
                _home(turn)
        case intents.Back():
            _back(turn)
        case intents.WindowSlip():
            window.open_slip(turn)
        case intents.PrintAgain() | intents.PaperTaken() | intents.PaperSpoiled():
            _paper(turn, intent)
        case (
            intents.OpenTile()
            | intents.OpenItem()
            | intents.Search()
            | intents.Begin()
            | intents.ResumeDraft()
            | intents.DropDraft()
            | intents.OpenMySpace()
            | intents.Correct()
            | intents.PrintLicence()
        ):
            _find(turn, intent)
        case (
            intents.SetAnswer()
            | intents.Next()
            | intents.ChangeAnswer()
            | intents.Submit()
            | intents.ReuseLicence()
            | intents.DropMaterial()
            | intents.OpenCapture()
            | intents.Shoot()
            | intents.Retake()
            | intents.AcceptShot()
        ):
            _do(turn, intent)
        case (
            intents.Start()
            | intents.Touched()
            | intents.ExtendTime()
            | intents.CallHelp()
            | intents.DisplayChanged()
            | intents.PapersSeen()
            | intents.Finish()
        ):
            raise AssertionError("handled before")
        case _:
            assert_never(intent)


def _home(turn: Turn) -> None:
    place = turn.at(AtPrint)
    if place is not None:
        pages.leave(turn, place)
    submit.walk_away(turn)
    home.go_home(turn)


def _find(
    turn: Turn,
    intent: intents.OpenTile
    | intents.OpenItem
    | intents.Search
    | intents.Begin
    | intents.ResumeDraft
    | intents.DropDraft
    | intents.OpenMySpace
    | intents.Correct
    | intents.PrintLicence,
) -> None:
    match intent, turn.visit.place:
        case intents.OpenTile(target), AtHome():
            home.open_tile(turn, target)
        case intents.OpenItem(code), AtSearch() | AtHome() as origin:
            home.open_item(turn, code, origin=origin)
        case intents.Search(text), AtSearch(theme=theme):
            turn.go(AtSearch(text, theme if not text else ""))
        case intents.Search(text), AtHome():
            turn.go(AtSearch(text))
        case intents.Begin(), AtGuide() as guide:
            home.begin(turn, guide)
        case intents.ResumeDraft(), AtHome():
            home.resume(turn)
        case intents.DropDraft(), AtHome():
            unfinished.discard(turn)
        case intents.OpenMySpace(), AtCode() as place:
            scan.progress(turn, place)
        case intents.OpenMySpace(tab), AtHome() | AtSpace():
            open_space(turn, "licences" if tab == "licences" else "applications")
        case intents.Correct(number), AtSpace() as place:
            correct.begin(turn, place, number)
        case intents.PrintLicence(licence_id), AtSpace() as place:
            pages.order_licence(turn, place, licence_id)
        case _:
            pass


def _do(
    turn: Turn,
    intent: intents.SetAnswer
    | intents.Next
    | intents.ChangeAnswer
    | intents.Submit
    | intents.ReuseLicence
    | intents.DropMaterial
    | intents.OpenCapture
    | intents.Shoot
    | intents.Retake
    | intents.AcceptShot,
) -> None:
    match intent, turn.visit.place:
        case intents.SetAnswer(field, value), AtQuestion() as place:
            item.set_answer(turn, place, field, value)
        case intents.Next(), AtQuestion() as place:
            item.next_step(turn, place)
        case intents.Next(), AtMaterials():
            materials.done(turn)
        case intents.ChangeAnswer(target), AtCheck():
            item.change(turn, target)
        case intents.Submit(), AtCheck():
            submit.submit(turn)
        case intents.ReuseLicence(material, licence_id), AtMaterials():
            materials.reuse(turn, material, licence_id)
        case intents.DropMaterial(material), AtMaterials():
            materials.drop(turn, material)
        case intents.OpenCapture(material), AtMaterials():
            materials.open_capture(turn, material)
        case intents.Shoot(), AtCapture() as place:
            materials.shoot(turn, place)
        case intents.Retake(), AtCapture() as place:
            materials.retake(turn, place)
        case intents.AcceptShot(), AtCapture() as place:
            materials.accept(turn, place)
        case _:
            pass


def _paper(turn: Turn, intent: intents.PrintAgain | intents.PaperTaken | intents.PaperSpoiled) -> None:
    match intent, turn.visit.place:
        case intents.PrintAgain(), AtDone() as place:
            receipt.print_again(turn, place)
        case intents.PrintAgain(), AtPrint() as place:
            pages.print_again(turn, place)
        case intents.PrintAgain(), AtSlip() as place:
            window.print_again(turn, place)
        case intents.PaperTaken(), AtDone() as place:
            receipt.paper_taken(turn, place)
        case intents.PaperTaken(), AtPrint() as place:
            pages.paper_taken(turn, place)
        case intents.PaperSpoiled(reason), AtPrint() as place if reason in REPRINT_REASONS:
            pages.spoiled(turn, place, VoidReason(reason))
        case _:
            pass


def _back(turn: Turn) -> None:
    match turn.visit.place:
        case AtHome() | AtSending() | AtDone():
            pass
        case AtSearch() | AtSpace() | AtCode():
            home.go_home(turn)
        case AtPutCard(goal):
            if isinstance(goal, ToItem):
                turn.go(goal.guide)
            else:
                home.go_home(turn)
        case AtGuide() as guide:
            turn.set_visit(flow=None)
            turn.go(guide.origin)
        case AtQuestion(page) | AtExit(page):
            item.step_back(turn, page)
        case AtMaterials():
            item.step_back(turn, None)
        case AtCapture(phase=phase):
            if phase != "shooting":
                turn.go(AtMaterials())
        case AtCheck():
            item.back_from_check(turn)
        case AtPrint() as place:
            pages.leave(turn, place)
            if place.phase == "done" and isinstance(place.origin, AtCheck):
                home.go_home(turn)
        case AtSlip(origin=origin):
            window.leave(turn, origin)
        case _ as never:
            assert_never(never)
