"""How `make` fills the environment that everything runs in."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def make(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    # A make that runs these tests hands its own settings down: they are not part of the test.
    settings = {"MAKEFLAGS", "MAKELEVEL", "PYTHON", "TORCH_INDEX"}
    environ = {name: value for name, value in os.environ.items() if name not in settings}
    return subprocess.run(
        ["make", *arguments], cwd=cwd, env=environ, capture_output=True, text=True, check=False
    )


def test_an_old_python_is_refused_in_one_sentence(tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    old = tmp_path / "python3.9"
    pretend = "import sys; sys.version_info = (3, 9, 18); exec(sys.argv[1])"
    old.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{pretend}' \"$2\"\n")
    old.chmod(0o755)

    run = make("demo", f"PYTHON={old}", cwd=tmp_path)

    assert run.returncode != 0
    assert f"goods needs Python 3.11 or newer, and {old} is 3.9" in run.stderr
    assert not (tmp_path / ".venv").exists()


def test_torch_can_come_from_another_index() -> None:
    index = "https://download.pytorch.org/whl/cpu"
    for target in ("demo", "test"):
        install = make("--dry-run", "--always-make", target, f"TORCH_INDEX={index}").stdout
        assert f"--extra-index-url {index}" in install
    assert "--extra-index-url" not in make("--dry-run", "--always-make", "demo").stdout


def test_ci_runs_the_tests_and_nothing_else() -> None:
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    assert script.read_text().splitlines()[-1] == "exec make test"


def requirements() -> Iterator[str]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
    yield from project["project"]["dependencies"]
    yield from project["dependency-groups"]["dev"]


def test_every_dependency_is_pinned() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line.split("==") for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.]+", version) for _, version in pins), "no local labels, no paths"
    names = {re.split(r"[^\w.-]", requirement)[0].lower() for requirement in requirements()}
    assert names <= {name.lower().replace("_", "-") for name, _ in pins}
