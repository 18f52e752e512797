"""Worker process of the I/O board."""

from drivers.host.worker import main
from drivers.site_io.driver import SiteIoAdapter

if __name__ == "__main__":
    main(SiteIoAdapter)
