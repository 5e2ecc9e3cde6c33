"""The files that deploy the project, as far as they can be checked without a Docker engine.

The compose files are held against the published specification, and what matters is read from them.
"""

import http.server
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import click
import pytest
import yaml

from goods.cli import main

ROOT = Path(__file__).parents[1]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
QDRANT = COMPOSE["services"]["qdrant"]
GPU = yaml.safe_load((ROOT / "deploy/compose.gpu.yml").read_text())
COMMANDS = {name: COMPOSE["services"][name] for name in ("ingest", "search", "serve")}
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("vendor.compose-spec", "docker-compose.yml"),
        ("vendor.compose-spec", "deploy/compose.gpu.yml"),
        ("vendor.github-workflows", ".github/workflows/ci.yml"),
    ],
)
def test_files_keep_to_their_published_schema(schema: str, file: str) -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, file]
    run = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


# Qdrant


def test_the_server_is_one_pinned_release() -> None:
    assert re.fullmatch(r"qdrant/qdrant:v\d+\.\d+\.\d+", QDRANT["image"])


def test_the_server_listens_on_this_machine_only() -> None:
    assert QDRANT["ports"] == ["127.0.0.1:6333:6333", "127.0.0.1:6334:6334"]
    published = [port for service in COMMANDS.values() for port in service.get("ports", ())]
    assert published == ["127.0.0.1:8000:8000"]


@pytest.mark.parametrize("name", ["QDRANT__SERVICE__API_KEY", "QDRANT__SERVICE__READ_ONLY_API_KEY"])
def test_the_server_refuses_to_start_without_its_keys(name: str) -> None:
    assert QDRANT["environment"][name].startswith(f"${{{name}:?")
    assert re.search(rf"^{name}=$", (ROOT / ".env.example").read_text(), re.MULTILINE)


def test_keys_are_neither_committed_nor_sent_to_the_image() -> None:
    assert ".env" in (ROOT / ".gitignore").read_text().split()
    assert not in_build_context(".env")


def test_the_server_is_closed_where_its_defaults_are_open() -> None:
    settings = yaml.safe_load((ROOT / "deploy/qdrant/config.yaml").read_text())
    assert settings["telemetry_disabled"] is True
    assert settings["service"] == {"enable_cors": False, "enable_snapshot_url_recovery": False}
    strict_mode = settings["storage"]["collection"]["strict_mode"]
    assert strict_mode["enabled"] is True
    assert strict_mode["unindexed_filtering_retrieve"] is False


def test_data_outlives_the_container() -> None:
    kept = dict(volume.split(":")[:2] for volume in QDRANT["volumes"])
    assert kept["qdrant-storage"] == "/qdrant/storage"
    assert kept["qdrant-snapshots"] == "/qdrant/snapshots"
    assert (ROOT / "deploy/qdrant/config.yaml").is_file()
    assert kept["./deploy/qdrant/config.yaml"] == "/qdrant/config/local.yaml"


class Readiness(http.server.BaseHTTPRequestHandler):
    """Answers /readyz as a Qdrant server does: 200 when every shard is ready, else 503."""

    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/readyz" else 404)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[http.server.ThreadingHTTPServer]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Readiness) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def is_healthy(port: int) -> bool:
    """What the health check of the compose file says of a server on this port."""
    kind, *command = QDRANT["healthcheck"]["test"]
    assert kind == "CMD"
    command = [part.replace("$$", "$").replace("6333", str(port)) for part in command]
    return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode == 0


def test_the_health_check_waits_until_the_server_is_ready(
    server: http.server.ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_healthy(server.server_port)
    monkeypatch.setattr(Readiness, "status", 503)
    assert not is_healthy(server.server_port)


def test_the_health_check_fails_where_nothing_listens() -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), Readiness) as server:
        port = server.server_port
    assert not is_healthy(port)


# The goods commands


def test_the_commands_wait_for_a_healthy_server() -> None:
    for service in COMMANDS.values():
        assert service["depends_on"] == {"qdrant": {"condition": "service_healthy"}}


def test_only_ingest_may_write_to_the_index() -> None:
    keys = {name: COMMANDS[name]["environment"]["GOODS_QDRANT_API_KEY"] for name in COMMANDS}
    assert keys == {
        "ingest": "${QDRANT__SERVICE__API_KEY}",
        "search": "${QDRANT__SERVICE__READ_ONLY_API_KEY}",
        "serve": "${QDRANT__SERVICE__READ_ONLY_API_KEY}",
    }


def test_catalog_and_model_are_mounted_read_only() -> None:
    for service in COMMANDS.values():
        folders = [volume for volume in service["volumes"] if volume.startswith("${")]
        assert folders
        assert all(folder.endswith(":ro") for folder in folders)


def test_named_volumes_are_declared() -> None:
    mounts = [m for service in COMPOSE["services"].values() for m in service["volumes"]]
    named = {mount.partition(":")[0] for mount in mounts if mount[0].isalpha()}
    assert named == COMPOSE["volumes"].keys()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_and_setting_of_a_service_is_one_of_its_command(name: str) -> None:
    service = COMMANDS[name]
    program, verb, *arguments = service["entrypoint"]
    command = main.get_command(click.Context(main), verb)
    assert (program, verb) == ("goods", name)
    assert command is not None
    flags = {flag for option in command.params for flag in option.opts}
    assert {argument for argument in arguments if argument.startswith("-")} <= flags
    on_gpu = GPU["services"].get(name, {}).get("environment", {})
    assert {*service["environment"], *on_gpu} <= {option.envvar for option in command.params}


# The image


def copied() -> list[str]:
    lines = [line.split()[1:-1] for line in DOCKERFILE.splitlines() if line.startswith("COPY ")]
    return [source for line in lines if not line[0].startswith("--from") for source in line]


def in_build_context(path: str) -> bool:
    """Whether .dockerignore lets a path of the root through: the last pattern that fits decides."""
    passes = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!")
        if line and not line.startswith("#") and fnmatch(path, pattern):
            passes = line.startswith("!")
    return passes


def test_the_image_is_built_from_files_that_exist_and_are_sent() -> None:
    for service in COMMANDS.values():
        assert (ROOT / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
    assert {"goods", "model", "ingest", "search", "constraints.txt"} <= set(copied())
    assert all((ROOT / source).exists() and in_build_context(source) for source in copied())


def test_the_image_runs_as_an_ordinary_user() -> None:
    users = re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE)
    assert users
    assert users[-1] not in {"root", "0"}
