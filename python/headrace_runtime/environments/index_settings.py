"""pip's settings, for uv, which reads none of them: the index of a company stands in `pip.conf` or in `PIP_…`.

A setting that has no counterpart here means that pip does the work.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SECTIONS = ("global", "install")
# Say how pip talks, not what it installs.
_WITHOUT_MEANING = {
    *(
        "disable-pip-version-check",
        "no-input",
        "quiet",
        "verbose",
        "progress-bar",
        "cache-dir",
        "timeout",
        "config-file",
    ),
    *("default-timeout", "retries", "no-color", "root-user-action", "no-warn-script-location", "break-system-packages"),
    *("no-python-version-warning", "require-virtualenv"),
}


def read_index_settings() -> dict[str, str]:
    """Names as in `pip.conf`: `index-url`, `find-links`, …; the environment wins over files."""
    settings: dict[str, str] = {}
    for path in _config_files():
        settings.update(_read_file(path))
    for name, value in os.environ.items():
        if name.startswith("PIP_") and value:
            settings[name[4:].lower().replace("_", "-")] = value
    return {name: value for name, value in settings.items() if name not in _WITHOUT_MEANING}


def to_uv(settings: dict[str, str]) -> tuple[list[str], dict[str, str]] | None:
    """Options and variables for uv; None when it lacks one of the settings."""
    options: list[str] = []
    variables: dict[str, str] = {}
    for name, value in settings.items():
        if name == "index-url":
            options += ["--default-index", value]
        elif name == "extra-index-url":
            options += [word for each in value.split() for word in ("--index", each)]
        elif name == "find-links":
            options += [word for each in value.split() for word in ("--find-links", each)]
        elif name == "no-index":
            options += ["--no-index"] if value.lower() not in ("0", "false", "no") else []
        elif name == "trusted-host":
            options += [word for each in value.split() for word in ("--allow-insecure-host", each)]
        elif name == "cert":
            variables["SSL_CERT_FILE"] = value
        else:
            return None
    return options, variables


def _config_files() -> list[str]:
    named = os.environ.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return []
    home = os.path.expanduser("~")
    config = os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    files = [
        "/etc/pip.conf",
        os.path.join(home, ".pip", "pip.conf"),
        os.path.join(config, "pip", "pip.conf"),
        os.path.join(sys.prefix, "pip.conf"),
    ]
    return [*files, named] if named else files


def _read_file(path: str) -> dict[str, str]:
    if not os.path.isfile(path):
        return {}
    import configparser

    parser: Any = configparser.RawConfigParser()
    try:
        parser.read(path, encoding="utf-8")
    except configparser.Error:
        return {"unreadable": path}  # pip shall say what is wrong with it
    found: dict[str, str] = {}
    for section in _SECTIONS:
        if parser.has_section(section):
            found.update({name.replace("_", "-"): value.strip() for name, value in parser.items(section)})
    return found
