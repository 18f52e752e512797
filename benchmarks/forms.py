"""Synthetic filings (办件) to train the dictionary with and to measure on: nobody's data, different for every seed.

Two come from the catalogue's own items; the others are forms as departments have them. Texts are words by their
frequency in the language, without grammar, so they compress worse than what people write.
"""

from __future__ import annotations

import hashlib
import itertools
import random
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path

import jieba

from hall.catalogue.bundles import load_draft, own_catalogue
from kiosk.contract.envelope import BlobRef
from kiosk.contract.numbers import ApplicationNumber, mint_submission_id
from kiosk.contract.submission import AnswerRecord, AnswerValue, Consent, IdentityProof, MaterialUse, Submission
from kiosk.core.clock import CHINA
from kiosk.core.identity import person_check_character
from kiosk.core.item import Item, Question

_EPOCH = datetime(2026, 11, 22, tzinfo=UTC)
_REGION = "440699"
"""Not assigned: no number made with it is anybody's."""
_SURNAMES = "王李张刘陈杨黄赵周吴徐孙马朱胡林郭何高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰建国文辉志红梅晓春海燕婷浩宇欣怡子涵梓轩雨桐"
_TOWNS = (
    "石湾镇",
    "祖庙街道",
    "张槎街道",
    "南庄镇",
    "桂城街道",
    "大沥镇",
    "里水镇",
    "大良街道",
    "容桂街道",
    "西南街道",
)
_ROADS = (
    "季华",
    "汾江",
    "岭南",
    "文华",
    "佛平",
    "魁奇",
    "影荫",
    "同济",
    "朝安",
    "湖景",
    "绿景",
    "澜石",
    "江湾",
    "惠景",
)
_FIRMS = (
    "机械",
    "陶瓷",
    "电器",
    "纺织",
    "家具",
    "物流",
    "餐饮管理",
    "装饰工程",
    "电子科技",
    "塑料制品",
    "五金",
    "食品",
)

_WIDE: dict[str, tuple[tuple[str, str], ...]] = {
    # Not in the catalogue: what a form of another department looks like on the wire. Name, type of answer.
    "440604-WJ-0102": (
        *(("child_name", "name"), ("birth_at", "date"), ("hospital", "text"), ("weight_g", "number")),
        *(("mother", "name"), ("mother_id", "id"), ("mother_nation", "text"), ("father", "name"), ("father_id", "id")),
        *(("address", "address"), ("phone", "phone"), ("first_child", "yesno"), ("remark", "long_text")),
    ),
    "440604-RS-0240": (
        *(("employer", "firm"), ("employer_code", "id"), ("hired_at", "date"), ("left_at", "date"), ("why", "text")),
        *(("bank", "text"), ("account", "digits"), ("address", "address"), ("phone", "phone"), ("trained", "yesno")),
        *(("wishes", "long_text"), ("other_income", "yesno")),
    ),
    "440604-ZJ-0077": (
        *(("address", "address"), ("area_m2", "number"), ("owner", "name"), ("owner_id", "id"), ("share", "number")),
        *(("spouse", "name"), ("spouse_id", "id"), ("income", "number"), ("household", "number"), ("phone", "phone")),
        *(("current", "address"), ("since", "date"), ("disabled", "yesno"), ("reason", "long_text")),
    ),
}
UNSEEN = "440604-ZJ-0077"
"""The form that the dictionary has never seen."""


def forms(seed: str, *, without: str = "", only: str = "") -> Iterator[Submission]:
    """Filings for ever, the kinds in turn."""
    makers: dict[str, Callable[[random.Random], tuple[dict[str, AnswerValue], tuple[str, ...]]]] = {}
    makers |= {item.code: partial(_of_item, item) for item in _items()}
    makers |= {code: partial(_wide, fields) for code, fields in _WIDE.items()}
    kinds = [code for code in makers if code != without and only in ("", code)]
    for number, code in zip(itertools.count(1), itertools.cycle(kinds)):
        chance = random.Random(f"{seed} {number}")  # noqa: S311 - synthetic people, not secrets
        answers, materials = makers[code](chance)
        yield _submission(code, number, answers, materials, chance)


@cache
def _items() -> tuple[Item, ...]:
    return tuple(item for item in load_draft(own_catalogue()).items if item.offline == "queue")


@cache
def _words() -> tuple[list[str], list[float]]:
    lines = (Path(jieba.__file__).parent / "dict.txt").read_text("utf-8").splitlines()
    rows = [line.split(" ") for line in lines]
    often = [(row[0], int(row[1])) for row in rows if int(row[1]) >= 300 and "nr" not in row[2]]
    return [word for word, _ in often], list(itertools.accumulate(float(count) for _, count in often))


def _text(chance: random.Random, letters: int) -> str:
    words, weights = _words()
    text = ""
    while len(text) < letters:
        text += "".join(chance.choices(words, cum_weights=weights, k=chance.randint(3, 9))) + "，"
    return text[: letters - 1] + "。"


def _name(chance: random.Random) -> str:
    return chance.choice(_SURNAMES) + "".join(chance.choices(_GIVEN, k=chance.randint(1, 2)))


def _id_number(chance: random.Random) -> str:
    born = _EPOCH - timedelta(days=chance.randint(18 * 365, 80 * 365))
    body = f"{_REGION}{born:%Y%m%d}{chance.randint(1, 999):03d}"
    return body + person_check_character(body)


