"""The line of the street: up, cut, mute, or talking nonsense in the hall's name."""

from __future__ import annotations

import contextlib
import datetime
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kiosk.devdock.link import Link, LinkMode


class _Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(1000):
            self.request.sendall(data.upper())


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(1))
        .not_valid_after(now + datetime.timedelta(1))
        .sign(key, hashes.SHA256())
    )
    pem, secret = tmp_path / "c.pem", tmp_path / "k.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pem, secret


@pytest.fixture
def line(certificate: tuple[Path, Path]) -> Iterator[tuple[Link, int]]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Echo) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        link = Link(target_port=server.server_address[1], certificate=certificate[0], key=certificate[1])
        port = link.start()
        yield link, port
        link.stop()
        server.shutdown()


def _talk(port: int, *, tls: bool = False) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=2) as raw:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with context.wrap_socket(raw) if tls else raw as connection:
            connection.sendall(b"hello")
            return bytes(connection.recv(1000))


def _dead(port: int) -> bool:
    """Refused, cut, or closed without a word."""
    try:
        return _talk(port) == b""
    except OSError:
        return True


def test_up_relays_and_down_cuts_what_is_open(line: tuple[Link, int]) -> None:
    link, port = line
    assert _talk(port) == b"HELLO"
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.sendall(b"a")
        assert connection.recv(10) == b"A"
        link.set_mode(LinkMode.DOWN)
        with contextlib.suppress(ConnectionError):
            assert connection.recv(10) == b"", "an open connection was not cut"
    assert _dead(port)
    link.set_mode(LinkMode.UP)
    assert not _dead(port)


def test_silent_accepts_and_says_nothing(line: tuple[Link, int]) -> None:
    link, port = line
    link.set_mode(LinkMode.SILENT)
    with pytest.raises(TimeoutError):
        _talk(port)


@pytest.mark.parametrize(
    ("mode", "words"), [(LinkMode.ERROR_500, b"500 Internal"), (LinkMode.GARBAGE, b'{"verdicts": [\xff')]
)
def test_it_can_talk_nonsense_in_the_halls_name(line: tuple[Link, int], mode: LinkMode, words: bytes) -> None:
    link, port = line
    link.set_mode(mode)
    assert words in _talk(port, tls=True)
