from __future__ import annotations

import hashlib
import subprocess
import sys
from typing import TYPE_CHECKING

from sfa_kernel import audio

if TYPE_CHECKING:
    from pathlib import Path


def test_the_package_imports_nothing_heavy() -> None:
    script = (
        "import sys, sfa_kernel.audio\n"
        "print(*({'scipy', 'soundfile', 'av', 'soxr', 'numba', 'tinytag'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""


def test_reading_wav_needs_no_ffmpeg(files: dict[str, Path]) -> None:
    script = "import sys; from sfa_kernel.audio import decode; decode(sys.argv[1]); print('av' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", script, str(files["wav"])], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_the_public_names_exist() -> None:
    assert all(hasattr(audio, name) for name in audio.__all__)
    assert sorted(audio.__all__) == audio.__all__


def test_the_hash_is_that_of_the_bytes(tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000
    (tmp_path / "a").write_bytes(content)
    assert audio.content_hash(tmp_path / "a") == hashlib.sha256(content).hexdigest()


def test_suffixes_are_lower_case_with_a_dot() -> None:
    assert {".wav", ".aiff", ".flac", ".mp3", ".ogg", ".opus", ".m4a"} <= audio.AUDIO_SUFFIXES
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in audio.AUDIO_SUFFIXES)
