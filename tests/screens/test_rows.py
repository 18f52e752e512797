"""The list model keeps what stays, whatever the services send."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QModelIndex
from PySide6.QtTest import QAbstractItemModelTester

from screens.viewmodels.base import Rows


@dataclass(frozen=True, slots=True)
class Row:
    key: str
    some_value: int


rows = st.lists(st.builds(Row, st.sampled_from("abcdef"), st.integers(0, 3)), max_size=7)


@given(steps=st.lists(rows, max_size=6))
def test_the_model_always_holds_the_last_rows(steps: list[list[Row]]) -> None:
    model = Rows(Row)
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal, model)
    for step in steps:
        model.replace(step)
        assert model.rows == tuple(step)
        assert model.rowCount() == len(step)
        roles = {bytes(name.data()).decode(): role for role, name in model.roleNames().items()}
        for number, row in enumerate(step):
            assert model.data(model.index(number, 0), roles["someValue"]) == row.some_value


def test_a_row_that_stays_is_not_rebuilt() -> None:
    model = Rows(Row)
    model.replace([Row("a", 1), Row("c", 1)])
    resets: list[int] = []
    inserted: list[int] = []
    changed: list[int] = []

    def on_reset() -> None:
        resets.append(1)

    def on_insert(_parent: QModelIndex, first: int, _last: int) -> None:
        inserted.append(first)

    def on_change(first: QModelIndex) -> None:
        changed.append(first.row())

    model.modelReset.connect(on_reset)
    model.rowsInserted.connect(on_insert)
    model.dataChanged.connect(on_change)
    model.replace([Row("a", 1), Row("b", 1), Row("c", 2)])
    assert (resets, inserted, changed) == ([], [1], [2])
