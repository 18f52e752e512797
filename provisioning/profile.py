"""Reads a terminal's profile (终端档案, `machine.toml`) with errors that a technician can act on."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from kiosk.core.profile import DataLayout, Profile

SCHEMA = 1


class ProfileError(ValueError):
    """The profile cannot be used; every fault is on a line of its own."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A profile and where its data lies."""

    profile: Profile
    data: Path

    @property
    def layout(self) -> DataLayout:
        """Names inside the data directory."""
        return DataLayout(self.data)


def parse_profile(text: str) -> Profile:
    """Check the text of a profile; ProfileError."""
    try:
        profile = Profile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"not TOML: {error}") from None
    except ValidationError as error:
        raise ProfileError(
            "\n".join(_words(fault["loc"], fault["type"], fault["msg"]) for fault in error.errors())
        ) from None
    if profile.schema_version != SCHEMA:
        raise ProfileError(f"schema: is {profile.schema_version}, this program reads {SCHEMA}")
    return profile


def load_profile(path: Path) -> Machine:
    """Read a profile file; its data directory is taken relative to it. ProfileError."""
    try:
        profile = parse_profile(path.read_text("utf-8"))
    except OSError as error:
        raise ProfileError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ProfileError(f"{path}: is not UTF-8") from None
    except ProfileError as error:
        raise ProfileError("\n".join(f"{path}: {line}" for line in str(error).splitlines())) from None
    return Machine(profile, (path.parent / profile.data).resolve())


def _words(place: tuple[int | str, ...], kind: str, message: str) -> str:
    where = ".".join(map(str, place)) or "document"
    match kind:
        case "missing":
            return f"{where}: is missing"
        case "extra_forbidden":
            return f"{where}: no such setting"
        case _:
            return f"{where}: {message}"
