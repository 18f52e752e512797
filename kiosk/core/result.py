"""Result for the expected; the unexpected ends the process."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T", covariant=True)
E = TypeVar("E", covariant=True)


@dataclass(frozen=True, slots=True)
class Ok(Generic[T]):
    """It worked."""

    value: T


@dataclass(frozen=True, slots=True)
class Err(Generic[E]):
    """It did not, in a way that was foreseen."""

    error: E


Result = Ok[T] | Err[E]


def first_error(results: Iterable[Result[object, E]]) -> Result[None, E]:
    """Of steps that were all done, the first that did not work; Ok if there is none."""
    return next((each for each in results if isinstance(each, Err)), Ok(None))
