"""The camera's worker with shorter waits."""

from __future__ import annotations

from drivers.camera.driver import CameraAdapter, Timings
from drivers.camera.source import Patience
from drivers.host.worker import main

if __name__ == "__main__":
    main(lambda address: CameraAdapter(address, timings=Timings(camera=Patience(1.2, 1.2), probe=0.4, last_retry=1.0)))
