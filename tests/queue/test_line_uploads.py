"""A hall that dies, and a line that is cut, while a paper is uploaded: it goes on where it was and arrives once."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kiosk.core.ports import SealedSubmission, SubmissionState
from kiosk.core.result import Ok
from offline_queue.client import QueueClient
from offline_queue.process import QueueOptions, QueueProcess
from offline_queue.uplink.policy import Backoff, SyncDelays
from tests.hall.conftest import MAY, HallProcess, TestTerminal, enrolled
from tests.soak.link import Link

Wait = Callable[..., bool]
QUICK = QueueOptions(
    delays=SyncDelays(heartbeat=0.5, link=Backoff(0.02, 0.1), hall=Backoff(0.02, 0.1), item=Backoff(0.02, 0.1))
)
BREAKS = 8


@pytest.fixture
def real_hall(tmp_path: Path) -> Iterator[HallProcess]:
    persons = tmp_path / "persons.toml"
    persons.write_text(
        f'[may]\nname = "{MAY[0]}"\nid_number = "{MAY[1]}"\naddress = "样本市样本路1号"\n'
        f'records = ["residence_permit", "social_insurance"]\n',
        encoding="utf-8",
    )
    process = HallProcess(tmp_path / "hall")
    process.do("publish")
    process.do("seed", persons=str(persons))
    process.start()
    yield process
    process.kill()


def with_paper(terminal: TestTerminal, queue: QueueClient, licence: str, picture: bytes) -> SealedSubmission:
    """A renewal with one photographed paper."""
    number = queue.reserve_number()
    assert isinstance(number, Ok)
    return terminal.sealed_renewal(application_no=number.value, licence_id=licence, picture=picture)


@pytest.mark.timeout(240)
def test_what_is_cut_off_goes_on_where_it_was(
    real_hall: HallProcess, tmp_path: Path, expected_logs: set[str], wait_for: Wait
) -> None:
    expected_logs.add("offline_queue")
    dice = random.Random(20261122)
    terminal = enrolled(real_hall, tmp_path / "terminal")
    licence = str(terminal.get("/v1/me/licences", headers=terminal.bearer()).json()["licences"][0]["id"])
    machine, link = terminal.machine, Link(real_hall.port)
    url = machine.profile.hall.model_copy(update={"url": f"https://127.0.0.1:{link.port}"})
    profile = machine.profile.model_copy(update={"hall": url})
    process = QueueProcess(profile, data=machine.data, software="test", options=QUICK)
    process.start()
    queue = QueueClient(Path(machine.layout.queue_socket))
    try:
        filings = [with_paper(terminal, queue, licence, dice.randbytes(3_000_000)) for _ in range(2)]
        for sealed in filings:
            assert queue.put(sealed, card_tag=b"", slip=b"") == Ok(None)
        for turn in range(BREAKS):
            time.sleep(dice.uniform(0.0, 0.15))
            if turn % 2:
                link.cut()
                link.mend()
            else:
                real_hall.kill()
                real_hall.start()
                link.hall_port = real_hall.port
        arrived = wait_for(
            lambda: all(queue.state(sealed.id) == Ok(SubmissionState.ACCEPTED) for sealed in filings), seconds=120
        )
        assert arrived, (queue.entries(), queue.status())
    finally:
        process.stop()
        link.close()
        terminal.http.close()
    db = sqlite3.connect(f"file:{tmp_path / 'hall' / 'hall.db'}?mode=ro", uri=True)
    held = [row[0] for row in db.execute("select id from submissions")]
    db.close()
    assert sorted(held) == sorted(sealed.id for sealed in filings)
