"""Name, bounds and lock of the package match the docs."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from importlib.metadata import distributions, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import docpipe_assets

TOP = Path(docpipe_assets.__file__).parent.parent
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text())
NAME = PROJECT["project"]["name"]
EXTRAS = PROJECT["project"]["optional-dependencies"]
SAYERS = [
    TOP / "README.md",
    TOP / "CHANGELOG.md",
    *sorted((TOP / "docs").rglob("*.md")),
    *sorted(path for path in (TOP / "deploy").rglob("*") if path.is_file()),
    *sorted((TOP / "docpipe_assets").rglob("*.py")),
]
WITH_A_VALUE = {"--constraint", "--build-constraint", "--find-links", "--wheel-dir"}


def locked() -> dict[str, str]:
    """By package, the version for this Python and this system."""
    found: dict[str, str] = {}
    for line in (TOP / "constraints.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            (pin,) = requirement.specifier
            if requirement.marker is None or requirement.marker.evaluate():
                assert pin.operator == "=="
                found[canonicalize_name(requirement.name)] = pin.version
    return found


def requirements() -> Iterator[Requirement]:
    for group in (PROJECT["project"]["dependencies"], *EXTRAS.values()):
        yield from map(Requirement, group)


def installs() -> Iterator[tuple[Path, str]]:
    """The place and the arguments of every documented `pip install`."""
    for path in SAYERS:
        text = path.read_text().replace("\\\n", " ")
        for words in re.findall(r"pip install ([^`\n\"&]+)", text):
            arguments = iter(shlex.split(words.strip(), comments=True))
            for argument in arguments:
                if argument in WITH_A_VALUE:
                    next(arguments)
                elif not argument.startswith("-"):
                    yield path, argument


def test_every_installed_package_has_its_locked_version() -> None:
    installed = {canonicalize_name(one.metadata["Name"]): one.version for one in distributions()}
    pins = locked()
    known = {name: installed[name] for name in installed if name in pins}
    assert known == {name: pins[name] for name in known}, "make install"
    assert {canonicalize_name(one.name) for one in requirements()} <= known.keys() | {canonicalize_name(NAME)}


def test_every_requirement_is_locked_within_its_bounds() -> None:
    pins = locked()
    for requirement in requirements():
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), requirement
        assert requirement.specifier, f"{requirement.name} has no lower bound"


def test_dagster_stays_below_the_next_minor_release() -> None:
    bounds = {one.name: str(one.specifier) for one in requirements() if one.name.startswith("dagster")}
    assert bounds.pop("dagster") == bounds.pop("dagster-webserver") == "<1.14,>=1.13.27"
    assert set(bounds.values()) == {"<0.30,>=0.29.27"}


def test_every_documented_pip_install_installs_this_distribution() -> None:
    found = list(installs())
    assert {path.name for path, _ in found} >= {"README.md", "deployment.md", "Dockerfile", "broker.py"}
    for path, what in found:
        if what == "/tmp/docpipe":  # the checkout inside the image
            continue
        requirement = Requirement(what)
        assert requirement.name == NAME, f"{path.name}: pip install {what}"
        assert requirement.extras <= EXTRAS.keys(), f"{path.name}: pip install {what}"


def test_the_changelog_has_a_section_for_this_version() -> None:
    text = (TOP / "CHANGELOG.md").read_text()
    assert re.search(rf"^## \[{re.escape(version(NAME))}\] - \d{{4}}-\d\d-\d\d$", text, re.M)
    groups = re.findall(r"^### (.+)$", text, re.M)
    assert set(groups) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_deployment_files_run_the_image_of_this_version() -> None:
    files = [path for path in (TOP / "deploy").rglob("*") if path.suffix in {".json", ".yaml"}]
    images = re.findall(r"image\W+docpipe:([\w.]+)", "\n".join(path.read_text() for path in files))
    assert len(images) >= len(files)
    assert set(images) == {PROJECT["project"]["version"]}


def test_the_command_and_the_package_keep_their_names() -> None:
    assert PROJECT["project"]["scripts"] == {"docpipe": "docpipe_assets.cli:app"}
