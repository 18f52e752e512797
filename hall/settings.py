"""The hall's settings, `hall.toml` in its data directory: who it is and how its departments behave."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class SettingsError(ValueError):
    """hall.toml cannot be used; the message says where."""


class HallSettings(BaseModel):
    """Everything that may differ between two halls."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    region: str = Field(default="440604", pattern=r"^\d{6}$")
    name: str = "禅城区网上办事大厅"
    tls_names: tuple[str, ...] = ("127.0.0.1", "localhost")
    """Host names and addresses that the server certificate is good for."""
    decide_after_s: float = Field(default=4.0, ge=0)
    """How long the simulated departments think."""
    terminal_certificate_days: float = Field(default=90, gt=0)
    """Terminals renew theirs after two thirds of this time (证书续期)."""
    person_session_s: int = Field(default=900, ge=60)
    """How long one reading of a card opens a citizen's own matters."""
    backlog_items_s: float = Field(default=500.0, gt=0)
    """Submissions a second taken from backlogs after an outage; terminals are told when their turn is."""

    correction_days: int = Field(default=5, ge=1)
    """补正: working days that a citizen has, where the item says nothing."""
    correction_grace_h: float = Field(default=12.0, ge=0)
    """A case is closed so many hours later: what she filed in time may still lie in an offline terminal (P53)."""
    correction_awaits_h: float = Field(default=72.0, ge=0)
    """How long a correction may wait for the case that it corrects, which may lie in another terminal."""

    def toml(self) -> str:
        """As written by `hall init`."""
        names = ", ".join(f'"{name}"' for name in self.tls_names)
        return (
            f'region = "{self.region}"\nname = "{self.name}"\n'
            f"tls_names = [{names}]\ndecide_after_s = {self.decide_after_s}\n"
            f"person_session_s = {self.person_session_s}\n"
        )


def load_settings(path: Path) -> HallSettings:
    """Defaults where the file is silent; SettingsError."""
    try:
        return HallSettings.model_validate(tomllib.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return HallSettings()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path.name} is not TOML: {error}") from None
    except ValidationError as error:
        where = ", ".join(".".join(map(str, fault["loc"])) for fault in error.errors())
        raise SettingsError(f"{path.name}: wrong or unknown: {where}") from None
