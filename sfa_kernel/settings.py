"""Settings: the packaged defaults, then the user's file, then the environment."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any

from sfa_kernel.errors import SetupError

__all__ = ["Settings", "load_settings", "user_file"]


@dataclass(frozen=True)
class Settings:
    """The settings in force; ``defaults.toml`` says what each means."""

    home: Path
    busy_timeout: float
    run_jobs: bool
    backend: str
    dask_address: str
    download_limit: int
    lookup_limit: int
    import_limit: int
    separation_limit: int
    analysis_limit: int
    cloud_limit: int
    export_limit: int
    webhooks_limit: int
    maintenance_limit: int
    separation_engine: str
    separation_model: str
    separation_device: str
    weights_dir: str
    weights_url: str
    lalal_url: str
    lalal_delete_source: bool
    import_roots: str
    spotify_url: str
    spotify_accounts_url: str
    downloads_allowed: bool
    spotdl_command: str
    yt_dlp_command: str
    tools_dir: str
    download_format: str
    analysis_time_limit: float
    separation_time_limit: float
    heartbeat_timeout: float
    job_retention: float
    trash_retention: float
    event_retention: float
    webhooks_private: bool

    @property
    def weights_folder(self) -> Path:
        """Folder of the models' weights."""
        if self.weights_dir:
            return Path(self.weights_dir).expanduser().absolute()
        from platformdirs import user_data_path

        return user_data_path("sfa") / "weights"

    @property
    def tools_folder(self) -> Path:
        """Folder of the programs that `sfa tools install` sets up."""
        if self.tools_dir:
            return Path(self.tools_dir).expanduser().absolute()
        from platformdirs import user_data_path

        return user_data_path("sfa") / "tools"

    @property
    def import_folders(self) -> list[Path]:
        """The folders in which a page may name files, links in them resolved."""
        return [Path(part).expanduser().resolve() for part in self.import_roots.split(os.pathsep) if part.strip()]


def user_file() -> Path:
    """Path of the user's settings file, which need not exist."""
    from platformdirs import user_config_path

    return user_config_path("sfa") / "settings.toml"


def load_settings(*, home: str | os.PathLike[str] | None = None) -> Settings:
    """Read the settings.

    Parameters
    ----------
    home
        Overrides the library's folder, whatever files and environment say.

    Raises
    ------
    SetupError
        When a file cannot be read, or a value is unknown or of the wrong kind.
    """
    values = tomllib.loads(resources.files("sfa_kernel").joinpath("defaults.toml").read_text("utf-8"))
    defaults = dict(values)
    values.update(_checked(_read(user_file()), defaults, source=str(user_file())))
    from_environment = {
        name: _parse(os.environ[variable], default, variable)
        for name, default in defaults.items()
        if (variable := f"SFA_{name.upper()}") in os.environ
    }
    values.update(from_environment)
    if home is not None:
        values["home"] = os.fspath(home)
    if not values["home"]:
        from platformdirs import user_data_path

        values["home"] = user_data_path("sfa")
    values["home"] = Path(values["home"]).expanduser().absolute()
    return Settings(**{field.name: values[field.name] for field in fields(Settings)})


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SetupError(f"The settings file {path} cannot be read: {error}.", hint="Correct or remove it.") from error


def _checked(values: dict[str, Any], defaults: dict[str, Any], *, source: str) -> dict[str, Any]:
    for name, value in values.items():
        if name not in defaults:
            raise SetupError(f"Unknown setting {name!r} in {source}.", hint=f"Known: {', '.join(defaults)}.")
        default = defaults[name]
        if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
            values[name] = float(value)
        elif type(value) is not type(default):
            kind = type(default).__name__
            raise SetupError(f"Setting {name!r} in {source} must be of type {kind}, not {value!r}.")
    return values


def _parse(text: str, default: Any, variable: str) -> Any:
    try:
        if isinstance(default, bool):
            return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[text.lower()]
        return type(default)(text)
    except (KeyError, ValueError):
        kind = "yes or no" if isinstance(default, bool) else f"of type {type(default).__name__}"
        raise SetupError(f"{variable}={text!r} is not usable: it must be {kind}.") from None
