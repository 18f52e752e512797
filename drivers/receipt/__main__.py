"""Worker process of the receipt printer."""

from drivers.host.worker import main
from drivers.receipt.driver import ReceiptAdapter

if __name__ == "__main__":
    main(ReceiptAdapter)
