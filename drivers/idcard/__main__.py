"""The ID card reader's worker process."""

from drivers.host.worker import main
from drivers.idcard.driver import IdCardAdapter

if __name__ == "__main__":
    main(IdCardAdapter)
