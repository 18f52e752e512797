"""Certificates and licences on A4: few touches, proof or a question, and the hall hears the end."""

from collections import deque

import pytest

from kiosk.core.devices import DeviceKind, DeviceState, Fault, Level
from kiosk.core.intents import (
    Back,
    Begin,
    Finish,
    Home,
    OpenMySpace,
    OpenTile,
    PaperTaken,
    PrintAgain,
    PrintLicence,
    Start,
    Submit,
    WindowSlip,
)
from kiosk.core.ports import HallFault, Link
from kiosk.core.views import (
    AttractView,
    CheckView,
    GuideView,
    HomeView,
    MySpaceView,
    PrintView,
    PutCardView,
    WindowSlipView,
)
from kiosk.services.effects import Lane


def to_print(stage, xiu, codes):
    return stage.touch(Start()).put(xiu).touch(OpenTile(codes["proof"]), Begin(), Submit())


def test_a_certificate_takes_five_touches_card_put_on_the_way(stage, xiu, codes):
    stage.touch(Start(), OpenTile(codes["proof"])).put(xiu)
    assert stage.sees(GuideView).primary == "print"
    check = stage.touch(Begin()).sees(CheckView)
    assert check.kind == "certificate"
    assert {row.label for row in check.rows} == {"打印内容", "出具部门", "姓名", "证件号码"}
    stage.touch(Submit())
    assert (stage.sees(PrintView).phase, len(stage.page.pages)) == ("done", 1)
    assert stage.ledger.outcomes == [("job-1", "proven", "")]
    stage.touch(Finish()).sees(AttractView)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (HallFault.UNREACHABLE, "hall_unreachable"),
        (HallFault.BUSY, "hall_unreachable"),
        (HallFault.GARBAGE, "hall_unreachable"),
        (HallFault.REFUSED, "hall_refused"),
        (HallFault.NOT_ELIGIBLE, "not_eligible"),
    ],
)
def test_no_certificate_to_be_had(stage, xiu, codes, fault, code):
    stage.hall.fault = fault
    to_print(stage, xiu, codes)
    assert (stage.sees(PrintView).phase, stage.notice()) == ("failed", code)
    stage.touch(WindowSlip()).sees(WindowSlipView)
    stage.hall.fault = None
    stage.touch(Back(), PrintAgain())
    assert stage.sees(PrintView).phase == "done"
    assert len(stage.hall.jobs) == 1


def test_without_network_the_certificate_is_greyed_and_refused(stage, xiu, codes):
    stage.touch(Start(), OpenTile(codes["proof"])).network(Link.DOWN)
    assert stage.sees(GuideView).item.available.device == "network"
    stage.touch(Begin()).sees(GuideView)
    assert stage.notice() == "hall_unreachable"


def test_paper_out_on_a4_waits_and_comes_by_itself(stage, xiu, codes):
    stage.page.faults = deque([Fault.PAPER_OUT])
    to_print(stage, xiu, codes)
    assert (stage.sees(PrintView).phase, stage.notice()) == ("waiting_paper", "page_paper_out")
    stage.device(DeviceKind.PAGE, paper=Level.OUT)
    stage.device(DeviceKind.PAGE, paper=Level.FULL)
    assert stage.sees(PrintView).phase == "done"
    assert stage.ledger.outcomes == [("job-1", "failed", "paper_out"), ("job-1", "proven", "")]


def test_a_printer_that_waits_for_paper_in_the_middle_of_a_job_is_not_called_printing(stage, xiu, codes):
    to_print(stage.hold(Lane.PAGE), xiu, codes)
    assert stage.sees(PrintView).phase == "printing"
    stage.device(DeviceKind.PAGE, paper=Level.OUT)
    assert (stage.sees(PrintView).phase, stage.notice()) == ("waiting_paper", "page_paper_out")
    stage.device(DeviceKind.PAGE, paper=Level.FULL)
    assert stage.sees(PrintView).phase == "printing"
    stage.release()
    assert (stage.sees(PrintView).phase, len(stage.page.pages)) == ("done", 1)


def test_a_jam_is_said_and_reported_when_she_leaves(stage, xiu, codes):
    stage.page.faults = deque([Fault.JAM])
    to_print(stage, xiu, codes)
    assert (stage.sees(PrintView).phase, stage.notice()) == ("failed", "page_failed")
    assert stage.ledger.outcomes == [("job-1", "failed", "jam")], "also if she never leaves"
    stage.touch(Home()).sees(HomeView)
    assert len(stage.ledger.outcomes) == 1


def test_in_doubt_about_a_page_she_is_asked(stage, xiu, codes):
    stage.page.faults = deque([Fault.UNPROVEN])
    to_print(stage, xiu, codes)
    assert (stage.sees(PrintView).phase, stage.notice()) == ("unproven", "page_unproven")
    stage.touch(PaperTaken())
    assert stage.sees(PrintView).phase == "done"
    assert stage.ledger.outcomes == [("job-1", "unknown", "unproven"), ("job-1", "proven", "")]


def test_no_page_after_all_is_printed_again_under_the_same_job(stage, xiu, codes):
    stage.page.faults = deque([Fault.UNPROVEN])
    to_print(stage, xiu, codes).touch(PrintAgain())
    assert stage.sees(PrintView).phase == "done"
    assert [page.job for page in stage.page.pages] == ["job-1"]


def test_a_doubt_nobody_answers_is_told_to_the_hall_as_a_doubt(stage, xiu, codes):
    stage.page.faults = deque([Fault.UNPROVEN])
    to_print(stage, xiu, codes).wait(91).sees(AttractView)
    assert stage.ledger.outcomes == [("job-1", "unknown", "unproven")]
    assert all(person.closed for person in stage.hall.persons)


def test_my_licences_are_seen_and_printed(stage, xiu, matters, held_licence):
    stage.hall.matters[xiu.id_number] = matters(licences=(held_licence(), held_licence(id="L-2", printable=False)))
    stage.touch(Start(), OpenMySpace("licences")).sees(PutCardView)
    view = stage.put(xiu).sees(MySpaceView)
    assert (view.tab, len(view.licences), view.person.name) == ("licences", 2, "欧**甲")
    stage.touch(PrintLicence("L-2"), PrintLicence("nobodys")).sees(MySpaceView)
    stage.touch(PrintLicence("L-1"))
    assert (stage.sees(PrintView).title, stage.view.phase) == ("居住证", "done")
    stage.touch(Back()).sees(MySpaceView)
    stage.touch(OpenMySpace("applications"), Back()).sees(HomeView)


def test_a_licence_cannot_be_printed_without_a_printer(stage, xiu, matters, held_licence):
    stage.hall.matters[xiu.id_number] = matters(licences=(held_licence(),))
    stage.device(DeviceKind.PAGE, state=DeviceState.OFFLINE, fault=Fault.UNREACHABLE)
    stage.put(xiu).touch(OpenMySpace("licences"), PrintLicence("L-1")).sees(MySpaceView)
    assert stage.notice() == "device_down"


def test_my_space_with_the_hall_away_says_so_and_asks_again(stage, xiu, matters, held_licence):
    stage.hall.matters[xiu.id_number] = matters(licences=(held_licence(),))
    stage.put(xiu).network(Link.DOWN).touch(OpenMySpace("applications")).sees(MySpaceView)
    assert stage.notice() == "hall_unreachable"
    stage.network(Link.UP)
    assert stage.notice() == ""
