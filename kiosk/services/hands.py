"""Does what the state machine wants done: one port call an effect, its result comes back as a message.

Runs on worker lanes. The sealing key and the hall's token of a session are kept here, each on the one lane that uses
it, and forgotten when the session says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar, assert_never

from kiosk.contract.submission import IdentityProof
from kiosk.core.clock import Clock
from kiosk.core.devices import DeviceError, Fault
from kiosk.core.id_card import IdCard
from kiosk.core.ports import HallError, PersonGateway, SealSession, SubmissionState
from kiosk.core.result import Err, Ok, Result
from kiosk.services import effects, messages
from kiosk.services.draft import Draft
from kiosk.services.drafts import draft_bytes, parse_draft, slot_of
from kiosk.services.effects import Effect, Lane
from kiosk.services.filing import seal_filing
from kiosk.services.messages import Message, OwedSlip
from kiosk.services.settings import Ports
from kiosk.services.slips import StoredSlip, parse_slip

T = TypeVar("T")

_NO_DEVICE = Err(DeviceError(Fault.UNREACHABLE, "this terminal has no such device"))


def lane_of(effect: Effect) -> Lane:
    """Where an effect is done."""
    match effect:
        case effects.ReadCard():
            return Lane.ID_CARD
        case effects.ReadSocialCard():
            return Lane.SOCIAL_CARD
        case effects.StartPreview() | effects.StopPreview() | effects.TakeShot():
            return Lane.CAMERA
        case effects.PrintReceipt() | effects.PrintSlip():
            return Lane.RECEIPT
        case effects.PrintPages():
            return Lane.PAGE
        case (
            effects.Seal()
            | effects.ForgetSealing()
            | effects.AskOwed()
            | effects.AskDrafts()
            | effects.KeepDraft()
            | effects.DropDraft()
        ):
            return Lane.SEAL
        case effects.ReserveNumber() | effects.Put() | effects.Mark():
            return Lane.QUEUE
        case effects.CheckCode() | effects.AskQueue() | effects.AskDelivered() | effects.CallHelp():
            return Lane.STATUS
        case (
            effects.FetchLicences()
            | effects.FetchApplications()
            | effects.IssueCertificate()
            | effects.FetchLicencePages()
            | effects.ReportOutcome()
            | effects.ForgetPerson()
        ):
            return Lane.HALL
        case effects.Light():
            return Lane.SITE
        case _:
            assert_never(effect)


class Hands:
    """The ports, and what they lent us for a session."""

    def __init__(self, ports: Ports, clock: Clock) -> None:
        self._ports = ports
        self._clock = clock
        self._seals: dict[int, SealSession] = {}
        self._persons: dict[int, PersonGateway] = {}

    def do(self, effect: Effect) -> Message | None:
        """Do it; None when nobody waits for the answer. Blocks as long as the port does."""
        ports, outbox = self._ports, self._ports.outbox
        match effect:
            case effects.ReadCard(generation, epoch):
                card, millis = self._timed(ports.id_card.read if ports.id_card else lambda: _NO_DEVICE)
                return messages.CardCame(generation, epoch, card, millis)
            case effects.ReadSocialCard(generation, epoch):
                social = ports.social_card.read() if ports.social_card else _NO_DEVICE
                return messages.SocialCardCame(generation, epoch, social)
            case effects.CheckCode(generation, text):
                return messages.CodeChecked(generation, ports.codes.read(text))
            case effects.AskOwed(generation, card=holder):
                return self._ask_owed(generation, holder)
            case effects.AskDrafts(generation, card=holder):
                return messages.DraftsCame(generation, tuple(self._drafts(holder)))
            case effects.KeepDraft(generation, holder, draft):
                tag = ports.card_keys.tag(holder)
                sealed = ports.card_keys.seal(holder, draft_bytes(draft))
                return messages.DraftKept(generation, ports.drafts.keep(tag, slot_of(tag, draft.item_code), sealed))
            case effects.DropDraft(holder, item_code):
                tag = ports.card_keys.tag(holder)
                ports.drafts.drop(tag, slot_of(tag, item_code))
                return None
            case effects.FetchLicences(generation, proof):
                return messages.LicencesCame(
                    generation, self._as_person(generation, proof, lambda person: person.licences())
                )
            case effects.FetchApplications(generation, proof):
                return messages.ApplicationsCame(
                    generation, self._as_person(generation, proof, lambda person: person.applications())
                )
            case effects.StartPreview(generation):
                started = ports.camera.start_preview() if ports.camera else _NO_DEVICE
                return messages.PreviewStarted(generation, started)
            case effects.StopPreview():
                if ports.camera:
                    ports.camera.stop_preview()  # a camera that cannot be stopped is gone, and its status says so
                return None
            case effects.TakeShot(generation, material):
                shot = ports.camera.capture() if ports.camera else _NO_DEVICE
                return messages.ShotCame(generation, material, shot)
            case effects.ReserveNumber(generation, filing):
                return messages.NumberCame(generation, filing, outbox.reserve_number())
            case effects.Seal():
                return self._seal(effect)
            case effects.Put(sealed, card_tag, slip):
                put, millis = self._timed(lambda: outbox.put(sealed, card_tag=card_tag, slip=slip))
                return messages.PutCame(sealed.id, put, millis)
            case effects.Mark(filing, state):
                return messages.Marked(filing, state, outbox.receipt_state(filing, state))
            case effects.PrintReceipt(generation, filing, receipt):
                printer = ports.receipt
                printed, millis = self._timed(lambda: printer.print(receipt) if printer else _NO_DEVICE)
                return messages.ReceiptPrinted(generation, filing, printed, millis)
            case effects.PrintSlip(generation, receipt):
                printer = ports.receipt
                printed, millis = self._timed(lambda: printer.print(receipt) if printer else _NO_DEVICE)
                return messages.SlipPrinted(generation, printed, millis)
            case effects.IssueCertificate() | effects.FetchLicencePages():
                return self._fetch_document(effect)
            case effects.PrintPages(generation, document):
                pages = ports.page
                on_paper, millis = self._timed(lambda: pages.print(document) if pages else _NO_DEVICE)
                return messages.PagesPrinted(generation, document.job, on_paper, millis)
            case effects.ReportOutcome():
                return self._report(effect)
            case effects.AskDelivered(generation, filing):
                return messages.DeliveredCame(generation, filing, outbox.state(filing))
            case effects.AskQueue():
                return messages.QueueCame(outbox.status())
            case effects.CallHelp(at):
                ports.assistance.call_help(at)  # whether it was taken over, the queue's next status says
                return None
            case effects.Light(lamp, state):
                if ports.site_io:
                    ports.site_io.light(lamp, state)  # a board that is gone is lit anew when it is back
                return None
            case effects.ForgetSealing(generation):
                if (seal := self._seals.pop(generation, None)) is not None:
                    seal.close()
                return None
            case effects.ForgetPerson(generation):
                if (gateway := self._persons.pop(generation, None)) is not None:
                    gateway.close()
                return None
            case _:
                assert_never(effect)

    def _seal(self, order: effects.Seal) -> Message:
        session = self._seals.get(order.generation)
        if session is None:
            session = self._seals[order.generation] = self._ports.sealer.open_session()
        filing = seal_filing(order, session=session, sealer=self._ports.sealer, card_keys=self._ports.card_keys)
        return messages.FilingSealed(order.generation, filing)

    def _ask_owed(self, generation: int, card: IdCard) -> Message:
        answer = self._ports.outbox.owed(self._ports.card_keys.tag(card))
        if isinstance(answer, Err):
            return messages.OwedCame(generation, answer)
        slips = tuple(OwedSlip(owed, self._open_slip(card, owed.receipt)) for owed in answer.value)
        return messages.OwedCame(generation, Ok(slips))

    def _drafts(self, card: IdCard) -> Iterator[Draft]:
        """Those that open and are not filed yet: the screen may have died after the filing and before the drop."""
        tag = self._ports.card_keys.tag(card)
        for sealed in self._ports.drafts.load(tag):
            opened = self._ports.card_keys.open(card, sealed)
            draft = parse_draft(opened.value) if isinstance(opened, Ok) else None
            if draft is None:
                continue
            if draft.filing and self._ports.outbox.state(draft.filing) != Ok(SubmissionState.ABSENT):
                self._ports.drafts.drop(tag, slot_of(tag, draft.item_code))
                continue
            yield draft

    def _open_slip(self, card: IdCard, sealed: bytes) -> StoredSlip | None:
        if not sealed:
            return None
        opened = self._ports.card_keys.open(card, sealed)
        return parse_slip(opened.value) if isinstance(opened, Ok) else None

    def _fetch_document(self, order: effects.IssueCertificate | effects.FetchLicencePages) -> Message:
        match order:
            case effects.IssueCertificate():
                fetched = self._as_person(
                    order.generation,
                    order.proof,
                    lambda person: person.issue(
                        request_id=order.request_id,
                        item_code=order.item_code,
                        item_version=order.item_version,
                        answers=dict(order.answers),
                    ),
                )
            case effects.FetchLicencePages():
                fetched = self._as_person(
                    order.generation,
                    order.proof,
                    lambda person: person.print_job(request_id=order.request_id, licence_id=order.licence_id),
                )
        return messages.DocumentCame(order.generation, order.request_id, fetched)

    def _report(self, order: effects.ReportOutcome) -> Message | None:
        person = self._persons.get(order.generation)
        if person is None:
            return None
        told = person.report_outcome(
            job_id=order.job_id, outcome=order.outcome, pages=order.pages, fault=order.fault, at=self._clock.now()
        )
        return messages.OutcomeReported(order.generation, order.job_id, told)

    def _as_person(
        self, generation: int, proof: IdentityProof, ask: Callable[[PersonGateway], Result[T, HallError]]
    ) -> Result[T, HallError]:
        """Ask as this citizen; prove who is there first, if that was not done yet in this session."""
        if generation not in self._persons:
            opened = self._ports.hall.open_person(proof)
            if isinstance(opened, Err):
                return opened
            self._persons[generation] = opened.value
        return ask(self._persons[generation])

    def _timed(self, call: Callable[[], T]) -> tuple[T, int]:
        begun = self._clock.monotonic()
        result = call()
        return result, max(0, round((self._clock.monotonic() - begun) * 1000))
