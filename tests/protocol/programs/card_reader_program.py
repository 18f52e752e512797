"""Program: a simulated reader with a pcscd of its own and a driver that reads it, on its parent's word.

``python card_reader_program.py FOLDER LAYOUT``: says its pcscd's number when the card lies there, reads it ten times
after one line of standard input, says what it read.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

import time

from drivers.host.host import DriverHost
from drivers.host.proxies import IdCardReaderProxy
from drivers.sim.id_card import CardReaderSim
from kiosk.core.devices import DeviceKind, MediaState
from kiosk.core.result import Ok


def main(folder: Path, layout: str) -> None:
    """Returns when it has read."""
    sim = CardReaderSim(dir=folder)
    command = [sys.executable, "-m", "drivers.idcard", "--address", sim.start()]
    host = DriverHost(command, DeviceKind.ID_CARD, notice=lambda _notice: None)
    host.start()
    try:
        sim.handle("put", {"layout": layout}, b"")
        ends = time.monotonic() + 30.0
        while host.status().media is not MediaState.PRESENT:
            assert time.monotonic() < ends
            time.sleep(0.01)
        print("ready", flush=True)  # noqa: T201 - its parent listens
        sys.stdin.readline()
        outcomes = [IdCardReaderProxy(host).read() for _ in range(10)]
        layouts = {outcome.value.type.value for outcome in outcomes if isinstance(outcome, Ok)}
        print(" ".join(sorted(layouts)), sum(isinstance(outcome, Ok) for outcome in outcomes), flush=True)  # noqa: T201
        sys.stdin.readline()
    finally:
        host.stop()
        sim.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
