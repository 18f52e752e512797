"""What the log is told of drivers: once lost, once back, in words of the event catalogue."""

from __future__ import annotations

import logging

import pytest

from drivers.host.host import News, Notice
from drivers.host.lives import End, Reason, exited
from kiosk.app.logs import log_event
from kiosk.app.wiring import event_of
from kiosk.core.devices import DeviceKind, Fault


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize(
    ("news", "fault", "name"),
    [(News.LOST, Fault.DRIVER_LOST, "driver_lost"), (News.BROKEN, Fault.MISCONFIGURED, "driver_broken")],
)
def test_every_end_has_its_event(reason: Reason, news: News, fault: Fault, name: str) -> None:
    for end in (End(reason), exited(End(reason), -64), exited(End(reason), 255)):
        event = event_of(Notice(DeviceKind.PAGE, news, str(end), fault, end))
        assert (event.name.value, event.fields["device"]) == (name, "page")
        assert event.fields.get("fault") == (fault.value if news is News.BROKEN else None)
        assert event.fields.get("code") == end.exit_status


def test_losses_are_warnings_breakage_is_an_error_and_returns_are_news(
    caplog: pytest.LogCaptureFixture, expected_logs: set[str]
) -> None:
    expected_logs.add("devices")
    caplog.set_level(logging.INFO)
    end = exited(End(Reason.MEMORY), -9)
    for news, fault in ((News.LOST, Fault.DRIVER_LOST), (News.BROKEN, Fault.DRIVER_BROKEN), (News.BACK, None)):
        log_event(logging.getLogger("devices"), event_of(Notice(DeviceKind.SCANNER, news, "", fault, end)))
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("WARNING", "driver_lost"),
        ("ERROR", "driver_broken"),
        ("INFO", "driver_back"),
    ]
    assert caplog.records[0].__dict__["reason"] == "memory"
