from __future__ import annotations

from pathlib import Path

import pytest
from headrace_runtime.zygote import _import_modules


def test_a_package_that_breaks_at_its_import_does_not_break_the_zygote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mismatched.py").write_text('raise ValueError("numpy.dtype size changed")')
    monkeypatch.syspath_prepend(str(tmp_path))

    _import_modules(["mismatched"])

    assert "cannot import mismatched: ValueError: numpy.dtype size changed" in capsys.readouterr().err
