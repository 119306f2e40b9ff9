"""A bare error of py4j means the driver's death only where the driver is dead."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from headrace_runtime import attach


class Py4JError(Exception):
    """By its name, as the runtime knows it: it does not import py4j for this."""


@pytest.fixture
def attached(monkeypatch: pytest.MonkeyPatch) -> attach.Attachment:
    attachment = attach.Attachment()
    attachment.session = object()  # type: ignore[assignment]
    monkeypatch.setattr(attach, "_attachment", attachment)
    monkeypatch.setattr(attach, "DEATH_SECONDS_MAX", 0.05)
    return attachment


def test_a_dead_driver(attached: attach.Attachment) -> None:
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", "pass"]) as process:
        attached.jvm_pid = process.pid  # ends soon, and is a zombie until it is waited for

    assert attach.is_driver_death(Py4JError("An error occurred while calling o2.sc"))


def test_a_live_driver(attached: attach.Attachment) -> None:
    attached.jvm_pid = os.getpid()

    assert not attach.is_driver_death(Py4JError("An error occurred while calling o2.sc"))
    assert not attach.is_driver_death(ValueError("of the user's own"))
