"""What is installed in a folder, and whether what it asks for is there. Used while an environment is made, not by tasks."""

from __future__ import annotations

import importlib
import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Distribution:
    """One installed package: its normalized name, version, and the folder with its metadata."""

    __slots__ = ("folder", "name", "version")

    def __init__(self, name: str, version: str, folder: str) -> None:
        self.name = name
        self.version = version
        self.folder = folder


class Broken:
    """A requirement that what is there does not meet."""

    def __init__(self, name: str, by: Distribution, requirement: Any, version: str | None) -> None:
        self.name = name
        self._by = by
        self._requirement = requirement
        self._version = version

    def __str__(self) -> str:
        there = "there is none" if self._version is None else f"there is {self._version}"
        return f"{self._by.name} {self._by.version} asks for {self._requirement} and {there}"


def normalize(name: str) -> str:
    """As the index does."""
    return re.sub(r"[-_.]+", "-", name).lower()


def list_distributions(packages: str) -> dict[str, Distribution]:
    """By normalized name."""
    found = {}
    for entry in os.listdir(packages):
        stem, extension = os.path.splitext(entry)
        if extension != ".dist-info":
            continue
        name, _, version = stem.rpartition("-")
        found[normalize(name)] = Distribution(normalize(name), version, os.path.join(packages, entry))
    return found


def parse_requirement(line: str) -> Any:
    """None for a wheel's path and for addresses without a name."""
    text = line.partition(" --hash")[0]
    try:
        return _requirements().Requirement(text)
    except ValueError:
        return None


def name_of_line(line: str) -> str | None:
    """The normalized name of what a line installs, where the line tells it."""
    requirement = parse_requirement(line)
    if requirement is not None:
        return normalize(requirement.name)
    file_name = line.partition("#")[0].rpartition("/")[2]
    if ".whl" not in file_name:
        return None
    match = _NAME.match(file_name.partition("-")[0])
    return None if match is None else normalize(match[0])


def asked_by_extra(distribution: Distribution, extra: str) -> list[str]:
    """What a package asks for when it is named with an extra, besides what it asks for anyhow."""
    lines = []
    for requirement in _read_requirements(distribution):
        marker = requirement.marker
        if marker is not None and marker.evaluate({"extra": extra}) and not marker.evaluate({"extra": ""}):
            requirement.marker = None
            lines.append(str(requirement))
    return lines


def find_broken(packages: str, base: dict[str, Distribution]) -> list[Broken]:
    """Requirements of the packages in a layer that neither the layer nor what is below meets."""
    own = list_distributions(packages)
    return _check(list(own.values()), {**base, **own})


def find_broken_below(packages: str, base: dict[str, Distribution]) -> list[Broken]:
    """Requirements of the packages below that a layer's own do not meet: using both together may fail."""
    own = list_distributions(packages)
    if not own.keys() & base.keys():
        return []
    above = [each for name, each in base.items() if name not in own]
    return [each for each in _check(above, {**base, **own}) if each.name in own]


def _check(distributions: list[Distribution], there: dict[str, Distribution]) -> list[Broken]:
    broken = []
    for each in distributions:
        for requirement in _read_requirements(each):
            if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
                continue
            name = normalize(requirement.name)
            found = there.get(name)
            if found is None or not requirement.specifier.contains(found.version, prereleases=True):
                broken.append(Broken(name, each, requirement, None if found is None else found.version))
    return broken


def _read_requirements(distribution: Distribution) -> list[Any]:
    found = []
    try:
        with open(os.path.join(distribution.folder, "METADATA"), encoding="utf-8", errors="replace") as file:
            for line in file:
                if not line.rstrip("\r\n"):
                    break  # the description begins; lines of blanks belong to a licence's text
                if line.lower().startswith("requires-dist:"):
                    requirement = parse_requirement(line.partition(":")[2].strip())
                    if requirement is not None:
                        found.append(requirement)
    except OSError:
        pass  # without metadata it asks for nothing
    return found


def _requirements() -> Any:
    try:
        return importlib.import_module("packaging.requirements")
    except ImportError:
        return importlib.import_module("pip._vendor.packaging.requirements")
