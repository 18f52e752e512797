"""The twelve-hour promise (P53) at the terminal: an event each time the oldest unsent submission crosses a line."""

from dataclasses import replace

from kiosk.core.ports import Link, QueueStatus

HOUR = 3600


def test_every_line_is_told_once_and_so_is_relief(stage, monkeypatch):
    status = QueueStatus(Link.DOWN, pending=3, parked=0, oldest_unsent_s=0, accepting=True)
    monkeypatch.setattr(stage.outbox, "status", lambda: status)

    def told():
        return [event.fields["level"] for event in stage.events if event.name.value == "promise_changed"]

    for hours, expected in (
        (3.9, []),
        (4, ["notice"]),
        (7.9, ["notice"]),
        (8, ["notice", "warning"]),
        (12, ["notice", "warning", "breach"]),
        (30, ["notice", "warning", "breach"]),
    ):
        status = replace(status, oldest_unsent_s=int(hours * HOUR))
        stage.wait(5)
        assert told() == expected
    answered = status
    status = QueueStatus(Link.UNKNOWN, pending=0, parked=0, oldest_unsent_s=0, accepting=False)
    stage.wait(5)
    assert told() == ["notice", "warning", "breach"], "a queue process that restarts has delivered nothing"
    status = replace(answered, pending=0, oldest_unsent_s=0)
    stage.wait(5)
    assert told() == ["notice", "warning", "breach", "none"]
