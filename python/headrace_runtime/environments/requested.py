"""Reads what a task asks for: wheels, packages, requirements files, lines of a job's environment.

Everything becomes lines as pip reads them, with paths of this machine. What could write elsewhere or run programs
that nobody named is refused here, by name: only the options below go on to an installer.
"""

from __future__ import annotations

import os
import re
import shlex

from ..failures import TaskFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..documents import LibraryDocument
    from ..paths import PathMap

# Which index, which files: nothing that runs or writes.
OPTIONS_WITH_VALUE = {
    "-i": "--index-url",
    "--index-url": "--index-url",
    "--extra-index-url": "--extra-index-url",
    "-f": "--find-links",
    "--find-links": "--find-links",
    "--no-binary": "--no-binary",
    "--only-binary": "--only-binary",
    "--trusted-host": "--trusted-host",
}
OPTIONS_ALONE = ("--no-index", "--pre", "--prefer-binary")
FILE_OPTIONS = {"-r": "-r", "--requirement": "-r", "--requirements": "-r", "-c": "-c", "--constraint": "-c"}
# A file that includes itself ends here, and so does one that somebody took for a requirements file.
FILES_MAX = 50
LINES_MAX = 5_000
HASH_CHUNK_BYTES = 1024 * 1024

_SCHEME = re.compile(r"^(?:[A-Za-z0-9._-]+(?:\[[^]]*\])?\s*@\s*)?([A-Za-z][A-Za-z0-9+.-]*)://?")
_URL_SCHEMES = ("https", "http", "git+https")
_CREDENTIALS = re.compile(r"(://)[^/@\s:]*(:[^/@\s]*)?@")
_COMMENT = re.compile(r"(^|\s+)#.*$")
_EXTRAS = re.compile(r"^(.*\.whl)(\[[^]]*\])?$")


class Requested:
    """All that one task asks for, in order."""

    def __init__(self) -> None:
        #: packages and wheels, as an installer takes them
        self.lines: list[str] = []
        #: constraints, likewise
        self.constraints: list[str] = []
        self.options: list[tuple[str, str | None]] = []
        #: real path → hash of its content
        self.wheels: dict[str, str] = {}
        #: for people, shorter than `lines`
        self.names: list[str] = []

    @property
    def is_empty(self) -> bool:
        return not self.lines

    def facts(self) -> list[object]:
        """What the key of the environment is made of: contents in place of paths."""
        return [[self._without_folder(line) for line in self.lines], self.constraints, self.options]

    def _without_folder(self, line: str) -> str:
        for path, digest in self.wheels.items():
            if line.startswith(path):
                return f"{os.path.basename(path)}{line[len(path) :]}#{digest}"
        return line


def read_requested(paths: PathMap, libraries: list[LibraryDocument]) -> Requested:
    """The Python packages among a task's libraries."""
    reader = _Reader(paths)
    for library in libraries:
        if "whl" in library:
            reader.add_wheel(library["whl"])
        elif "pypi" in library:
            repo = library["pypi"].get("repo")
            if repo:
                reader.add_option("--extra-index-url", repo)
            reader.add_line(library["pypi"]["package"], base=None)
        elif "requirements" in library:
            reader.add_file(library["requirements"], kind="-r", base=None)
        elif "jar" not in library and "maven" not in library:
            raise refuse(", ".join(library), "is of a kind that is not supported; there are whl, pypi, requirements")
    return reader.requested


def refuse(name: str, reason: str) -> TaskFailure:
    return TaskFailure(
        "LIBRARY_INSTALLATION_ERROR", hide_credentials(f"library {name} could not be installed: {reason}")
    )


def hide_credentials(text: str) -> str:
    """In addresses of indexes and of packages."""
    return _CREDENTIALS.sub(r"\1***@", text)


