"""The hall's own TLS certificate: renewed while it runs, shown to new connections, believed by every terminal."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from hall.hall import open_hall
from hall.server import keep_certificate, tls_context

NO_CHECK_TIME = 0x200000


class Clock:
    """Stands still until told."""

    def __init__(self) -> None:
        self.wall = datetime.now(UTC)

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return 0.0


def shown(server: ssl.SSLContext, root: bytes) -> x509.Certificate:
    """The certificate that a client gets, verified under the hall's root; both ends in memory."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(cadata=root.decode())
    client.verify_flags = ssl.VerifyFlags(client.verify_flags | NO_CHECK_TIME)  # the hall's clock is another here
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(to_client, to_server, server_hostname="127.0.0.1")
    far = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for end in (near, far):
            with contextlib.suppress(ssl.SSLWantReadError):
                end.do_handshake()
    der = near.getpeercert(binary_form=True)
    assert der is not None
    return x509.load_der_x509_certificate(der)


def test_it_is_renewed_while_the_hall_runs(tmp_path: Path) -> None:
    clock = Clock()
    hall = open_hall(tmp_path / "hall", clock=clock)
    tls = tls_context(hall.layout)
    root = hall.keys.root_pem()
    first = shown(tls, root)

    async def while_running() -> None:
        task = asyncio.create_task(keep_certificate(hall, tls, every_s=0.01))
        await asyncio.sleep(0.1)
        assert shown(tls, root) == first, "not before its time"
        clock.wall += timedelta(days=340)
        deadline = asyncio.get_running_loop().time() + 30
        while shown(tls, root) == first and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.02)
        task.cancel()

    asyncio.run(while_running())
    hall.close()
    renewed = x509.load_pem_x509_certificate(hall.layout.server_certificate.read_bytes())
    assert shown(tls, root) == renewed != first, "whoever connects now gets the new one"
    assert renewed.not_valid_after_utc > first.not_valid_after_utc + timedelta(days=300)
