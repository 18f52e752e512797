"""Generated from events.toml by scripts/generate_events.py; change the catalogue, not this file."""

from __future__ import annotations

from enum import StrEnum

from kiosk.core.event_fields import TYPES, EventSpec, words


class EventName(StrEnum):
    """Every event there is."""

    TERMINAL_STARTED = "terminal_started"
    """The terminal is on screen."""
    TERMINAL_STOPPED = "terminal_stopped"
    """The terminal was asked to stop and did so in order."""
    PROCESS_STARTED = "process_started"
    """A process of the terminal runs."""
    PROCESS_ENDED = "process_ended"
    """A process of the terminal is gone."""
    TERMINAL_ENROLLED = "terminal_enrolled"
    """The terminal has its certificate from the hall."""
    ENROLMENT_REFUSED = "enrolment_refused"
    """The hall did not take the enrolment code, or could not be trusted."""
    BUNDLE_LOADED = "bundle_loaded"
    """A catalogue is in force."""
    BUNDLE_REFUSED = "bundle_refused"
    """A catalogue was not taken; the last good one stays in force."""
    DEVICE_CHANGED = "device_changed"
    """A device is in another state than before."""
    DRIVER_LOST = "driver_lost"
    """The process behind a device is gone and is started again; told once, however often in vain."""
    DRIVER_BROKEN = "driver_broken"
    """The process behind a device is of no use until somebody mends it; it is tried now and then."""
    DRIVER_BACK = "driver_back"
    """The process behind a device is there again and has told how its device is."""
    LINK_CHANGED = "link_changed"
    """The hall can be reached, or no longer."""
    PROMISE_CHANGED = "promise_changed"
    """The oldest unsent submission came nearer to the twelve hours of the promise, or arrived."""
    SESSION_STARTED = "session_started"
    """Somebody began."""
    SESSION_IDENTIFIED = "session_identified"
    """A card was read and is good."""
    CARD_REFUSED = "card_refused"
    """A card could not be used."""
    DRAFT_RESUMED = "draft_resumed"
    """Somebody goes on with what was begun before."""
    DRAFT_REFUSED = "draft_refused"
    """A draft could not be kept."""
    SOCIAL_CARD_REFUSED = "social_card_refused"
    """A card in the contact slot could not be used."""
    CODE_SCANNED = "code_scanned"
    """A code was held under the scanner."""
    CARD_LIFTED = "card_lifted"
    """The card was taken; a short while to put it back begins."""
    CARD_RETURNED = "card_returned"
    """The same card is back in time."""
    SESSION_ENDED = "session_ended"
    """Everything of the session is wiped."""
    ITEM_BEGUN = "item_begun"
    """A citizen began an item."""
    CAPTURE_TAKEN = "capture_taken"
    """A document was photographed."""
    MATERIAL_REUSED = "material_reused"
    """A held licence took the place of a paper, with the citizen's yes."""
    WINDOW_SLIP_GIVEN = "window_slip_given"
    """A citizen goes on at a window."""
    HELP_CALLED = "help_called"
    """A citizen wants help."""
    SUBMISSION_SEALED = "submission_sealed"
    """A submission is closed to everybody but the hall."""
    SUBMISSION_PUT = "submission_put"
    """A submission is durable in the queue."""
    SUBMISSION_RECOVERED = "submission_recovered"
    """The screen had died after filing; the same citizen has her receipt now."""
    SUBMISSION_ACCEPTED = "submission_accepted"
    """The hall's signed receipt for a submission verified."""
    SUBMISSION_PARKED = "submission_parked"
    """The hall will never take a submission as it is; a person must look."""
    STORE_REFUSED = "store_refused"
    """The queue did not take something."""
    QUEUE_LATE = "queue_late"
    """The oldest submission waits too long (P53)."""
    PRINT_INTENDED = "print_intended"
    """Written down before a printer was asked to print."""
    PRINT_PROVEN = "print_proven"
    """The printer said that it printed."""
    PRINT_FAILED = "print_failed"
    """No complete paper came out."""
    PRINT_UNPROVEN = "print_unproven"
    """It may be on paper; the printer did not say."""
    PRINT_RECOVERED = "print_recovered"
    """A page of before a crash: what the printer says became of it."""
    PRINT_FATE_UNTOLD = "print_fate_untold"
    """The printer could not be asked what became of a page; it will be again."""
    PRINT_VOIDED = "print_voided"
    """A page that came out does not count; another one is printed."""
    PAPER_WAITING = "paper_waiting"
    """A paper lies in its mouth too long."""
    PAPER_LEFT = "paper_left"
    """Somebody has gone and left a paper in its mouth."""
    PAPER_TAKEN = "paper_taken"
    """A paper that lay in its mouth too long is gone."""
    HALL_FAILED = "hall_failed"
    """A question to the hall had no good answer."""
    LATE_RESULT_DROPPED = "late_result_dropped"
    """A device or the hall answered after the session it was for had ended; the answer is gone unread."""