def hash_file(path: str) -> str:
    """Of its content."""
    import hashlib

    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(HASH_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


class _Reader:
    def __init__(self, paths: PathMap) -> None:
        self.requested = Requested()
        self._paths = paths
        self._files = 0
        self._lines = 0

    def add_wheel(self, name: str, extras: str = "") -> None:
        self._keep_wheel(self._locate(name, base=None), name, extras)

    def add_file(self, name: str, *, kind: str, base: str | None) -> None:
        self._files += 1
        if self._files > FILES_MAX:
            raise refuse(name, f"more than {FILES_MAX} requirements files include each other")
        real = self._locate(name, base=base)
        with open(real, encoding="utf-8", errors="replace") as file:
            text = file.read().replace("\\\n", " ")
        for line in text.splitlines():
            self._lines += 1
            if self._lines > LINES_MAX:
                raise refuse(name, f"it has more than {LINES_MAX} lines: is it a requirements file?")
            self.add_line(line, base=os.path.dirname(real), kind=kind)

    def add_option(self, name: str, value: str | None) -> None:
        if (name, value) not in self.requested.options:
            self.requested.options.append((name, value))

    def add_line(self, line: str, *, base: str | None, kind: str = "-r") -> None:
        line = _COMMENT.sub("", line).strip()
        if not line:
            return
        if line.startswith("-"):
            self._add_option_line(line, base)
        elif kind == "-c":
            self.requested.constraints.append(line)
        elif _is_path(line):
            self._add_path(line, base)
        else:
            self._add_package(line)

    def _add_option_line(self, line: str, base: str | None) -> None:
        words = _split_words(line)
        while words:
            name, equals, value = words.pop(0).partition("=")
            if name in OPTIONS_ALONE:
                self.add_option(name, None)
                continue
            if name not in FILE_OPTIONS and name not in OPTIONS_WITH_VALUE:
                known = ", ".join([*OPTIONS_WITH_VALUE, *OPTIONS_ALONE, *FILE_OPTIONS])
                raise refuse(line, f"the option {name} is not allowed here, since only these are: {known}")
            if not equals:
                if not words:
                    raise refuse(line, f"the option {name} needs a value")
                value = words.pop(0)
            if name in FILE_OPTIONS:
                self.add_file(value, kind=FILE_OPTIONS[name], base=base)
            else:
                is_folder = OPTIONS_WITH_VALUE[name] == "--find-links" and "://" not in value
                self.add_option(OPTIONS_WITH_VALUE[name], self._real(value, base) if is_folder else value)

    def _add_path(self, line: str, base: str | None) -> None:
        match = _EXTRAS.match(line)
        if match is None:
            if line.endswith(".egg"):
                raise refuse(line, "eggs are not supported: build a wheel")
            raise refuse(line, "it is not a .whl file; of local paths only wheels are installed")
        self._keep_wheel(self._locate(match[1], base=base), match[1], match[2] or "")

    def _keep_wheel(self, real: str, name: str, extras: str) -> None:
        if not real.endswith(".whl"):
            raise refuse(name, "it is not a .whl file")
        self.requested.wheels[real] = hash_file(real)
        self.requested.lines.append(real + extras)
        self.requested.names.append(name)

    def _add_package(self, line: str) -> None:
        match = _SCHEME.match(line)
        if match is not None and match[1].lower() not in _URL_SCHEMES:
            raise refuse(line, f"addresses of the kind {match[1]}: are not fetched, only {', '.join(_URL_SCHEMES)}")
        for word in line.split()[1:]:
            if word.startswith("-") and not word.startswith("--hash"):
                raise refuse(line, f"the option {word} is not allowed here; of a package only --hash is")
        self.requested.lines.append(line)
        self.requested.names.append(hide_credentials(line.partition(" --hash")[0]))

    def _locate(self, name: str, *, base: str | None) -> str:
        real = self._real(name, base)
        if not os.path.isfile(real):
            raise refuse(name, "the file does not exist")
        return real

    def _real(self, name: str, base: str | None) -> str:
        if base is not None and not os.path.isabs(name) and ":" not in name:
            return os.path.normpath(os.path.join(base, name))
        return self._paths.locate_code(name) or name


def _is_path(line: str) -> bool:
    head = line.partition(" @ ")[0]
    if "://" in head or " @ " in line:
        return False
    return "/" in head.partition(";")[0] or head.startswith(".") or head.endswith((".whl", ".egg"))


def _split_words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise refuse(line, f"the line cannot be read ({error})") from None
