"""The one door: a message comes in, the turn is taken. What does not fit the page shown is a stale touch."""

from __future__ import annotations

from typing import assert_never

from kiosk.core import intents
from kiosk.core.devices import (
    CardLifted,
    CardPresented,
    CodeScanned,
    DeviceEvent,
    DeviceKind,
    DeviceStatus,
    PreviewFrame,
    SiteChanged,
    SocialCardLifted,
    SocialCardPresented,
    StatusChanged,
)
from kiosk.core.event_table import EventName
from kiosk.core.events import Event
from kiosk.services import messages
from kiosk.services.flow import (
    cabinet,
    card,
    clockwork,
    correct,
    lost_pages,
    materials,
    pages,
    paper,
    receipt,
    scan,
    social,
    space,
    submit,
    unfinished,
    window,
)
from kiosk.services.flow.touches import touched
from kiosk.services.turn import Turn


def update(turn: Turn, message: messages.Message) -> None:
    """Take one turn; the lamps show where it led."""
    before = turn.model
    _handle(turn, message)
    unfinished.follow(turn, before)
    social.follow(turn)
    cabinet.follow(turn)


def _handle(turn: Turn, message: messages.Message) -> None:
    match message:
        case messages.FromCitizen(intent):
            _from_citizen(turn, intent)
        case messages.FromDevice(event):
            _from_device(turn, event)
        case messages.Tick():
            clockwork.tick(turn)
        case messages.CardCame():
            card.came(turn, message)
        case messages.SocialCardCame():
            social.came(turn, message)
        case messages.CodeChecked():
            scan.checked(turn, message)
        case messages.DraftsCame():
            unfinished.came(turn, message)
        case messages.DraftKept():
            unfinished.kept(turn, message)
        case messages.OwedCame():
            receipt.owed_came(turn, message)
        case messages.LicencesCame():
            space.licences_came(turn, message)
        case messages.ApplicationsCame():
            space.applications_came(turn, message)
        case messages.FormerAnswersCame():
            correct.former_answers_came(turn, message)
        case messages.PreviewStarted():
            materials.preview_started(turn, message)
        case messages.ShotCame():
            materials.shot_came(turn, message)
        case messages.NumberCame():
            submit.number_came(turn, message)
        case messages.FilingSealed():
            submit.sealed(turn, message)
        case messages.PutCame():
            submit.put_came(turn, message)
        case messages.Noted():
            paper.noted(turn, message)
        case messages.ReceiptPrinted():
            receipt.printed(turn, message)
        case messages.SlipPrinted():
            window.slip_printed(turn, message)
        case messages.DocumentCame():
            pages.document_came(turn, message)
        case messages.PagesPrinted():
            pages.printed(turn, message)
        case messages.PagesIntended():
            pages.intended(turn, message)
        case messages.OpenPagesCame():
            lost_pages.came(turn, message)
        case messages.FateCame():
            lost_pages.fate_came(turn, message)
        case messages.DeliveredCame():
            receipt.delivered_came(turn, message)
        case messages.QueueCame():
            clockwork.queue_came(turn, message)
        case _:
            assert_never(message)


def _from_citizen(turn: Turn, intent: intents.Intent) -> None:
    if turn.model.visit is not None:
        turn.touch()
    touched(turn, intent)


def _from_device(turn: Turn, event: DeviceEvent) -> None:
    match event:
        case CardPresented():
            card.presented(turn)
        case CardLifted():
            card.lifted(turn)
        case StatusChanged(status):
            _status_changed(turn, status)
        case PreviewFrame():
            pass  # live pictures go from the camera to the screen directly: no decision hangs on them
        case SiteChanged(inputs):
            cabinet.felt(turn, inputs)
        case SocialCardPresented():
            social.presented(turn)
        case SocialCardLifted():
            social.lifted(turn)
        case CodeScanned(text):
            scan.scanned(turn, text)
        case _:
            assert_never(event)


def _status_changed(turn: Turn, status: DeviceStatus) -> None:
    before = turn.model.devices.get(status.kind)
    turn.set(devices={**turn.model.devices, status.kind: status})
    if before == status:
        return
    turn.log(
        Event.of(
            EventName.DEVICE_CHANGED,
            device=status.kind,
            state=status.state,
            media=status.media,
            paper=status.paper,
            toner=status.toner,
            fault=status.fault,
        )
    )
    match status.kind:
        case DeviceKind.RECEIPT:
            receipt.printer_back(turn)
        case DeviceKind.PAGE:
            pages.printer_back(turn)
        case DeviceKind.CAMERA if status.well:
            materials.camera_back(turn)
        case DeviceKind.CAMERA:
            materials.camera_lost(turn)
        case DeviceKind.SITE_IO:
            cabinet.board_changed(turn, status)
        case DeviceKind.ID_CARD | DeviceKind.SOCIAL_CARD | DeviceKind.SCANNER:
            pass
        case _:
            assert_never(status.kind)