EVENTS: dict[EventName, EventSpec] = {
    EventName.TERMINAL_STARTED: EventSpec(
        level="info",
        about="The terminal is on screen.",
        required={
            "bundle": TYPES["version"],
        },
        optional={},
    ),
    EventName.TERMINAL_STOPPED: EventSpec(
        level="info",
        about="The terminal was asked to stop and did so in order.",
        required={},
        optional={},
    ),
    EventName.PROCESS_STARTED: EventSpec(
        level="info",
        about="A process of the terminal runs.",
        required={
            "process": TYPES["process"],
            "restarts": TYPES["count"],
        },
        optional={},
    ),
    EventName.PROCESS_ENDED: EventSpec(
        level="warning",
        about="A process of the terminal is gone.",
        required={
            "process": TYPES["process"],
            "reason": words("asked", "exit", "signal", "heartbeat"),
            "code": TYPES["exit_code"],
        },
        optional={},
    ),
    EventName.TERMINAL_ENROLLED: EventSpec(
        level="info",
        about="The terminal has its certificate from the hall.",
        required={
            "terminal": TYPES["terminal"],
        },
        optional={},
    ),
    EventName.ENROLMENT_REFUSED: EventSpec(
        level="error",
        about="The hall did not take the enrolment code, or could not be trusted.",
        required={
            "problem": TYPES["problem"],
        },
        optional={},
    ),
    EventName.BUNDLE_LOADED: EventSpec(
        level="info",
        about="A catalogue is in force.",
        required={
            "bundle": TYPES["version"],
            "items": TYPES["count"],
            "refused": TYPES["count"],
        },
        optional={},
    ),
    EventName.BUNDLE_REFUSED: EventSpec(
        level="error",
        about="A catalogue was not taken; the last good one stays in force.",
        required={
            "reason": words("damaged", "signature", "older", "region"),
        },
        optional={},
    ),
    EventName.DEVICE_CHANGED: EventSpec(
        level="info",
        about="A device is in another state than before.",
        required={
            "device": TYPES["device"],
            "state": TYPES["device_state"],
            "media": TYPES["media"],
            "paper": TYPES["supply"],
            "toner": TYPES["supply"],
        },
        optional={
            "fault": TYPES["fault"],
        },
    ),
    EventName.DRIVER_LOST: EventSpec(
        level="warning",
        about="The process behind a device is gone and is started again; told once, however often in vain.",
        required={
            "device": TYPES["device"],
            "reason": TYPES["driver_end"],
        },
        optional={
            "code": TYPES["exit_code"],
        },
    ),
    EventName.DRIVER_BROKEN: EventSpec(
        level="error",
        about="The process behind a device is of no use until somebody mends it; it is tried now and then.",
        required={
            "device": TYPES["device"],
            "fault": TYPES["fault"],
            "reason": TYPES["driver_end"],
        },
        optional={
            "code": TYPES["exit_code"],
        },
    ),
    EventName.DRIVER_BACK: EventSpec(
        level="info",
        about="The process behind a device is there again and has told how its device is.",
        required={
            "device": TYPES["device"],
        },
        optional={},
    ),
    EventName.LINK_CHANGED: EventSpec(
        level="info",
        about="The hall can be reached, or no longer.",
        required={
            "link": TYPES["link"],
        },
        optional={},
    ),
    EventName.PROMISE_CHANGED: EventSpec(
        level="warning",
        about="The oldest unsent submission came nearer to the twelve hours of the promise, or arrived.",
        required={
            "level": words("none", "notice", "warning", "breach"),
        },
        optional={},
    ),
    EventName.SESSION_STARTED: EventSpec(
        level="info",
        about="Somebody began.",
        required={},
        optional={},
    ),
    EventName.SESSION_IDENTIFIED: EventSpec(
        level="info",
        about="A card was read and is good.",
        required={
            "card": TYPES["card"],
            "millis": TYPES["millis"],
        },
        optional={},
    ),
    EventName.CARD_REFUSED: EventSpec(
        level="warning",
        about="A card could not be used.",
        required={
            "reason": words("unreadable", "foreign", "expired", "not_yet_valid"),
        },
        optional={
            "fault": TYPES["fault"],
        },
    ),
    EventName.DRAFT_RESUMED: EventSpec(
        level="info",
        about="Somebody goes on with what was begun before.",
        required={
            "item": TYPES["item"],
            "version": TYPES["version"],
        },
        optional={},
    ),
    EventName.DRAFT_REFUSED: EventSpec(
        level="warning",
        about="A draft could not be kept.",
        required={
            "fault": TYPES["store_fault"],
        },
        optional={},
    ),
    EventName.SOCIAL_CARD_REFUSED: EventSpec(
        level="warning",
        about="A card in the contact slot could not be used.",
        required={
            "reason": words("unreadable", "other_holder"),
        },
        optional={
            "fault": TYPES["fault"],
        },
    ),
    EventName.CODE_SCANNED: EventSpec(
        level="info",
        about="A code was held under the scanner.",
        required={
            "kind": words("receipt", "licence", "unknown"),
        },
        optional={},
    ),
    EventName.CARD_LIFTED: EventSpec(
        level="info",
        about="The card was taken; a short while to put it back begins.",
        required={},
        optional={},
    ),
    EventName.CARD_RETURNED: EventSpec(
        level="info",
        about="The same card is back in time.",
        required={},
        optional={},
    ),
    EventName.SESSION_ENDED: EventSpec(
        level="info",
        about="Everything of the session is wiped.",
        required={
            "reason": words("finished", "idle", "card", "swapped", "stopped", "crash"),
            "seconds": TYPES["seconds"],
        },
        optional={},
    ),
    EventName.ITEM_BEGUN: EventSpec(
        level="info",
        about="A citizen began an item.",
        required={
            "item": TYPES["item"],
            "version": TYPES["version"],
        },
        optional={},
    ),
    EventName.CAPTURE_TAKEN: EventSpec(
        level="info",
        about="A document was photographed.",
        required={
            "advice": words("ok", "no_document", "cut_off", "blurred", "dark", "glare", "hold_still"),
            "bytes": TYPES["bytes"],
        },
        optional={},
    ),
    EventName.MATERIAL_REUSED: EventSpec(
        level="info",
        about="A held licence took the place of a paper, with the citizen's yes.",
        required={
            "item": TYPES["item"],
        },
        optional={},
    ),
    EventName.WINDOW_SLIP_GIVEN: EventSpec(
        level="info",
        about="A citizen goes on at a window.",
        required={
            "item": TYPES["item"],
        },
        optional={
            "notice": TYPES["notice"],
        },
    ),
    EventName.HELP_CALLED: EventSpec(
        level="notice",
        about="A citizen wants help.",
        required={},
        optional={},
    ),
    EventName.SUBMISSION_SEALED: EventSpec(
        level="info",
        about="A submission is closed to everybody but the hall.",
        required={
            "submission": TYPES["submission"],
            "blobs": TYPES["count"],
            "bytes": TYPES["bytes"],
        },
        optional={},
    ),
    EventName.SUBMISSION_PUT: EventSpec(
        level="info",
        about="A submission is durable in the queue.",
        required={
            "submission": TYPES["submission"],
            "millis": TYPES["millis"],
        },
        optional={},
    ),
    EventName.SUBMISSION_RECOVERED: EventSpec(
        level="notice",
        about="The screen had died after filing; the same citizen has her receipt now.",
        required={
            "submission": TYPES["submission"],
        },
        optional={},
    ),
    EventName.SUBMISSION_ACCEPTED: EventSpec(
        level="info",
        about="The hall's signed receipt for a submission verified.",
        required={
            "submission": TYPES["submission"],
            "seconds": TYPES["seconds"],
        },
        optional={},
    ),
    EventName.SUBMISSION_PARKED: EventSpec(
        level="error",
        about="The hall will never take a submission as it is; a person must look.",
        required={
            "submission": TYPES["submission"],
            "problem": TYPES["problem"],
        },
        optional={},
    ),
    EventName.STORE_REFUSED: EventSpec(
        level="error",
        about="The queue did not take something.",
        required={
            "fault": TYPES["store_fault"],
        },
        optional={},
    ),
    EventName.QUEUE_LATE: EventSpec(
        level="warning",
        about="The oldest submission waits too long (P53).",
        required={
            "stage": words("notice", "warning", "breach"),
            "seconds": TYPES["seconds"],
        },
        optional={},
    ),
    EventName.PRINT_INTENDED: EventSpec(
        level="info",
        about="Written down before a printer was asked to print.",
        required={
            "device": TYPES["device"],
            "pages": TYPES["count"],
        },
        optional={},
    ),
    EventName.PRINT_PROVEN: EventSpec(
        level="info",
        about="The printer said that it printed.",
        required={
            "device": TYPES["device"],
            "pages": TYPES["count"],
            "millis": TYPES["millis"],
        },
        optional={},
    ),
    EventName.PRINT_FAILED: EventSpec(
        level="warning",
        about="No complete paper came out.",
        required={
            "device": TYPES["device"],
            "fault": TYPES["fault"],
        },
        optional={},
    ),
    EventName.PRINT_UNPROVEN: EventSpec(
        level="warning",
        about="It may be on paper; the printer did not say.",
        required={
            "device": TYPES["device"],
        },
        optional={},
    ),
    EventName.PRINT_RECOVERED: EventSpec(
        level="notice",
        about="A page of before a crash: what the printer says became of it.",
        required={
            "outcome": words("proven", "failed", "unknown"),
        },
        optional={},
    ),
    EventName.PRINT_FATE_UNTOLD: EventSpec(
        level="notice",
        about="The printer could not be asked what became of a page; it will be again.",
        required={
            "fault": TYPES["fault"],
        },
        optional={},
    ),
    EventName.PRINT_VOIDED: EventSpec(
        level="warning",
        about="A page that came out does not count; another one is printed.",
        required={
            "reason": words("jammed", "unreadable", "lost_in_printer", "damaged"),
        },
        optional={},
    ),
    EventName.PAPER_WAITING: EventSpec(
        level="notice",
        about="A paper lies in its mouth too long.",
        required={
            "device": TYPES["device"],
        },
        optional={},
    ),
    EventName.PAPER_LEFT: EventSpec(
        level="warning",
        about="Somebody has gone and left a paper in its mouth.",
        required={
            "device": TYPES["device"],
        },
        optional={},
    ),
    EventName.PAPER_TAKEN: EventSpec(
        level="notice",
        about="A paper that lay in its mouth too long is gone.",
        required={
            "device": TYPES["device"],
            "seconds": TYPES["seconds"],
        },
        optional={},
    ),
    EventName.HALL_FAILED: EventSpec(
        level="warning",
        about="A question to the hall had no good answer.",
        required={
            "fault": TYPES["hall_fault"],
        },
        optional={},
    ),
    EventName.LATE_RESULT_DROPPED: EventSpec(
        level="notice",
        about="A device or the hall answered after the session it was for had ended; the answer is gone unread.",
        required={},
        optional={},
    ),
}
