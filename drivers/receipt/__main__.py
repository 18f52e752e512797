"""Worker process of the receipt printer."""

from drivers.host.worker import main
from drivers.receipt.driver import ReceiptDriver

main(ReceiptDriver)
