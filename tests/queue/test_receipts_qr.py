"""The code on a printed receipt: small enough for any phone, checkable offline, and nothing else passes for it (Q9).

``make receipts`` tries 100,000 changed and replayed codes; here fewer.
"""

from __future__ import annotations

import hashlib
import os
import random
import uuid
import zlib
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

import base45
import cbor2
import pytest
import segno

from kiosk.contract.numbers import ApplicationNumber
from kiosk.contract.signing import (
    QR_PREFIX,
    HallReceipt,
    QrClaim,
    SignatureError,
    SigningKey,
    sign_qr,
    sign_receipt,
    verify_qr,
    verify_receipt,
)
from kiosk.core.clock import CHINA
from offline_queue.keys.codes import TerminalCodes
from offline_queue.keys.identity import current_keys, load_identity
from offline_queue.seal import TerminalSealer
from tests.queue.conftest import NOW, Terminal
from tests.queue.lying_line import say

PARTS = int(os.environ.get("RECEIPTS_PARTS", "1"))
MUTANTS = int(os.environ.get("RECEIPTS_MUTANTS", "5000")) // PARTS
"""In each part."""
BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
LARGEST_VERSION = 8


@pytest.fixture
def seed() -> int:
    chosen = int(os.environ.get("RECEIPTS_SEED", random.SystemRandom().randrange(2**32)))
    say(f"seed {chosen}")
    return chosen


def number(serial: int) -> str:
    return str(ApplicationNumber("440699", NOW.astimezone(CHINA).date(), "T001", serial))


def version(content: str | bytes) -> int:
    return int(segno.make(content, error="m", micro=False, boost_error=False).version)


def test_every_printed_receipt_verifies_offline_and_is_no_larger_than_version_8(terminal: Terminal) -> None:
    codes, sealer = TerminalCodes.of(terminal.data), TerminalSealer.of(terminal.data)
    keys = {terminal.signing.id: terminal.signing.public}
    for serial in (1, 7, 4711, 9999):
        sha256 = hashlib.sha256(f"{serial}".encode()).hexdigest()
        for at in (NOW, NOW + timedelta(days=36500)):
            text = sealer.sign_receipt(number(serial), sha256, at)
            assert version(text) <= LARGEST_VERSION
            known = codes.read(text)
            assert known is not None and known.genuine is True and known.number == number(serial)
            claims = verify_qr(text, keys)
            assert claims[QrClaim.SHA256_PREFIX] == bytes.fromhex(sha256)[:8]
            assert claims[QrClaim.AT] == int(at.timestamp())


def test_the_halls_receipt_fits_the_same_code_and_verifies_with_the_key_list(terminal: Terminal) -> None:
    believed = current_keys(load_identity(terminal.data), terminal.data).signing
    receipt = HallReceipt(str(uuid.UUID(int=7, version=4)), "ab" * 32, NOW)
    raw = sign_receipt(receipt, terminal.secrets.signing)
    assert version(raw) <= LARGEST_VERSION
    assert verify_receipt(raw, believed) == receipt


