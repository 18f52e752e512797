"""`make run` as a developer meets it: the page in a real browser, and Ctrl-C that leaves nothing behind."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from kiosk.core.devices import DeviceKind

CHROMIUM = "/usr/bin/chromium"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def dock() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    with tempfile.TemporaryDirectory(prefix="cw-") as name:
        process = subprocess.Popen(
            [sys.executable, "-m", "kiosk.devdock", "--port", "0", "--root", f"{name}/s", "--terminals", "1"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            env={**os.environ, "DISPLAY": "", "WAYLAND_DISPLAY": ""},
            start_new_session=True,
        )
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], 120)
        address = process.stdout.readline().decode().strip() if ready else ""
        try:
            assert address.startswith("http://127.0.0.1:"), "the street did not come up"
            yield address, process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(30)
            process.stdout.close()


@pytest.fixture
def page(dock: tuple[str, subprocess.Popen[bytes]]) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
        )
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        page.goto(dock[0])
        yield page
        browser.close()


@pytest.mark.street
@pytest.mark.timeout(400)
@pytest.mark.xdist_group("street")
def test_the_page_shows_the_screen_and_holds_the_hardware(page: Page) -> None:
    view = page.locator("#view")
    expect(view).to_have_text("attract", timeout=60000)
    page.locator("#persons button").first.click()
    expect(view).to_have_text(re.compile("home"), timeout=60000)
    canvas = page.locator("#screen")
    colours = canvas.evaluate(
        "c => new Set(Array.from(new Uint32Array(c.getContext('2d').getImageData(0, 0, 400, 400).data.buffer))).size"
    )
    assert colours > 3, "the canvas shows no picture of the screen"
    page.get_by_role("button", name="拿走身份证").click()
    expect(view).to_have_text(re.compile("attract|put_card"), timeout=60000)
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="大厅工作人员页").click()
    expect(opened.value.locator("body")).to_contain_text("办件", timeout=60000)


@pytest.mark.street
@pytest.mark.timeout(400)
@pytest.mark.xdist_group("street")
def test_every_device_tells_of_itself_and_proves_itself_at_a_press(page: Page) -> None:
    expect(page.locator("#view")).to_have_text("attract", timeout=60000)
    rows = page.locator("#devices li")
    expect(rows).to_have_count(len(DeviceKind), timeout=60000)
    printer = rows.filter(has_text="receipt printer")
    expect(printer).to_contain_text("quick passed", timeout=60000)
    expect(printer).to_contain_text(re.compile(r"pid \d+ · \d+ MiB · \d+ restarts"))
    printer.get_by_role("button", name="deep").click()
    expect(printer).to_contain_text("deep passed", timeout=60000)
    expect(page.locator("#papers img").first).to_be_visible(timeout=60000)
    page.locator("#processes button", has_text="receipt").click()
    expect(printer).to_contain_text("driver lost during serve", timeout=60000)
    expect(printer).to_contain_text("1 restarts", timeout=60000)


@pytest.mark.street
@pytest.mark.timeout(400)
@pytest.mark.xdist_group("street")
def test_the_page_holds_codes_cards_and_the_cabinet(page: Page) -> None:
    view, slot = page.locator("#view"), page.locator("#slot")
    expect(view).to_have_text("attract", timeout=60000)
    page.locator("#code input").fill("no code of ours")
    page.get_by_role("button", name="扫 scan").click()
    expect(view).to_have_text("home", timeout=60000)
    page.get_by_role("button", name="last page").click()  # none of these tests prints one
    expect(page.locator("#trouble")).to_contain_text("没有码", timeout=60000)
    page.locator("#socials button").first.click()
    expect(slot).to_contain_text("社保卡", timeout=60000)
    page.get_by_role("button", name="拔出来").click()
    expect(slot).to_contain_text("空", timeout=60000)
    page.get_by_role("button", name="bank card").click()
    expect(slot).to_contain_text("银行卡", timeout=60000)
    page.get_by_role("button", name="拔出来").click()
    expect(slot).to_contain_text("空", timeout=60000)
    expect(page.locator("#lamps li", has_text="机柜")).to_have_class(re.compile("on|blink"), timeout=60000)
    door = page.get_by_role("button", name="柜门开")
    expect(door).to_have_attribute("aria-pressed", "false", timeout=60000)
    door.click()
    expect(door).to_have_attribute("aria-pressed", "true", timeout=60000)
    expect(page.locator("#devices li.fault", has_text="I/O")).to_be_visible(timeout=60000)
    door.click()
    expect(door).to_have_attribute("aria-pressed", "false", timeout=60000)


@pytest.mark.street
@pytest.mark.timeout(400)
@pytest.mark.xdist_group("street")
def test_a_killed_screen_comes_back_on_the_page(page: Page) -> None:
    button = page.locator("#processes button", has_text="ui")
    expect(button).to_be_visible(timeout=60000)
    before = button.inner_text()
    button.click()
    expect(button).not_to_have_text(before, timeout=60000)
    expect(page.locator("#view")).to_have_text("attract", timeout=60000)


@pytest.mark.street
@pytest.mark.timeout(200)
@pytest.mark.xdist_group("street")
def test_other_pages_cannot_use_the_dock(dock: tuple[str, subprocess.Popen[bytes]]) -> None:
    import requests

    session = requests.Session()
    session.trust_env = False
    foreign = session.post(
        f"{dock[0]}/api/terminals/T001/kill",
        json={"process": "ui"},
        headers={"Origin": "http://evil.example"},
        timeout=5,
    )
    assert foreign.status_code == 403
    rebound = session.get(dock[0], headers={"Host": "evil.example"}, timeout=5)
    assert rebound.status_code == 403


@pytest.mark.street
@pytest.mark.timeout(200)
@pytest.mark.xdist_group("street")
def test_ctrl_c_ends_every_process(dock: tuple[str, subprocess.Popen[bytes]]) -> None:
    _, process = dock
    deadline = time.monotonic() + 20
    while len(family := _descendants(process.pid)) <= 6:  # a terminal killed before may be on its way back
        assert time.monotonic() < deadline, "a street has more processes than this"
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    deadline = time.monotonic() + 10
    while (left := [pid for pid in family if Path(f"/proc/{pid}/stat").exists()]) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left


def _descendants(pid: int) -> list[int]:
    children = [
        int(child)
        for file in Path(f"/proc/{pid}/task").glob("*/children")
        for child in file.read_text(encoding="ascii").split()
    ]
    return children + [grandchild for child in children for grandchild in _descendants(child)]
