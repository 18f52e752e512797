"""A printer behind TLS: trusted by a file in its address and by nothing else."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from drivers.page.driver import PageAdapter
from drivers.page.proof_sheet import proof_sheet
from drivers.page.timings import Timings
from drivers.sim.page import PagePrinterSim
from kiosk.core.devices import DeviceState, Fault
from kiosk.core.ports import Document, PrintProof
from kiosk.core.result import Err, Ok

TIMINGS = Timings(exchange=5.0, send=5.0, follow=0.02, lost=1.0, cancel=0.5)


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A key and a certificate that a printer made for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    names: list[x509.GeneralName] = [x509.DNSName(name)]
    if name == "127.0.0.1":
        names = [x509.IPAddress(ipaddress.ip_address(name))]
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / f"{name}.pem", folder / f"{name}.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pem, secret


class SecretPrinter(PagePrinterSim):
    """The same printer; its line is TLS."""

    def __init__(self, folder: Path, pem: Path, key: Path) -> None:
        super().__init__(dir=folder)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(pem, key)

    def _listen(self) -> None:
        super()._listen()
        server = self._server
        assert server is not None
        plain = server.get_request

        def get_request() -> tuple[ssl.SSLSocket, tuple[str, int]]:
            line, peer = plain()
            return self._context.wrap_socket(line, server_side=True), peer

        server.get_request = get_request  # type: ignore[method-assign]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("127.0.0.1", "printer.local"):
        certificate(folder, name)
    return folder


@pytest.fixture(params=["127.0.0.1", "printer.local"])
def printer(request: pytest.FixtureRequest, files: Path, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Its address without what to trust, and the name in its certificate."""
    name = request.param
    sim = SecretPrinter(tmp_path, files / f"{name}.pem", files / f"{name}.key")
    yield sim.start().replace("ipp:", "ipps:"), name
    sim.stop()


def refused(address: str) -> Fault:
    driver = PageAdapter(address, timings=TIMINGS)
    outcome = driver.print(Document("440699-0001", proof_sheet("A page", []), 1))
    assert isinstance(outcome, Err), outcome
    assert driver.status().state is DeviceState.OFFLINE
    return outcome.error.fault


def test_the_printer_that_the_address_names(printer: tuple[str, str], files: Path) -> None:
    address, name = printer
    driver = PageAdapter(f"{address}?ca={files / name}.pem&name={name}", timings=TIMINGS)
    document = Document("440699-0001", proof_sheet("A page", []), 1)
    assert driver.print(document) == Ok(PrintProof("440699-0001", 1))
    assert "ca=" not in driver.status().identity


def test_anybody_else_is_not_trusted(printer: tuple[str, str], files: Path, expected_logs: set[str]) -> None:
    expected_logs.add("urllib3")  # it says that the name does not match
    address, name = printer
    other = "printer.local" if name == "127.0.0.1" else "127.0.0.1"
    assert refused(f"{address}?ca={files / other}.pem&name={name}") is Fault.MISCONFIGURED, "another authority"
    assert refused(f"{address}?ca={files / name}.pem&name=elsewhere.local") is Fault.MISCONFIGURED, "another name"
    assert refused(address) is Fault.MISCONFIGURED, "unknown to the public authorities"
    assert refused(f"{address}?ca={files / 'nowhere'}.pem") is Fault.MISCONFIGURED, "no such file"


def test_a_printer_without_tls_is_not_taken_for_one(tmp_path: Path, files: Path) -> None:
    sim = PagePrinterSim(dir=tmp_path)
    address = sim.start().replace("ipp:", "ipps:")
    try:
        assert refused(f"{address}?ca={files / '127.0.0.1'}.pem") is Fault.MISCONFIGURED
    finally:
        sim.stop()
    assert refused(f"{address}?ca={files / '127.0.0.1'}.pem") is Fault.UNREACHABLE, "nobody there"
