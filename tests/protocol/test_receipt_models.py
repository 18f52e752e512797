"""The table of receipt printer models: read strictly, chosen by name or by address, played by the simulator."""

from __future__ import annotations

from typing import Any

import pytest

from drivers.receipt.models import Model, Proving, by_id, by_name, catalogue, read_table
from drivers.sim.escpos_models import MAKES

ROW: dict[str, Any] = {
    "id": "any",
    "about": "Any",
    "dots": 576,
    "buffer": 4096,
    "proving": "drained",
    "source": "its manual",
}


def test_the_table_makes_sense() -> None:
    models = catalogue()
    assert models[0].names == (), "the first is for printers that are in no other row"
    assert all(model.source and model.about for model in models)
    assert {model.dots for model in models} == {384, 512, 576}
    assert {model.proving for model in models} == set(Proving)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("TM-T88V", "epson-512"),
        ("TM-T82II", "epson-576"),
        ("XP-80C", "clone-80"),
        ("POS-58II", "clone-58"),
        ("VKP80III", "custom-presenter"),
        ("", "generic-80"),
        ("LX-350", "generic-80"),
        ("tm-t88v", "generic-80"),
    ],
)
def test_a_name_finds_its_row(name: str, model: str) -> None:
    assert by_name(name).id == model


@pytest.mark.parametrize("model", catalogue(), ids=lambda model: model.id)
def test_every_row_is_found_by_its_id_and_played_by_a_make(model: Model) -> None:
    assert by_id(model.id) is model
    if model.proving is not Proving.FOUND_OUT:
        make = MAKES[model.id]
        said = model.proving is Proving.PROCESS_ID, model.sensor, model.status_back, model.recall, model.cutter
        assert said == (make.process_id, make.sensor, make.status_back, make.recall, make.cutter)
        assert (model.dots, model.buffer, model.near_end) == (make.dots, make.buffer, make.near_end)
        assert (bool(model.mouth), model.identifies) == (make.presenter, bool(make.name))


def test_an_id_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="'typewriter' is not in the table"):
        by_id("typewriter")


def test_a_row_with_nothing_but_what_is_needed() -> None:
    (model,) = read_table({"model": [ROW]})
    assert (model.cutter, model.near_end, model.status_back, model.recall, model.mouth.value) == (True,) * 4 + ("",)
    assert model.row_bytes == 72


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [ROW, ROW],
        [{}],
        [ROW | {"colour": "red"}],
        [ROW | {"dots": 570}],
        [ROW | {"dots": 0}],
        [ROW | {"dots": 2048}],
        [ROW | {"dots": 576.0}],
        [ROW | {"buffer": 16}],
        [ROW | {"cutter": "yes"}],
        [ROW | {"proving": "faith"}],
        [ROW | {"mouth": "wide"}],
        [ROW | {"sensor": False}],
        [{key: value for key, value in ROW.items() if key != "source"}],
    ],
)
def test_rows_that_make_no_sense(rows: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match="model"):
        read_table({"model": rows})
