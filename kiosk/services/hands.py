"""Does what the state machine wants done: one port call an effect, its result comes back as a message.

Runs on worker lanes. The sealing key and the hall's token of a session are kept here, each on the one lane that uses
it, and forgotten when the session says so.
"""

from __future__ import annotations

import secrets
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
        case effects.PrintPages() | effects.AskFate():
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
        case (
            effects.ReserveNumber()
            | effects.Put()
            | effects.Settle()
            | effects.Answer()
            | effects.IntendPages()
            | effects.ReplacePages()
        ):
            return Lane.QUEUE
        case (
            effects.CheckCode()
            | effects.AskQueue()
            | effects.AskDelivered()
            | effects.AskOpenPages()
            | effects.CallHelp()
            | effects.TellPapersLeft()
        ):
            return Lane.STATUS
        case (
            effects.FetchLicences()
            | effects.FetchApplications()
            | effects.FetchFormerAnswers()
            | effects.IssueCertificate()
            | effects.FetchLicencePages()
            | effects.ReopenJob()
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
                kept = ports.drafts.keep(tag, slot_of(tag, draft.matter), sealed)
                if isinstance(kept, Err) and draft.filing:
                    ports.drafts.drop(tag, slot_of(tag, draft.matter))  # what it was before knows of no filing
                return messages.DraftKept(generation, kept)
            case effects.DropDraft(holder, matter):
                tag = ports.card_keys.tag(holder)
                ports.drafts.drop(tag, slot_of(tag, matter))
                return None
            case effects.FetchLicences(generation, proof):
                return messages.LicencesCame(
                    generation, self._as_person(generation, proof, lambda person: person.licences())
                )
            case effects.FetchApplications(generation, proof):
                return messages.ApplicationsCame(
                    generation, self._as_person(generation, proof, lambda person: person.applications())
                )
            case effects.FetchFormerAnswers(generation, proof, number):
                former = self._as_person(generation, proof, lambda person: person.former_answers(number))
                return messages.FormerAnswersCame(generation, number, former)
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
            case effects.Settle(job, outcome, fault, pages):
                return messages.Noted(effect, ports.ledger.settle(job, outcome, fault=fault, pages=pages))
            case effects.Answer(job, came_out):
                return messages.Noted(effect, ports.ledger.answer(job, came_out=came_out))
            case effects.PrintReceipt():
                return self._print_receipt(effect)
            case effects.PrintSlip(generation, receipt):
                printer = ports.receipt
                printed, millis = self._timed(lambda: printer.print(receipt) if printer else _NO_DEVICE)
                return messages.SlipPrinted(generation, receipt.job, printed, millis)
            case effects.IssueCertificate() | effects.FetchLicencePages() | effects.ReopenJob():
                return self._fetch_document(effect)
            case effects.IntendPages(generation, order, card=holder):
                tag = ports.card_keys.tag(holder) if holder is not None else b""
                intended = ports.ledger.intend(order, card_tag=tag)
                return messages.PagesIntended(generation, order.job, intended)
            case effects.ReplacePages(generation, job, reason):
                return messages.PagesIntended(generation, job, ports.ledger.reprint(job, reason))
            case effects.PrintPages():
                return self._print_pages(effect)
            case effects.AskOpenPages():
                return messages.OpenPagesCame(ports.ledger.open_pages())
            case effects.AskFate(job, sent_at):
                age_s = None if sent_at is None else max(0.0, (self._clock.now() - sent_at).total_seconds())
                return messages.FateCame(job, ports.page.fate(job, age_s=age_s) if ports.page else _NO_DEVICE)
            case effects.TellPapersLeft(papers):
                ports.assistance.papers_left(papers)  # a queue that is away is told again
                return None
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
        tag = self._ports.card_keys.tag(card)
        answer, pages = self._ports.outbox.owed(tag), self._ports.ledger.open_pages(tag)
        if isinstance(answer, Err):
            return messages.OwedCame(generation, answer)
        if isinstance(pages, Err):
            return messages.OwedCame(generation, pages)
        slips = tuple(OwedSlip(owed, self._open_slip(card, owed.receipt)) for owed in answer.value)
        return messages.OwedCame(generation, Ok(slips), pages.value)

    def _drafts(self, card: IdCard) -> Iterator[Draft]:
        """Those that open and are not filed yet: the screen may have died after the filing and before the drop."""
        tag = self._ports.card_keys.tag(card)
        for sealed in self._ports.drafts.load(tag):
            opened = self._ports.card_keys.open(card, sealed)
            draft = parse_draft(opened.value) if isinstance(opened, Ok) else None
            if draft is None:
                continue
            filed = self._ports.outbox.state(draft.filing) if draft.filing else Ok(SubmissionState.ABSENT)
            if filed == Ok(SubmissionState.ABSENT):
                yield draft
            elif isinstance(filed, Ok):
                self._ports.drafts.drop(tag, slot_of(tag, draft.matter))

    def _open_slip(self, card: IdCard, sealed: bytes) -> StoredSlip | None:
        if not sealed:
            return None
        opened = self._ports.card_keys.open(card, sealed)
        return parse_slip(opened.value) if isinstance(opened, Ok) else None

    def _fetch_document(
        self, order: effects.IssueCertificate | effects.FetchLicencePages | effects.ReopenJob
    ) -> Message:
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
            case effects.ReopenJob():
                fetched = self._as_person(
                    order.generation, order.proof, lambda person: person.reopen_job(job_id=order.hall_job)
                )
        return messages.DocumentCame(order.generation, order.request_id, fetched)

    def _print_receipt(self, order: effects.PrintReceipt) -> Message:
        """Written down first: if it cannot be, nothing is printed that a restart could print again."""
        ledger, printer = self._ports.ledger, self._ports.receipt
        if order.denied:
            answered = ledger.answer(order.filing, came_out=False)
            if isinstance(answered, Err):
                return messages.ReceiptPrinted(order.generation, order.filing, answered)
        sent = ledger.sent(order.filing, attempt=secrets.token_hex(8))
        if isinstance(sent, Err):
            return messages.ReceiptPrinted(order.generation, order.filing, sent)
        printed, millis = self._timed(lambda: printer.print(order.receipt) if printer else _NO_DEVICE)
        return messages.ReceiptPrinted(order.generation, order.filing, printed, millis)

    def _print_pages(self, order: effects.PrintPages) -> Message:
        """Likewise."""
        document, printer = order.document, self._ports.page
        sent = self._ports.ledger.sent(document.job, attempt=secrets.token_hex(8))
        if isinstance(sent, Err):
            return messages.PagesPrinted(order.generation, document.job, sent)
        printed, millis = self._timed(lambda: printer.print(document) if printer else _NO_DEVICE)
        return messages.PagesPrinted(order.generation, document.job, printed, millis)

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