def _address(chance: random.Random) -> str:
    where = f"佛山市禅城区{chance.choice(_TOWNS)}{chance.choice(_ROADS)}{chance.choice('一二三四')}路"
    return f"{where}{chance.randint(1, 199)}号{chance.randint(1, 12)}座{chance.randint(101, 3205)}房"


def _firm(chance: random.Random) -> str:
    name = "".join(chance.choices(_GIVEN, k=2))
    return f"佛山市{name}{chance.choice(_FIRMS)}有限公司"


def _value(kind: str, chance: random.Random) -> AnswerValue:
    match kind:
        case "yesno":
            return chance.random() < 0.5
        case "number":
            return chance.randint(1, 9999)
        case "date":
            return f"{_EPOCH - timedelta(days=chance.randint(0, 9000)):%Y-%m-%d}"
        case "phone":
            return f"1{chance.choice('3578')}{chance.randint(0, 10**9 - 1):09d}"
        case "address":
            return _address(chance)
        case "name":
            return _name(chance)
        case "id":
            return _id_number(chance)
        case "digits":
            return f"62{chance.randint(0, 10**17 - 1):017d}"
        case "firm":
            return _firm(chance)
        case "long_text":
            return _text(chance, chance.randint(30, 120))
        case _:
            return _text(chance, chance.randint(4, 12))


def _of_item(item: Item, chance: random.Random) -> tuple[dict[str, AnswerValue], tuple[str, ...]]:
    questions = [question for page in item.pages if not page.exit for question in page.fields]
    answers = {question.id: _answer(question, chance) for question in questions}
    return answers, tuple(material.id for material in item.materials)


def _answer(question: Question, chance: random.Random) -> AnswerValue:
    if question.options and question.type == "choice":
        return chance.choice(question.options).v
    return _value("firm" if question.id == "employer" else question.type, chance)


def _wide(fields: tuple[tuple[str, str], ...], chance: random.Random) -> tuple[dict[str, AnswerValue], tuple[str, ...]]:
    return {name: _value(kind, chance) for name, kind in fields}, ("id_card", "certificate")


def _submission(
    code: str, number: int, answers: dict[str, AnswerValue], materials: tuple[str, ...], chance: random.Random
) -> Submission:
    at = _EPOCH + timedelta(seconds=number * 61, microseconds=chance.randrange(10**6))
    terminal = f"T{chance.randint(0, 999):03d}"
    moments = (at - timedelta(microseconds=chance.randrange(10**8)) for _ in itertools.count())
    proof = IdentityProof(
        method="id_card",
        card="resident",
        name=_name(chance),
        id_number=_id_number(chance),
        valid_to="长期" if chance.random() < 0.3 else f"20{chance.randint(27, 46)}-0{chance.randint(1, 9)}-15",
        read_at=next(moments),
        terminal_id=terminal,
    )
    uses = tuple(_use(name, chance, next(moments)) for name in materials)
    return Submission(
        id=mint_submission_id(unix_ms=int(at.timestamp() * 1000), random_bytes=chance.randbytes),
        application_no=str(ApplicationNumber(_REGION, at.astimezone(CHINA).date(), terminal, number % 9999 + 1)),
        query_code="".join(chance.choices("23456789", k=8)),
        item_code=code,
        item_version=chance.randint(1, 3),
        bundle=chance.randint(1, 40),
        terminal_id=terminal,
        created_at=at,
        applicant=proof,
        answers={
            name: AnswerRecord(value=value, source="id_card" if name == "address" else "citizen", at=next(moments))
            for name, value in answers.items()
        },
        materials=uses,
        consents=tuple(
            Consent(purpose=f"{code}:{use.id}", subject=use.licence_id, at=next(moments))
            for use in uses
            if use.source == "licence_library"
        ),
    )


def _use(name: str, chance: random.Random, at: datetime) -> MaterialUse:
    """Read from the card, a licence from the library, or a picture."""
    if name == "id_card":
        return MaterialUse(id=name, source="card_reader", name="居民身份证")
    if name == "housing":
        picture = chance.randbytes(32)
        return MaterialUse(
            id=name,
            source="camera",
            name="租赁合同或房产证",
            blob=hashlib.sha256(sealed_picture(picture)).hexdigest(),
            original_sha256=picture.hex(),
            media_type="image/jpeg",
            size=chance.randint(200_000, 900_000),
            captured_at=at,
        )
    licence = str(uuid.UUID(bytes=chance.randbytes(16), version=5))
    return MaterialUse(id=name, source="licence_library", name="居住证", licence_id=licence)


def sealed_picture(picture: bytes) -> bytes:
    """Stands for the sealed bytes of a picture, by the SHA-256 of the open ones."""
    return b"CWB1" + picture


def pictures(submission: Submission) -> tuple[bytes, ...]:
    """The sealed pictures of a filing, in order."""
    found = (use.original_sha256 for use in submission.materials)
    return tuple(sealed_picture(bytes.fromhex(sha256)) for sha256 in found if sha256 is not None)


def references(submission: Submission) -> tuple[BlobRef, ...]:
    """The same as an envelope's header names them."""
    return tuple(BlobRef(sha256=hashlib.sha256(blob).hexdigest(), size=len(blob)) for blob in pictures(submission))
