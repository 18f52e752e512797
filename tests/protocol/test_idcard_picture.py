"""The plug-in that turns a photo into a picture: a good one, and every way in which closed code goes wrong."""

from __future__ import annotations

import os
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drivers.host.proxies import IdCardReaderProxy
from drivers.idcard.picture import GIVE_UP_AFTER, PictureDecoder, parse_picture
from drivers.sim.id_card import CardReaderSim
from kiosk.core.devices import DeviceKind
from kiosk.core.result import Ok

WIDTH, HEIGHT = 102, 126
ROW = (WIDTH * 3 + 3) // 4 * 4
SIZE = 54 + ROW * HEIGHT
SOURCES = {
    # a grey picture whose level is the photo's first byte
    "good": f"""
        unsigned char head[54] = {{'B', 'M'}};
        int size = {SIZE}, offset = 54, info = 40, width = {WIDTH}, height = {HEIGHT}, planes = 1 | 24 << 16;
        memcpy(head + 2, &size, 4); memcpy(head + 10, &offset, 4); memcpy(head + 14, &info, 4);
        memcpy(head + 18, &width, 4); memcpy(head + 22, &height, 4); memcpy(head + 26, &planes, 4);
        if (n < size) return -1;
        memcpy(bmp, head, 54); memset(bmp + 54, wlt[0], size - 54);
        return 1;""",
    "crash": "return *(volatile int *)8;",
    "ends": "(void)wlt; _exit(0);",
    "hang": "for (;;) sleep(1);",
    "garbage": "for (int i = 0; i < n; i++) bmp[i] = i * 7 + wlt[0]; return 1;",
    "refuses": "(void)bmp; return -12;",
    "overrun": "memset(bmp, 'B', 1UL << 33); return 1;",
    "noisy": 'printf("secret"); fprintf(stderr, "secret"); FILE *f = fopen("photo.bmp", "w"); '
    'if (f) { fputs("secret", f); fclose(f); } return 1;',
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("decoders")

    def build(name: str) -> Path:
        source, built = folder / f"{name}.c", folder / f"lib{name}.so"
        if not built.exists():
            source.write_text(
                "#include <stdio.h>\n#include <string.h>\n#include <unistd.h>\n"
                f"int unpack(const char *wlt, char *bmp, int n) {{ {SOURCES[name]} }}\n"
            )
            subprocess.run(["gcc", "-O0", "-w", "-shared", "-fPIC", "-o", built, source], check=True)
        return built

    return build


def test_a_photo_becomes_a_picture(library: Callable[[str], Path]) -> None:
    decoder = PictureDecoder(library("good"))
    picture = decoder.decode(b"\x37" * 1024)
    assert (len(picture), picture[:2], set(picture[54:])) == (SIZE, b"BM", {0x37})
    assert decoder.trouble == ""


@pytest.mark.parametrize(
    ("name", "trouble"),
    [
        ("crash", "decoder crashed (signal 11)"),
        ("ends", "decoder cannot be loaded"),
        ("garbage", "decoder made no picture"),
        ("refuses", "decoder made no picture"),
        ("overrun", "decoder crashed (signal 11)"),
    ],
)
def test_a_bad_decoder_costs_the_picture_only(library: Callable[[str], Path], name: str, trouble: str) -> None:
    decoder = PictureDecoder(library(name))
    assert decoder.decode(b"w" * 1024) == b""
    assert decoder.trouble == trouble


def test_a_decoder_that_hangs_is_ended(library: Callable[[str], Path]) -> None:
    decoder = PictureDecoder(library("hang"), deadline_s=0.2)
    before = _children()  # of other tests in this process
    assert decoder.decode(b"w" * 1024) == b""
    assert decoder.trouble == "decoder hung"
    assert _children() == before


def test_no_decoder_there(tmp_path: Path) -> None:
    decoder = PictureDecoder(tmp_path / "none.so")
    assert decoder.decode(b"w" * 1024) == b""
    assert decoder.trouble == "decoder cannot be loaded"


def test_a_decoder_can_leave_no_photo_behind(
    library: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    decoder_path = library("noisy")
    monkeypatch.chdir(tmp_path)
    PictureDecoder(decoder_path).decode(b"w" * 1024)
    assert [path.stat().st_size for path in tmp_path.iterdir()] in ([], [0])
    assert capfd.readouterr() == ("", "")


def test_after_some_failures_readings_are_not_held_up(library: Callable[[str], Path], tmp_path: Path) -> None:
    path = tmp_path / "lib.so"
    decoder = PictureDecoder(path)
    for _ in range(GIVE_UP_AFTER):
        assert decoder.decode(b"w" * 1024) == b""
    path.symlink_to(library("good"))
    assert decoder.decode(b"w" * 1024) == b"", "given up"
    fresh = PictureDecoder(path)
    assert fresh.decode(b"w" * 1024) != b""


@given(st.binary(max_size=200))
def test_only_a_photo_s_picture_is_one(data: bytes) -> None:
    assert parse_picture(b"BM" + data) == b""


@example(34, 32, 32)
@given(st.integers(0, 2**32 - 1), st.integers(-(2**31), 2**31 - 1), st.integers(-(2**31), 2**31 - 1))
def test_sizes_are_believed_only_if_they_fit(offset: int, width: int, height: int) -> None:
    data = struct.pack("<2sIIIIiiHHI", b"BM", 30_000, 0, offset, 40, width, height, 1, 24, 0).ljust(30_000, b"\0")
    picture = parse_picture(data)
    assert picture in (b"", data)
    if picture:
        assert 54 <= offset < 30_000
        assert 32 <= width <= 400


def _children() -> list[str]:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


# --- in the driver ---------------------------------------------------------------------------------------------------


class _WithDecoder(CardReaderSim):
    """The simulated reader, its address with a decoder's."""

    def __init__(self, decoder: Path, **options: Any) -> None:
        super().__init__(**options)
        self._decoder = decoder

    def start(self) -> str:
        return f"{super().start()}&decoder={self._decoder}"


@pytest.mark.parametrize(("name", "bytes_"), [("good", SIZE), ("crash", 0), ("garbage", 0)])
def test_the_driver_survives_its_decoder(
    library: Callable[[str], Path], make_rig: Callable[..., Any], tmp_path: Path, name: str, bytes_: int
) -> None:
    rig = make_rig(_WithDecoder(library(name), dir=tmp_path), DeviceKind.ID_CARD, "drivers.idcard")
    rig.well()
    pid = rig.host.pid
    rig.do("put", photo=(b"\x37" * 1024).hex())
    rig.wait_status(lambda status: status.media == "present")
    outcome = IdCardReaderProxy(rig.host).read()
    assert isinstance(outcome, Ok), outcome
    assert (len(outcome.value.photo), len(outcome.value.picture)) == (1024, bytes_)
    found = rig.host.self_test(deep=True)
    assert found.passed
    assert ("with picture" in found.detail, "decoder" in found.detail) == (bool(bytes_), not bytes_)
    assert rig.host.pid == pid
