"""What is installed, and how it is named: nobody else claims our top-level names."""

from __future__ import annotations

import importlib.metadata
import tomllib

import pytest

LOCKS = ("requirements.lock", "requirements-dev.lock")


def test_no_installed_distribution_claims_a_top_level_name_of_ours(root):
    ours = {path.parent.name for path in root.glob("*/__init__.py")} | {"server", "settings"}
    claimed = importlib.metadata.packages_distributions()

    assert {"schema", "models", "resolvers", "connectors", "eligibility"} <= ours
    assert {name: claimed[name] for name in ours if set(claimed.get(name, ())) - {"greenway"}} == {}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_every_distribution_by_hash_and_names_no_index(root, lock):
    text = (root / lock).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]

    pinned = [line for line in lines if not line.startswith(" ")]
    assert len(pinned) > 20
    assert all("==" in line and line.endswith("\\") for line in pinned)
    assert all(line.strip().startswith("--hash=sha256:") for line in lines if line[0] == " ")
    assert "://" not in text
    assert "index-url" not in "\n".join(lines)


def test_every_dependency_is_locked(root):
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = [
        one.split(">=")[0].split("[")[0].replace(".", "-")
        for one in (*project["dependencies"], *project["optional-dependencies"]["dev"])
    ]
    text = "".join((root / lock).read_text(encoding="utf-8") for lock in LOCKS)

    assert [name for name in names if f"\n{name}==" not in text] == []


def test_every_package_of_ours_is_in_the_wheel(root):
    named = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    packages = {
        str(path.parent.relative_to(root)).replace("/", ".")
        for path in root.glob("*/**/__init__.py")
        if not path.relative_to(root).parts[0].startswith((".", "tests", "benchmarks", "web"))
    }

    assert packages <= set(named["setuptools"]["packages"])
