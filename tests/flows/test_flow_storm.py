"""Whatever happens in whatever order: no stranger's data, no second filing, no crash, always a way out."""

import re
from collections import deque
from datetime import date

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from kiosk.contract.numbers import ApplicationNumber
from kiosk.core import intents
from kiosk.core.devices import DeviceKind, DeviceState, Fault, Level
from kiosk.core.ports import HallFault, Link, StoreFault
from kiosk.core.print_ledger import PrintState
from kiosk.core.views import (
    AttractView,
    CaptureView,
    CheckView,
    DoneView,
    GuideView,
    HomeView,
    MaterialsView,
    MySpaceView,
    OutOfServiceView,
    PrintView,
    PutCardView,
    QuestionView,
    SearchView,
    WindowSlipView,
)
from kiosk.services.effects import Lane
from tests.flows.test_flow_correction import returned

PEOPLE = 4
MARK = re.compile(r"(\d+)号说")


def typed(generation, field):
    """An answer that tells whose it is, in the shape that the field wants."""
    match field.type:
        case "yesno":
            return generation % 2 == 0
        case "choice":
            return "work"
        case "phone":
            return "13800000000"
        case _:
            return f"这是{generation}号说的话"


def returned_number(seed):
    return str(ApplicationNumber("440699", date(2026, 11, 20), "T002", seed))


