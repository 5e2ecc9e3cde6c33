"""The shape of the project: which package knows which, and what the command line promises."""

import ast
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from goods.cli import main

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "goods": {"goods"},
    "model": {"goods", "model"},
    "ingest": {"goods", "model", "ingest"},
    "search": {"goods", "model", "search"},
}
LOOK_UPWARD = ("goods/cli.py", "goods/demo")
HEAVY = {"numpy", "pandas", "pyarrow", "qdrant_client", "qdrant_edge", "torch", "transformers"}
MAX_HELP_S = 0.3


def sources() -> list[str]:
    files = (path for package in MAY_IMPORT for path in (ROOT / package).rglob("*.py"))
    return sorted(path.relative_to(ROOT).as_posix() for path in files)


def packages_imported(code: str) -> set[str]:
    """The packages of ours that this code imports, wherever in it."""
    return {name.partition(".")[0] for name in modules_imported(code)} & MAY_IMPORT.keys()


def modules_imported(code: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


@pytest.mark.parametrize(
    ("code", "packages"),
    [
        ("import goods.index", {"goods"}),
        ("def late():\n    from model.encoder import load_encoder", {"model"}),
        ("import torch, ingest as worker, search.client", {"ingest", "search"}),
        ("from .search import client\nimport searching", set()),
    ],
)
def test_imports_are_seen_wherever_they_stand(code: str, packages: set[str]) -> None:
    assert packages_imported(code) == packages


@pytest.mark.parametrize("source", sources())
def test_arrows_between_packages_run_one_way(source: str) -> None:
    if source.startswith(LOOK_UPWARD):
        return
    allowed = MAY_IMPORT[source.partition("/")[0]]
    assert packages_imported((ROOT / source).read_text()) <= allowed


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda p: p.name)
def test_benchmarks_import_what_there_is(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and packages_imported(ast.unparse(node)):
            module = import_module(str(node.module))
            for alias in node.names:
                if not hasattr(module, alias.name):
                    import_module(f"{node.module}.{alias.name}")


def command_lines() -> list[str]:
    return [source[:-3].replace("/", ".") for source in sources() if source.endswith("/cli.py")]


def run_python(code: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return run.stdout


def test_command_lines_start_without_heavy_libraries() -> None:
    imports = f"import sys, {', '.join(command_lines())}"
    assert run_python(f"{imports}; print(*({HEAVY!r} & sys.modules.keys()))").split() == []


def processor_s_of_help() -> float:
    """Processor seconds that `goods --help` takes: other work on the machine does not count."""
    before = os.times()
    text = run_python("from goods.cli import main; main(['--help'])")
    after = os.times()
    assert "Usage" in text
    used = (after.children_user, after.children_system)
    return sum(used) - before.children_user - before.children_system


def test_help_answers_at_once() -> None:
    assert min(processor_s_of_help() for _ in range(5)) < MAX_HELP_S


def commands() -> dict[str, click.Command]:
    """Every command by what people type."""
    context = click.Context(main, info_name="goods")
    verbs = {name: main.get_command(context, name) for name in main.list_commands(context)}
    return {f"goods {name}": command for name, command in verbs.items()}


def test_every_command_says_what_it_does_and_gives_an_example() -> None:
    for name, command in commands().items():
        assert command.help, name
        assert (command.epilog or "").startswith(f"Example: {name} "), name


def options() -> Iterator[tuple[str, click.Option]]:
    for name, command in commands().items():
        for option in command.params:
            if isinstance(option, click.Option):
                yield f"{name} {option.opts[0]}", option


def test_every_option_is_explained() -> None:
    assert [name for name, option in options() if not option.help] == []


def test_every_environment_variable_is_shown_in_help() -> None:
    hidden = [name for name, option in options() if option.envvar and not option.show_envvar]
    assert hidden == []


def test_a_verb_that_is_misspelt_is_named() -> None:
    result = CliRunner().invoke(main, ["serach", "red dress"])
    assert result.exit_code == 2
    assert "No such command 'serach'; did you mean search?" in result.stderr
    assert "did you mean" not in CliRunner().invoke(main, ["xyzzy"]).stderr


@pytest.mark.parametrize(("verb", "way_on"), [("train", "--resume"), ("ingest", "same command")])
def test_an_interrupt_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, verb: str, way_on: str
) -> None:
    def interrupted(**options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(commands()[f"goods {verb}"], "callback", interrupted)
    given = ["--catalog", "shop.csv", *(["--out", "model"] if verb == "train" else [])]
    result = CliRunner().invoke(main, [verb, *given])
    assert result.exit_code == 1
    assert "stopped; " in result.stderr
    assert way_on in result.stderr
    assert "Aborted!" in result.stderr


def test_the_hub_client_says_everything_once(monkeypatch: pytest.MonkeyPatch) -> None:
    client = logging.getLogger("huggingface_hub")
    monkeypatch.setattr(client, "propagate", True)
    CliRunner().invoke(main, ["schema", "--help"])
    assert not client.propagate
