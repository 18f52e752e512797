"""A keyboard-wedge scanner has no driver process, and the doctor says what to do instead of asking one."""

from __future__ import annotations

from kiosk.app.device_check import check_device
from kiosk.app.wiring import device_hosts
from kiosk.core.devices import DeviceKind
from kiosk.core.profile import DeviceAddresses, Hall, Profile
from kiosk.core.scanned_code import WEDGE


def profile(scanner: str) -> Profile:
    return Profile(
        terminal_id="T001",
        region="440699",
        site_name="祖庙街道24小时自助服务区",
        terminal_name="1号机",
        data="data",
        hall=Hall(url="https://127.0.0.1:1"),
        devices=DeviceAddresses(scanner=scanner),
    )


def test_the_screens_listen_to_it_themselves() -> None:
    assert device_hosts(profile(WEDGE)) == {}
    assert set(device_hosts(profile("serial:/dev/ttyS9"))) == {DeviceKind.SCANNER}


def test_the_doctor_cannot_ask_it_and_says_so() -> None:
    finding = check_device(DeviceKind.SCANNER, WEDGE, None)
    assert (finding.verdict, finding.state) == ("warn", "types like a keyboard")
    assert "扫" in finding.advice