class Forger:
    """Has genuine codes, other terminals' codes and keys of his own; makes others out of them."""

    def __init__(self, terminal: Terminal, dice: random.Random) -> None:
        self.dice = dice
        self.stranger = SigningKey.generate()
        sealer = TerminalSealer.of(terminal.data)
        self.genuine = [sealer.sign_receipt(number(n), dice.randbytes(32).hex(), NOW) for n in range(1, 65)]
        self.own = terminal.signing

    def text_changed(self, text: str) -> str:
        place = self.dice.randrange(len(text))
        return text[:place] + self.dice.choice(BASE45.replace(text[place], "")) + text[place + 1 :]

    def text_swapped(self, text: str) -> str:
        a, b = sorted(self.dice.sample(range(len(QR_PREFIX), len(text)), 2))
        return text[:a] + text[b] + text[a + 1 : b] + text[a] + text[b + 1 :]

    def text_cut(self, text: str) -> str:
        return text[: self.dice.randrange(len(text))]

    def text_longer(self, text: str) -> str:
        return text + "".join(self.dice.choice(BASE45) for _ in range(self.dice.randint(1, 6)))

    def text_lower(self, text: str) -> str:
        return QR_PREFIX + text[len(QR_PREFIX) :].lower()

    def bit_flipped(self, text: str) -> str:
        raw = bytearray(base45.b45decode(text[len(QR_PREFIX) :]))
        bit = self.dice.randrange(len(raw) * 8)
        raw[bit // 8] ^= 1 << bit % 8
        return _code(bytes(raw))

    def message_bit_flipped(self, text: str) -> str:
        raw = bytearray(_plain(text))
        bit = self.dice.randrange(len(raw) * 8)
        raw[bit // 8] ^= 1 << bit % 8
        return _code(zlib.compress(bytes(raw), 9))

    def message_longer(self, text: str) -> str:
        return _code(zlib.compress(_plain(text) + self.dice.randbytes(self.dice.randint(1, 4)), 9))

    def packed_otherwise(self, text: str) -> str:
        return _code(zlib.compress(_plain(text), 9) + self.dice.randbytes(self.dice.randint(1, 4)))

    def checksum_missing(self, text: str) -> str:
        return _code(base45.b45decode(text[len(QR_PREFIX) :])[: -self.dice.randint(1, 4)])

    def claims_changed(self, text: str) -> str:
        message = cbor2.loads(_plain(text))
        protected, unprotected, payload, signature = message.value
        claims = cbor2.loads(payload)
        match self.dice.randrange(4):
            case 0:
                claims[QrClaim.NUMBER.value] = number(self.dice.randint(100, 9999))
            case 1:
                claims[QrClaim.AT.value] += self.dice.randint(1, 10**6)
            case 2:
                claims[QrClaim.SHA256_PREFIX.value] = self.dice.randbytes(8)
            case _:
                claims[QrClaim.HOLDER.value] = "x"
        return _code(_packed(protected, unprotected, cbor2.dumps(claims), signature))

    def unsigned_part_changed(self, text: str) -> str:
        message = cbor2.loads(_plain(text))
        protected, unprotected, payload, signature = message.value
        return _code(_packed(protected, {**unprotected, 99: self.dice.randbytes(3)}, payload, signature))

    def signature_of_another(self, text: str) -> str:
        other = cbor2.loads(_plain(self.dice.choice([code for code in self.genuine if code != text]))).value
        protected, unprotected, payload, _ = cbor2.loads(_plain(text)).value
        return _code(_packed(protected, unprotected, payload, other[3]))

    def signed_by_a_stranger(self, text: str) -> str:
        """Under our terminal's name."""
        claims = cbor2.loads(cbor2.loads(_plain(text)).value[2])
        protected, _, payload, signature = cbor2.loads(_plain(sign_qr(claims, self.stranger))).value
        return _code(_packed(protected, {4: bytes.fromhex(self.own.id)}, payload, signature))

    def another_terminals(self, text: str) -> str:
        """Genuine there, signed with its own key and name; not ours to say yes to."""
        return sign_qr(cbor2.loads(cbor2.loads(_plain(text)).value[2]), self.stranger)

    def replayed(self, text: str) -> str:
        """A genuine receipt of ours for another application."""
        return self.dice.choice([code for code in self.genuine if code != text])


_WAYS: tuple[Callable[[Forger, str], str], ...] = tuple(
    way for name, way in vars(Forger).items() if callable(way) and not name.startswith("_")
)


def _plain(text: str) -> bytes:
    return zlib.decompress(base45.b45decode(text[len(QR_PREFIX) :]))


def _packed(*parts: object) -> bytes:
    return zlib.compress(cbor2.dumps(cbor2.CBORTag(18, list(parts))), 9)


def _code(raw: bytes) -> str:
    encoded: bytes = base45.b45encode(raw)
    return QR_PREFIX + encoded.decode()


@pytest.mark.timeout(60 + MUTANTS // 100)
@pytest.mark.parametrize("part", range(PARTS))
def test_nothing_that_was_changed_or_replayed_passes_for_a_receipt(terminal: Terminal, seed: int, part: int) -> None:
    forger = Forger(terminal, random.Random(seed + part))
    codes = TerminalCodes.of(terminal.data)
    believed = {terminal.signing.id: terminal.signing.public}
    passed: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    for turn in count():
        if tried.total() == MUTANTS:
            break
        text = forger.genuine[turn % len(forger.genuine)]
        mine = number(1 + turn % len(forger.genuine))
        way = _WAYS[turn % len(_WAYS)]
        mutant = way(forger, text)
        if mutant.strip() == text:  # a scanner's blank at the end is no change
            continue
        tried[way.__name__] += 1
        known = codes.read(mutant)
        if known is not None and known.genuine and known.number == mine:
            passed[way.__name__] += 1
        with_list = _number_in(mutant, believed)
        if with_list == mine:
            passed[way.__name__] += 1
    say(f"{tried.total()} changed or replayed codes, {sum(passed.values())} passed")
    assert passed == Counter()
    assert len(tried) == len(_WAYS)


def _number_in(text: str, keys: dict[str, bytes]) -> object:
    try:
        return verify_qr(text, keys).get(QrClaim.NUMBER)
    except SignatureError:
        return None


@pytest.mark.timeout(60 + MUTANTS // 100)
@pytest.mark.parametrize("part", range(PARTS))
def test_nothing_that_was_changed_or_replayed_passes_for_the_halls_receipt(
    terminal: Terminal, seed: int, part: int
) -> None:
    dice = random.Random(seed + part)
    hall, stranger = terminal.secrets.signing, SigningKey.generate()
    believed = current_keys(load_identity(terminal.data), terminal.data).signing
    wrong = 0
    for _ in range(MUTANTS):
        at = datetime.fromtimestamp(dice.getrandbits(31), UTC)
        mine = HallReceipt(str(uuid.UUID(int=dice.getrandbits(128), version=4)), dice.randbytes(32).hex(), at)
        raw = bytearray(sign_receipt(mine, hall))
        match dice.randrange(5):
            case 0 | 1:
                bit = dice.randrange(len(raw) * 8)
                raw[bit // 8] ^= 1 << bit % 8
            case 2:
                forged = sign_receipt(mine, stranger)
                raw = bytearray(forged[:2] + bytes.fromhex(hall.id) + forged[6:])
            case 3:
                del raw[dice.randrange(len(raw)) :]
            case _:
                other = HallReceipt(mine.submission_id, dice.randbytes(32).hex(), at)
                raw = bytearray(sign_receipt(other, hall))
        try:
            wrong += verify_receipt(bytes(raw), believed) == mine
        except SignatureError:
            continue
    say(f"{MUTANTS} changed or replayed receipts of the hall, {wrong} passed")
    assert wrong == 0
