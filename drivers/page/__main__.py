"""Worker process of the A4 printer."""

from drivers.host.worker import main
from drivers.page.driver import PageAdapter

if __name__ == "__main__":
    main(PageAdapter)
