"""graphql-core's own tests of execution, run against the hub's executor."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tarfile
from importlib import metadata
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
_INSTALL_SECONDS = 120
#: What is delivered in parts runs by strawberry's own executor, never by a plan.
_NOT_OURS = "tests/execution/incremental"

pytestmark = pytest.mark.conformance_long


@pytest.fixture(scope="session")
def suite(request) -> Path:
    """The folder of graphql-core's source distribution: the version and hash of our lock."""
    version = metadata.version("graphql-core")
    folder = request.config.cache.mkdir(f"graphql-core-{version}")
    source = folder / f"graphql_core-{version}.tar.gz"
    if not source.exists():
        wanted = ("--no-deps", "--no-binary", "graphql-core", f"graphql-core=={version}")
        command = (sys.executable, "-m", "pip", "download", "--quiet", *wanted, "-d", folder)
        done = subprocess.run(  # noqa: S603 - our own
            list(map(str, command)),
            capture_output=True,
            text=True,
            check=False,
            timeout=_INSTALL_SECONDS,
        )
        if done.returncode:
            pytest.skip(f"graphql-core's tests cannot be had: {done.stderr.strip()[-200:]}")
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    assert f"sha256:{digest}" in (ROOT / "requirements.lock").read_text()
    with tarfile.open(source) as packed:
        packed.extractall(folder, filter="data")
    return folder / f"graphql_core-{version}"


async def test_graphql_cores_own_tests_of_execution_hold_of_the_hubs_executor(
    suite, ran, python, tmp_path
):
    plugins = python.parents[1] / f"lib/{python.resolve().name}/site-packages"
    (tmp_path / "pytest_describe").symlink_to(plugins / "pytest_describe")

    said = await ran(
        *(sys.executable, "-m", "pytest", "-q", "-c", suite / "pyproject.toml", "-o", "addopts="),
        *("-p", "plugin", "-p", "pytest_describe.plugin", "-p", "no:cacheprovider"),
        *("-W", "ignore", f"--ignore={suite / _NOT_OURS}", suite / "tests/execution"),
        may_fail=True,
        PYTHONPATH=f"{HERE}:{tmp_path}:{ROOT}",
    )

    assert re.search(r"^\d{3,} passed, \d+ xfailed", said, re.MULTILINE), said[-5000:]
    # Had nothing been compiled, they would say nothing of that.
    assert int(re.search(r"compiled functions called: (\d+)", said)[1]) > 100
