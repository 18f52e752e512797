"""The code scanner's worker process."""

from drivers.host.worker import main
from drivers.scanner.driver import ScannerAdapter

if __name__ == "__main__":
    main(ScannerAdapter)
