"""Search by everyday names, pinyin, initials and sound; fast on a real district's catalogue."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.services.search import Entry, SearchIndex, normal

ENTRIES = (
    Entry("A", "居住证签注", ("暂住证年审", "居住证续签")),
    Entry("B", "社保参保证明", ("社保证明", "打社保")),
    Entry("C", "12345咨询", ("投诉", "政务热线")),
    Entry("D", "户口注销"),
    Entry("E", "户口登记", ("上户口",)),
    Entry("F", "社会保障卡补办", ("社保卡丢了", "补社保卡")),
    Entry("G", "社会保障卡挂失", ("社保卡丢了怎么办",)),
    Entry("H", "老年人优待证办理"),
)
INDEX = SearchIndex(ENTRIES)


@pytest.mark.parametrize(
    ("query", "code", "why"),
    [
        ("居住证", "A", ""),
        ("暂住证", "A", "暂住证年审"),
        ("暂住证 到期", "A", "暂住证年审"),
        ("我想续签居住证", "A", "居住证续签"),
        ("jzz", "A", ""),
        ("juzhuzheng", "A", ""),
        ("ju zhu", "A", ""),
        ("JuZhuZ", "A", ""),
        ("居住zheng", "A", ""),
        ("juzuzen", "A", ""),
        ("居主证", "A", ""),
        ("打社保", "B", "打社保"),
        ("dashebao", "B", "打社保"),
        ("１２３４５", "C", ""),
        ("12345", "C", ""),
        ("投诉", "C", "投诉"),
        ("注销户口", "D", ""),
        ("户口登记", "E", ""),
        ("社保卡挂失", "G", ""),
        ("社保卡补办", "F", ""),
        ("laonianren", "H", ""),
        ("naonianren", "H", ""),
        ("laonianrem youdaizheng", "H", ""),
    ],
)
def test_the_first_find_is_the_one_meant(query, code, why):
    first = INDEX.find(query)[0]
    assert (first.code, first.why) == (code, why)


@pytest.mark.parametrize("query", ["", "   ", "、。！", "zzzzzzzz", "🙂", "飞船驾照"])
def test_nothing_is_found_for_nothing(query):
    assert INDEX.find(query) == ()


def test_an_item_is_listed_once_and_the_list_is_short():
    hits = INDEX.find("社保", limit=2)
    assert len(hits) == len({hit.code for hit in hits}) == 2


@given(st.text(max_size=60))
def test_any_text_is_answered(text):
    hits = INDEX.find(text)
    assert len(hits) <= 8
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert len(normal(text)) <= 40


@given(st.sampled_from(ENTRIES))
def test_everything_is_found_by_its_own_name_and_aliases(entry):
    for name in (entry.name, *entry.aliases):
        assert INDEX.find(name)[0].code == entry.code


def test_a_real_catalogue_is_searched_while_she_types(shared_data):
    names = [entry["name"] for entry in json.loads((shared_data / "item_names.json").read_text())]
    index = SearchIndex(Entry(str(at), name) for at, name in enumerate(names))
    found = {query: [names[int(hit.code)] for hit in index.find(query)] for query in ("居住证", "jzz", "juzhuzheng")}
    assert all("居住证办理" in result[:3] for result in found.values())
    queries = ["护", "护照", "putonghuzhao", "hz", "教师资格证补办怎么弄", "shenfengzheng", "低保"] * 5
    took = []
    for query in queries:
        begun = time.process_time()
        index.find(query)
        took.append(time.process_time() - begun)
    # Meant: under 5 ms; CPU time on a shared machine is allowed a good deal more.
    assert sorted(took)[len(took) // 2] < 0.02
