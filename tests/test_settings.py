from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sfa_kernel.errors import SetupError
from sfa_kernel.settings import load_settings, user_file

if TYPE_CHECKING:
    from pathlib import Path


def write(text: str) -> None:
    user_file().parent.mkdir(parents=True, exist_ok=True)
    user_file().write_text(text, encoding="utf-8")


def test_the_environment_wins_over_the_users_file_and_the_file_over_the_defaults(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write('home = "/from/file"\nbusy_timeout = 3\nanalysis_limit = 5\n')
    monkeypatch.setenv("SFA_HOME", str(tmp_path))
    monkeypatch.setenv("SFA_RUN_JOBS", "no")
    settings = load_settings()
    assert (settings.home, settings.run_jobs) == (tmp_path, False)
    assert (settings.busy_timeout, settings.analysis_limit, settings.separation_limit) == (3.0, 5, 2)


def test_a_named_home_wins_over_everything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SFA_HOME", "/elsewhere")
    assert load_settings(home=tmp_path / "mine").home == tmp_path / "mine"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("volume = 11", "Unknown setting 'volume'"),
        ('busy_timeout = "soon"', "must be of type float"),
        ("run_jobs = 1", "must be of type bool"),
        ("run_jobs =", "cannot be read"),
    ],
)
def test_a_wrong_settings_file_is_refused_with_the_reason(text: str, said: str) -> None:
    write(text)
    with pytest.raises(SetupError, match=said):
        load_settings()


@pytest.mark.parametrize(("variable", "value"), [("SFA_RUN_JOBS", "maybe"), ("SFA_ANALYSIS_LIMIT", "many")])
def test_a_wrong_variable_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SetupError, match=variable):
        load_settings()
