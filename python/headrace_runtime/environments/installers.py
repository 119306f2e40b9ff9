"""Installs packages into a layer, with uv where it is there and can, else with pip.

Both see the runtime's packages as there: what it has and what fits is not installed again. pip finds that out by itself;
uv is told to leave out the names, and what turns out not to fit is then resolved after all.
"""

from __future__ import annotations

import os
import re

from ..failures import TaskFailure
from .distributions import (
    Distribution,
    asked_by_extra,
    find_broken,
    list_distributions,
    name_of_line,
    normalize,
    parse_requirement,
)
from .index_settings import read_index_settings, to_uv
from .layer import base_site_packages, python_of, site_packages_of
from .requested import hide_credentials

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .layer import Say
    from .requested import Requested

# An index that is slow or away must not hold a task for ever.
INSTALL_SECONDS_MAX = 900
# One half of the JVM's: another version of them would not understand the other half.
FIXED = ("pyspark", "py4j", "delta-spark")
# Each round brings at least one more of the runtime's packages into the resolution; few are ever needed.
ROUNDS_MAX = 6
# What pip has and uv lacks.
PIP_ONLY_OPTIONS = ("--pre", "--prefer-binary")
OUTPUT_LINES_MAX = 400
REASON_LINES_MAX = 6
REASON_CHARACTERS_MAX = 1_500

# Bars, and where uv says what it always does.
_NOISE = re.compile(r"[━╸╺]|\d+(\.\d+)?/\d+(\.\d+)? [kMG]?B|^(Using Python|Bytecode compiled|Audited) ")


class InstallError(Exception):
    """The installer's own words."""


def install(folder: str, requested: Requested, say: Say) -> str:
    """Install what was asked for into a layer; gives the installer's name. Raises InstallError."""
    base = list_distributions(base_site_packages())
    lines = [left for line in requested.lines for left in _what_is_left(line, base)]
    if not lines:
        return "nothing"
    uv = _find_uv(lines, requested)
    _write_lines(os.path.join(folder, "requirements.txt"), lines)
    say(f"installing {', '.join(requested.names)} with {'pip' if uv is None else 'uv'}")
    if uv is None:
        _install_with_pip(folder, requested, base, say)
    else:
        program, options, variables = uv
        _Uv(program, options, variables, folder).install(requested, lines, base, say)
    own = list_distributions(site_packages_of(folder))
    for name in FIXED:
        if name in own and name in base and own[name].version != base[name].version:
            raise InstallError(_cannot_be_replaced(f"{name} {own[name].version}", base[name]))
    return "pip" if uv is None else "uv"


def _what_is_left(line: str, base: dict[str, Distribution]) -> list[str]:
    """Of a line, what the runtime lacks; raises when it is one that must not be replaced."""
    requirement: Any = parse_requirement(line)
    if requirement is None:
        return [line]
    if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
        return []
    there = base.get(normalize(requirement.name))
    if there is None:
        return [line]
    fits = not requirement.url and requirement.specifier.contains(there.version, prereleases=True)
    if there.name in FIXED and not fits:
        raise InstallError(_cannot_be_replaced(line, there))
    if not fits:
        return [line]
    # The package itself stays the runtime's; what its extras ask for is asked for by itself.
    return [
        left
        for extra in requirement.extras
        for each in asked_by_extra(there, extra)
        for left in _what_is_left(each, base)
    ]


def _cannot_be_replaced(line: str, there: Distribution) -> str:
    return f"{line}: the cluster's own {there.name} is {there.version} and cannot be replaced"


def _find_uv(lines: list[str], requested: Requested) -> tuple[str, list[str], dict[str, str]] | None:
    program = os.path.normpath(os.path.join(base_site_packages(), "..", "..", "..", "bin", "uv"))
    if not os.path.isfile(program):
        return None
    # It must know the names, in order to leave out the others.
    if any(name_of_line(line) is None for line in lines):
        return None
    if any(name in PIP_ONLY_OPTIONS for name, _ in requested.options):
        return None
    settings = to_uv(read_index_settings())
    return None if settings is None else (program, *settings)


