"""The image's recipe says what the workspace is; no engine is needed to compare them."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
DOCKERFILE = (ROOT / "deploy" / "image" / "Dockerfile").read_text()


def test_it_installs_with_the_uv_that_the_makefile_installs_with() -> None:
    (version,) = re.findall(r"^UV_VERSION := (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert f"uv=={version}" in DOCKERFILE


def test_it_installs_a_member_that_needs_every_service() -> None:
    (package,) = re.findall(r"--package (\S+)", DOCKERFILE)
    project = tomllib.loads((ROOT / "libs" / "cli" / "pyproject.toml").read_text())["project"]
    services = {path.name.replace("_", "-") for path in (ROOT / "services").iterdir()}

    assert project["name"] == package
    assert {f"careline-{service}" for service in services} <= set(project["dependencies"])


def test_the_environment_is_made_where_the_image_runs_it() -> None:
    (made,) = re.findall(r"UV_PROJECT_ENVIRONMENT=(\S+)", DOCKERFILE)

    assert f"COPY --from=build {made} {made}\n" in DOCKERFILE
    assert f'ENTRYPOINT ["{made}/bin/python"]' in DOCKERFILE


def test_everything_it_copies_is_there() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)

    assert copied
    for names in copied:
        assert all((ROOT / name).exists() for name in names.split())