class Storm(RuleBasedStateMachine):
    """A day at the terminal, told by chance."""

    make_stage = None
    people = ()
    matters = None
    licence = None

    def __init__(self):
        super().__init__()
        self.stage = type(self).make_stage()
        self.submits = 0
        self.said_taken = 0
        self.last_put = None
        """Whose card was put down last: nobody else's data may be on the screen, whatever the terminal believes."""
        self.typed_by = {}
        """Whose card lay there, by the mark of what was typed."""
        for seed, person in enumerate(self.people):
            own = type(self).licence(id=f"L-{seed}", number=f"证号{seed}号", holder=f"持有{seed}")
            case = returned(number=returned_number(seed), message=f"补交{seed}")
            self.stage.hall.matters[person.id_number] = type(self).matters(licences=(own,), applications=(case,))

    # --- what happens

    @rule(who=st.integers(0, PEOPLE - 1))
    def put(self, who):
        self.last_put = self.people[who]
        self.stage.put(self.people[who])

    @rule()
    def lift(self):
        self.stage.lift()

    @rule(who=st.integers(0, PEOPLE - 1), picks=st.lists(st.integers(0, 11), min_size=4, max_size=25))
    def a_citizen_comes(self, who, picks):
        self.mend()
        self.touch(intents.Home())
        self.put(who)
        self.go_on(picks)

    @rule(picks=st.lists(st.integers(0, 11), min_size=1, max_size=12))
    def go_on(self, picks):
        for pick in picks:
            options = self.sensible()
            self.touch(options[pick % len(options)])

    @rule(intent=st.sampled_from([
        intents.Start(), intents.Begin(), intents.Next(), intents.Back(), intents.Submit(), intents.Shoot(),
        intents.Retake(), intents.AcceptShot(), intents.PrintAgain(), intents.PaperTaken(), intents.WindowSlip(),
        intents.ExtendTime(), intents.CallHelp(), intents.DisplayChanged(True), intents.Home(), intents.Finish(),
        intents.Touched(), intents.ResumeDraft(), intents.DropDraft(),
        intents.OpenTile("my_licences"), intents.OpenTile("nonsense"), intents.OpenItem("440699-GA-0031"),
        intents.Search("社保"), intents.SetAnswer("same", True), intents.SetAnswer("name", "冒名"),
        intents.ChangeAnswer("who"), intents.ChangeAnswer("materials"), intents.ChangeAnswer("window"),
        intents.ReuseLicence("permit", "L-0"), intents.DropMaterial("permit"), intents.OpenCapture("permit"),
        intents.OpenMySpace("applications"), intents.PrintLicence("L-1"), intents.Correct(returned_number(1)),
    ]))  # fmt: skip
    def anything(self, intent):
        self.touch(intent)

    @rule(seconds=st.sampled_from([0.5, 4, 16, 61, 95]))
    def wait(self, seconds):
        self.stage.clock.passed += max(0.0, seconds - 1)
        self.stage.wait(1)

    @rule(lane=st.sampled_from(list(Lane)), how=st.sampled_from(["hold", "one answer", "release all"]))
    def slow(self, lane, how):
        match how:
            case "hold":
                self.stage.hold(lane)
            case "one answer":
                self.stage.lanes.one(lane)
                self.stage.settle()
            case _:
                self.stage.release()

    @rule(
        what=st.one_of(
            st.sampled_from(list(DeviceKind)),
            st.sampled_from(list(StoreFault)),
            st.sampled_from(list(HallFault)),
            st.sampled_from(list(Link)),
            st.sampled_from([Fault.PAPER_OUT, Fault.UNPROVEN, Fault.CUTTER, Fault.FROZEN, Fault.NO_DOCUMENT]),
            st.sampled_from([Fault.CARD_UNREADABLE, Fault.CARD_FOREIGN, Fault.SERVICE_DOWN]),
            st.just("answers lost"),
        ),
        times=st.integers(1, 3),
    )
    def trouble(self, what, times):
        stage = self.stage
        match what:
            case DeviceKind():
                stage.device(what, state=DeviceState.OFFLINE, fault=Fault.DRIVER_LOST)
            case StoreFault():
                stage.outbox.faults = deque([what] * times * 10)
                stage.ledger.faults = times
            case HallFault():
                stage.hall.fault = what
            case Link():
                stage.outbox.link = what
            case Fault.PAPER_OUT | Fault.UNPROVEN | Fault.CUTTER:
                stage.receipt.faults.extend([what] * times)
                stage.page.faults.extend([what] * times)
            case Fault.FROZEN | Fault.NO_DOCUMENT:
                stage.camera.shots.append(what)
            case Fault():
                self.last_put = None
                stage.put(what)
            case _:
                stage.outbox.lose_answers = times * 10

    @rule()
    def mend(self):
        stage = self.stage
        stage.outbox.faults.clear()
        stage.outbox.lose_answers = 0
        stage.receipt.faults.clear()
        stage.page.faults.clear()
        stage.ledger.faults = 0
        stage.camera.shots.clear()
        stage.hall.fault, stage.outbox.link = None, Link.UP
        for kind in DeviceKind:
            paper = Level.FULL if kind in (DeviceKind.RECEIPT, DeviceKind.PAGE) else Level.NONE
            stage.device(kind, state=DeviceState.ONLINE, fault=None, paper=paper)
        stage.release()
        stage.wait(1.25)

    @rule()
    def delivered(self):
        self.stage.outbox.deliver()

    @rule()
    def crash(self):
        self.era += 1
        self.seals_before_crash = len(self.stage.sealer.sessions)
        self.stage.camera.live = False
        self.stage.start()

    # --- what must hold

    @invariant()
    def nobody_sees_anothers(self):
        visit = self.stage.terminal._model.visit
        shown = repr(self.stage.view)
        for seed, person in enumerate(self.people):
            if person is not self.last_put:
                for secret in (person.name, person.id_number, person.address, f"证号{seed}号", f"持有{seed}"):
                    assert secret not in shown
                for number, owner in self.filed().items():
                    assert owner != person.id_number or number not in shown
        generation = 0 if visit is None else visit.generation
        for mark in {int(found) for found in MARK.findall(shown)} - {self.whose(generation)}:
            assert visit is not None
            assert self.typed_by[mark] is not None, "a draft is kept for a card"
            assert self.typed_by[mark] is self.last_put
        if (
            visit is not None
            and visit.gone is not None
            and not isinstance(self.stage.view, DoneView | PrintView | WindowSlipView)
        ):
            assert isinstance(self.stage.view, PutCardView)

    @invariant()
    def one_submit_is_one_filing(self):
        assert len(self.stage.outbox.kept) <= self.submits
        tried = set(self.stage.outbox.tried)
        assert len({id_ for id_, _ in tried}) == len(tried), "the same id always means the same bytes"

    @invariant()
    def proven_means_paper(self):
        papers = self.stage.ledger.papers.values()
        proven = {paper.entry.job for paper in papers if paper.entry.state is PrintState.PROVEN}
        printed = {one.job for one in (*self.stage.receipt.slips, *self.stage.page.pages)}
        assert len(proven - printed) <= self.said_taken

    def teardown(self):
        """However it stands: the world mends, she walks away, and nothing is left of her."""
        stage = self.stage
        self.mend()
        stage.wait(10)
        stage.touch(intents.Finish())
        assert isinstance(stage.view, AttractView | OutOfServiceView)
        assert not stage.camera.live
        assert not stage.terminal._model.filings
        assert not stage.terminal._model.notes
        assert not stage.terminal._model.printing
        assert all(seal.closed for seal in stage.sealer.sessions[self.seals_before_crash :])
        super().teardown()

    # --- helpers

    era = 0
    seals_before_crash = 0

    def whose(self, generation):
        """Marks of typed words, told apart across restarts of the screen."""
        return self.era * 1000 + generation

    def touch(self, intent):
        if isinstance(intent, intents.Submit) and isinstance(self.stage.view, CheckView):
            self.submits += 1
        if isinstance(intent, intents.PaperTaken):
            self.said_taken += 1
        self.stage.touch(intent)

    def filed(self):
        """Application numbers, and whose they are."""
        owners = {}
        for kept in self.stage.outbox.kept.values():
            number = kept.sealed.envelope.split(b'"id_number":"')[1].split(b'"')[0].decode()
            owners[kept.sealed.application_no] = number or "nobody"
        return owners

    def sensible(self):
        """What a citizen would touch here."""
        view = self.stage.view
        generation = self.whose(self.stage.terminal._model.generation)
        match view:
            case HomeView():
                begun = [intents.ResumeDraft()] * 3 if view.unfinished else []
                return [*begun, *(intents.OpenTile(tile.target) for tile in view.tiles)]
            case SearchView():
                return [intents.OpenItem(card.code) for card in view.results] or [intents.Back()]
            case GuideView():
                return [intents.Begin()]
            case QuestionView():
                empty = [field for field in view.fields if field.value is None]
                if empty:
                    self.typed_by[generation] = self.last_put
                    return [intents.SetAnswer(empty[0].id, typed(generation, empty[0]))]
                return [intents.Next() if view.fields else intents.WindowSlip()]
            case MaterialsView():
                needed = [row for row in view.rows if row.state == "needed"]
                if not needed:
                    return [intents.Next()]
                options = [intents.OpenCapture(needed[0].id)]
                if needed[0].reusable:
                    options.append(intents.ReuseLicence(needed[0].id, needed[0].reusable.id))
                return options
            case CaptureView():
                return [{"live": intents.Shoot(), "review": intents.AcceptShot()}.get(view.phase, intents.Back())]
            case CheckView():
                return [intents.Submit()]
            case DoneView() | PrintView():
                return [intents.Touched(), intents.PrintAgain(), intents.PaperTaken(), intents.Home(), intents.Finish()]
            case MySpaceView():
                numbers = [case.application_no for case in view.applications]
                return [
                    *(intents.Correct(number) for number in numbers),
                    *(intents.PrintLicence(f"L-{seed}") for seed in range(PEOPLE)),
                ]
            case WindowSlipView():
                return [intents.Back(), intents.Home()]
            case _:
                return [intents.Start()]


@pytest.mark.timeout(300)
def test_a_stormy_day(make_stage, person, matters, held_licence):
    Storm.make_stage = staticmethod(make_stage)
    Storm.people = tuple(person(seed) for seed in range(PEOPLE))
    Storm.matters = staticmethod(matters)
    Storm.licence = staticmethod(held_licence)
    run_state_machine_as_test(
        Storm,
        settings=settings(
            max_examples=50,
            stateful_step_count=30,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
