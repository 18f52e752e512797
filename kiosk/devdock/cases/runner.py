"""Plays a case: one step after the other against a street of real processes, saving every screen and paper."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drivers.sim.documents import SampleDocument
from kiosk.devdock import hands
from kiosk.devdock.cases import papers
from kiosk.devdock.cases.disk import SmallDisk
from kiosk.devdock.cases.finger import Finger, NotSeen
from kiosk.devdock.cases.model import Case, Cases, Licence, Paper, Pinyin, Prints, PutCard, PutDocument, Step
from kiosk.devdock.cases.storm import run_storm
from kiosk.devdock.hall_view import HallView
from kiosk.devdock.link import LinkMode
from kiosk.devdock.remote import RemoteError
from kiosk.devdock.street import Street, StreetError, Terminal


class Miss(AssertionError):
    """An expectation of the case was not met."""


@dataclass(slots=True)
class Report:
    """What happened, for people (pictures) and machines (JSON)."""

    case: str
    title: str
    why: str
    ok: bool = False
    error: str = ""
    seconds: float = 0.0
    touches: int = 0
    clocked_s: float | None = None
    steps: list[dict[str, Any]] = field(default_factory=list)
    pictures: list[dict[str, str]] = field(default_factory=list)
    checks: list[dict[str, Any]] = field(default_factory=list)
    seed: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


class CaseRunner:
    """One case on one street."""

    def __init__(self, case: Case, street: Street, out: Path, *, small_disk: SmallDisk | None = None) -> None:
        self._case = case
        self._street = street
        self._out = out
        self._small_disk = small_disk
        first = next(iter(street.terminals.values()))
        self._hall = HallView(street.hall, bundle_file=first.data / "bundle" / "current.cwb")
        self.report = Report(case.case, case.title, case.why)
        self._fingers = {name: Finger(terminal) for name, terminal in street.terminals.items()}
        self._at = next(iter(street.terminals))
        self._baseline = self._hall.numbers()
        self._printed_before = frozenset(job["id"] for job in self._hall.print_jobs())
        self._paper_base = {name: self._paper_counts(terminal) for name, terminal in street.terminals.items()}
        self._clock_started: float | None = None

    @property
    def _terminal(self) -> Terminal:
        return self._street.terminals[self._at]

    @property
    def _finger(self) -> Finger:
        return self._fingers[self._at]

    def run(self) -> Report:
        """Play it; the report says whether every expectation was met."""
        self._out.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        try:
            for number, step in enumerate(self._case.steps, 1):
                self._play(number, step)
            self._check_limits()
            self.report.ok = True
        except (Miss, NotSeen, StreetError, RemoteError, papers.PaperWrong) as error:
            self.report.error = f"{error}"
            self._picture("at the end")
        self.report.seconds = round(time.monotonic() - began, 2)
        self.report.touches = sum(finger.touches for finger in self._fingers.values())
        (self._out / "report.json").write_text(
            json.dumps(self.report.as_json(), ensure_ascii=False, indent=1), encoding="utf-8"
        )
        return self.report

    # --- steps ---------------------------------------------------------------------------------------------------

    def _play(self, number: int, step: Step) -> None:
        verb = step.verb()
        value = getattr(step, verb)
        began = time.monotonic()
        handler: Callable[[Any, Step], None] = getattr(self, f"_do_{verb}")
        try:
            handler(value, step)
        except (Miss, NotSeen, StreetError, RemoteError, papers.PaperWrong) as error:
            raise Miss(f"step {number} ({verb}): {error}") from None
        said = value.model_dump(exclude_defaults=True) if hasattr(value, "model_dump") else value
        self.report.steps.append({"n": number, verb: said, "s": round(time.monotonic() - began, 2)})

    def _do_view(self, name: str, step: Step) -> None:
        self._finger.wait_view(name, within_s=step.within)
        self._picture(name)

    def _do_tap(self, label: str, step: Step) -> None:
        self._finger.tap(label, within_s=step.within)

    def _do_see(self, words: str, step: Step) -> None:
        self._finger.wait_for(words, within_s=step.within)

    def _do_not_see(self, words: str, step: Step) -> None:
        self._finger.wait_gone(words, within_s=step.within)

    def _do_shot(self, title: str, _step: Step) -> None:
        self._picture(title)

    def _do_pinyin(self, typed: Pinyin, step: Step) -> None:
        for key in typed.keys:
            self._finger.tap(key, within_s=step.within)
        self._finger.tap(typed.pick, within_s=step.within)

    def _do_keys(self, keys: str, step: Step) -> None:
        for key in keys:
            self._finger.tap(key, within_s=step.within)

    def _do_put_card(self, put: PutCard, _step: Step) -> None:
        hands.put_card(self._terminal, self._street.persons[put.person], **put.options)

    def _do_lift_card(self, _value: bool, _step: Step) -> None:
        hands.lift_card(self._terminal)

    def _do_put_document(self, put: PutDocument, _step: Step) -> None:
        holder = self._street.persons[put.holder]
        hands.put_document(self._terminal, SampleDocument(put.document), holder, **put.options)

    def _do_push_social_card(self, push: PutCard, _step: Step) -> None:
        hands.push_social_card(self._terminal, self._street.persons[push.person], **push.options)

    def _do_pull_social_card(self, _value: bool, _step: Step) -> None:
        hands.pull_social_card(self._terminal)

    def _do_scan_last(self, kind: str, _step: Step) -> None:
        code = hands.code_on_last(self._terminal, kind)
        if code is None:
            raise Miss(f"there is no code on the last paper of {kind}")
        hands.show_code(self._terminal, code)

    def _do_clear_document(self, _value: bool, _step: Step) -> None:
        hands.clear_document(self._terminal)

    def _do_device(self, fault: Any, _step: Step) -> None:
        self._terminal.hardware.do(fault.do, **fault.options)

    def _do_network(self, mode: str, _step: Step) -> None:
        assert self._terminal.link is not None
        self._terminal.link.set_mode(LinkMode(mode))

    def _do_kill(self, name: str, step: Step) -> None:
        deadline = time.monotonic() + step.within
        while self._street.kill(self._terminal, name) is None:
            if time.monotonic() > deadline:
                raise Miss(f"{name} is not running, cannot kill it")
            time.sleep(0.02)

    def _do_disk(self, state: str, _step: Step) -> None:
        if self._small_disk is None:
            raise Miss("this case has no small disk")
        if state == "full":
            self._small_disk.fill()
        else:
            self._small_disk.free()

    def _do_tear(self, which: str, _step: Step) -> None:
        self._terminal.hardware.do(f"{which}.tear")

    def _do_receipts(self, paper: Paper, _step: Step) -> None:
        self._wait_papers("receipt", paper)

    def _do_pages(self, paper: Paper, _step: Step) -> None:
        self._wait_papers("page", paper)

    def _do_verify_receipt(self, words: tuple[str, ...], _step: Step) -> None:
        picture = self._latest("receipt", as_png=True)
        number = self._finger.number()
        if not number:
            raise Miss("no application number on the screen")
        keys = {**self._hall.keys(), **_terminal_keys(self._terminal)}
        result = papers.check_receipt(picture, words=words, keys=keys, number=number)
        self.report.checks.append({"receipt": result})

    def _do_verify_page(self, words: tuple[str, ...], _step: Step) -> None:
        result = papers.check_page(
            self._latest("page", as_png=False),
            self._latest("page", as_png=True),
            words=words,
            keys=self._hall.keys(),
            root=self._terminal.data / "identity" / "ca.pem",
        )
        self.report.checks.append({"page": result})

    def _do_licence(self, licence: Licence, _step: Step) -> None:
        holder = self._street.persons[licence.holder]
        self._street.hall.set_licence(holder=holder.card.id_number, type_name=licence.type, status=licence.status)

    def _do_hall(self, wanted: Cases, _step: Step) -> None:
        deadline = time.monotonic() + wanted.within
        while True:
            fresh = [row for row in self._hall.submissions() if row["id"] not in self._baseline]
            good = [row for row in fresh if not wanted.state or row["state"] == wanted.state]
            if len(good) == wanted.count and len(fresh) == wanted.count:
                break
            if time.monotonic() > deadline:
                seen = [(row["application_no"], row["state"]) for row in fresh]
                raise Miss(f"hall should have {wanted.count} {wanted.state or 'submissions'}, has {seen}")
            time.sleep(0.1)
        doubled = [row["application_no"] for row in fresh if row["effects"] != 1]
        if doubled:
            raise Miss(f"not exactly one effect each: {doubled}")
        self.report.checks.append({"hall": {"submissions": len(fresh), "each_exactly_once": True}})

    def _do_prints(self, wanted: Prints, _step: Step) -> None:
        deadline = time.monotonic() + wanted.within
        while True:
            fresh = [job for job in self._hall.print_jobs() if job["id"] not in self._printed_before]
            seen = [(job["outcome"], len(job["papers"])) for job in fresh]
            if seen == [(wanted.outcome, wanted.papers)] * wanted.count:
                break
            if time.monotonic() > deadline:
                raise Miss(f"hall should know {wanted.count} pages {wanted.outcome}, knows {seen}")
            time.sleep(0.1)
        self.report.checks.append({"prints": {"jobs": len(fresh), "outcome": wanted.outcome}})

    def _do_queue_empty(self, _value: bool, step: Step) -> None:
        def pending() -> int:
            rows = self._hall.terminals()
            mine = [row for row in rows if row["id"] == self._terminal.spec.id]
            return int(mine[0]["heartbeat"]["pending"]) if mine and mine[0]["heartbeat"] else -1

        deadline = time.monotonic() + step.within
        while pending() != 0:
            if time.monotonic() > deadline:
                raise Miss("the terminal still has something to send")
            time.sleep(0.1)

    def _do_terminal(self, name: str, _step: Step) -> None:
        if name not in self._street.terminals:
            raise Miss(f"there is no terminal {name} on this street")
        self._at = name

    def _do_start_clock(self, _value: bool, _step: Step) -> None:
        self._clock_started = time.monotonic()

    def _do_stop_clock(self, _value: bool, _step: Step) -> None:
        assert self._clock_started is not None, "stop_clock without start_clock"
        self.report.clocked_s = round(time.monotonic() - self._clock_started, 2)

    def _do_storm(self, storm: Any, _step: Step) -> None:
        outcome = run_storm(storm, self._street, self._terminal, self._finger, self._hall, picture=self._picture)
        self.report.seed = outcome.seed
        self.report.checks.append({"storm": outcome.as_json()})
        if outcome.trouble:
            raise Miss("; ".join(outcome.trouble))

    # --- helpers -------------------------------------------------------------------------------------------------

    def _check_limits(self) -> None:
        touches = sum(finger.touches for finger in self._fingers.values())
        if self._case.limits.touches is not None and touches > self._case.limits.touches:
            raise Miss(f"{touches} touches, at most {self._case.limits.touches} are allowed")

    def _picture(self, title: str) -> None:
        try:
            _, png = self._terminal.screen.do("grab", kind="png")
        except RemoteError:
            return  # the screen is down at this moment; the steps judge whether it may be
        self._save(f"{title}", png, "screen", "png")

    def _save(self, title: str, data: bytes, kind: str, suffix: str) -> None:
        name = f"{len(self.report.pictures) + 1:02d}-{kind}.{suffix}"
        (self._out / name).write_bytes(data)
        self.report.pictures.append({"file": name, "kind": kind, "title": title, "terminal": self._at})

    def _paper_counts(self, terminal: Terminal) -> dict[str, int]:
        return {kind: len(_complete(terminal, kind)) for kind in ("receipt", "page")}

    def _wait_papers(self, kind: str, paper: Paper) -> None:
        wanted = self._paper_base[self._at][kind] + paper.count
        deadline = time.monotonic() + paper.within
        while (have := len(_complete(self._terminal, kind))) < wanted:
            if time.monotonic() > deadline:
                raise Miss(f"{have - wanted + paper.count} {kind} papers came out, wanted {paper.count}")
            time.sleep(0.05)
        if have > wanted:
            raise Miss(f"{have - wanted} {kind} papers too many came out")
        if paper.count:
            self._save(kind, self._latest(kind, as_png=True), kind, "png")
            if kind == "page":
                self._save(kind, self._latest(kind, as_png=False), kind, "pdf")

    def _latest(self, kind: str, *, as_png: bool) -> bytes:
        papers_there = _complete(self._terminal, kind)
        if not papers_there:
            raise Miss(f"no {kind} paper came out")
        return hands.look_at(self._terminal, kind, int(papers_there[-1]["n"]), as_png=as_png)


def _complete(terminal: Terminal, kind: str) -> list[dict[str, Any]]:
    head, _ = terminal.hardware.do(f"{kind}.list")
    return [paper for paper in head["papers"] if paper["complete"]]


def _terminal_keys(terminal: Terminal) -> dict[str, bytes]:
    """The terminal's public signing key, as the hall knows it."""
    from kiosk.contract.signing import SigningKey

    key = SigningKey.from_pem((terminal.data / "identity" / "signing.key").read_bytes())
    return {key.id: key.public}


def decode_keys(rows: list[dict[str, str]]) -> dict[str, bytes]:
    """Raw public keys by id from a bundle's key list."""
    return {row["id"]: base64.b64decode(row["public"]) for row in rows}
