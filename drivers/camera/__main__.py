"""The document camera's worker process."""

from drivers.camera.driver import CameraAdapter
from drivers.host.worker import main

if __name__ == "__main__":
    main(CameraAdapter)
