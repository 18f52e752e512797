"""`kiosk`, the terminal's program. Driver workers start here too, before anything heavy is imported."""

from __future__ import annotations

import runpy
import sys

DRIVERS = ("idcard", "receipt", "page", "camera", "social_card", "scanner", "site_io")


def main() -> None:
    """Run a driver worker (`kiosk driver NAME …`, started by the driver host) or the command line."""
    if len(sys.argv) > 2 and sys.argv[1] == "driver" and sys.argv[2] in DRIVERS:
        name = sys.argv[2]
        sys.argv = [f"kiosk-driver-{name}", *sys.argv[3:]]
        runpy.run_module(f"drivers.{name}", run_name="__main__", alter_sys=True)
        return
    from kiosk.app.cli import app

    app()


if __name__ == "__main__":
    main()