class _Uv:
    def __init__(self, program: str, options: list[str], variables: dict[str, str], folder: str) -> None:
        self._folder = folder
        self._variables = {**variables, "UV_NO_CONFIG": "1"}
        self._command = [program, "pip", "install", "--python", python_of(folder), "--no-python-downloads"]
        # Copies: what a task does to its packages must not reach the installer's cache.
        self._command += ["--link-mode", "copy", "--compile-bytecode", "--no-progress", "--color", "never", *options]

    def install(self, requested: Requested, lines: list[str], base: dict[str, Distribution], say: Say) -> None:
        wanted = {name_of_line(line) for line in lines}
        left_out = [name for name in base if name not in wanted]
        for _ in range(ROUNDS_MAX):
            self._run(requested, left_out, say)
            broken = [each for each in find_broken(site_packages_of(self._folder), base) if each.name in left_out]
            fixed = next((each for each in broken if each.name in FIXED), None)
            if fixed is not None:
                raise InstallError(f"{fixed}, and the cluster's own cannot be replaced")
            if not broken:
                return
            say(f"not as the cluster has it: {'; '.join(map(str, broken[:3]))}")
            left_out = [name for name in left_out if name not in {each.name for each in broken}]
        raise InstallError("the packages do not fit together with those of the cluster")

    def _run(self, requested: Requested, left_out: list[str], say: Say) -> None:
        excludes = os.path.join(self._folder, "excludes.txt")
        _write_lines(excludes, left_out)
        command = [*self._command, "--excludes", excludes, "-r", os.path.join(self._folder, "requirements.txt")]
        if requested.constraints:
            constraints = os.path.join(self._folder, "constraints.txt")
            _write_lines(constraints, requested.constraints)
            command += ["--constraints", constraints]
        for name, value in requested.options:
            if name == "--trusted-host":
                name = "--allow-insecure-host"
            command += [name] if value is None else [f"{name}={value}"]
        run_installer(command, self._variables, say)


def _install_with_pip(folder: str, requested: Requested, base: dict[str, Distribution], say: Say) -> None:
    constraints = os.path.join(folder, "constraints.txt")
    fixed = [f"{name}=={base[name].version}" for name in FIXED if name in base]
    _write_lines(constraints, [*requested.constraints, *fixed])
    command = [python_of(folder), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--compile"]
    command += ["--progress-bar=off", "--root-user-action=ignore", "--no-warn-script-location"]
    for name, value in requested.options:
        command += [name] if value is None else [f"{name}={value}"]
    command += ["-c", constraints, "-r", os.path.join(folder, "requirements.txt")]
    run_installer(command, {}, say)


def run_installer(command: list[str], variables: dict[str, str], say: Say) -> None:
    """Run it to its end, its lines told as they come; raises InstallError with the last of them."""
    import select
    import signal
    import subprocess
    import time

    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    deadline = time.monotonic() + INSTALL_SECONDS_MAX
    lines: list[str] = []
    # A group of its own, which a time-out ends whole; a stop of the attempt finds it by its mark.
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**environment, **variables},
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        try:
            rest = b""
            while True:
                ready, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
                if not ready:
                    raise InstallError(f"the installation took more than {INSTALL_SECONDS_MAX} s")
                piece = os.read(process.stdout.fileno(), 65536)
                *whole, rest = (rest + piece).split(b"\n") if piece else [rest, b""]
                for line in whole:
                    _take_line(hide_credentials(line.decode("utf-8", "replace")).rstrip(), lines, say)
                if not piece:
                    break
            process.wait()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if process.returncode:
        raise InstallError(essential_lines(lines))


def _take_line(line: str, lines: list[str], say: Say) -> None:
    if not line.strip() or _NOISE.search(line):
        return
    lines.append(line)
    del lines[:-OUTPUT_LINES_MAX]
    say(line)


def essential_lines(lines: list[str]) -> str:
    """Of an installer's output those that say what was wrong."""
    errors = [line.strip() for line in lines if line.startswith("ERROR:")]
    chosen = errors or [line.strip() for line in lines if line.strip()]
    text = " ".join(line.removeprefix("ERROR:").lstrip("×╰─▶├ ") for line in chosen[-REASON_LINES_MAX:]).strip()
    return text[-REASON_CHARACTERS_MAX:] or "the installer said nothing"


def describe_failure(names: list[str], error: InstallError, show: Callable[[str], str]) -> TaskFailure:
    """As the run page shows it."""
    shown = hide_credentials(", ".join(names))
    noun = "library" if len(names) == 1 else "libraries"
    if len(shown) > 300:
        shown = f"{shown[:300]}…"
    return TaskFailure(
        "LIBRARY_INSTALLATION_ERROR", f"{noun} {shown} could not be installed: {show(hide_credentials(str(error)))}"
    )


def _write_lines(path: str, lines: list[str]) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
