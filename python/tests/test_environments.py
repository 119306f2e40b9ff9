"""Environments of tasks: made once for what was asked for, whole or not at all, and seen by all that a task starts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from headrace_runtime.environments import installers
from support.attempts import PYTHON_FOLDER, Outcome, Workspace
from support.wheels import make_wheel

SHOW = "import toolbox, subprocess, sys\nprint(toolbox.VERSION)\n"


@pytest.fixture
def index(workspace: Workspace, tmp_path: Path) -> Path:
    """A folder of wheels, which is all that the installers know; pip and uv both read it."""
    folder = tmp_path / "index"
    for version in ("1.0", "2.0"):
        make_toolbox(folder, version)
    workspace.environment = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "PIP_CONFIG_FILE": os.devnull}
    return folder


def make_toolbox(folder: Path, version: str, **more: Any) -> Path:
    points = "[console_scripts]\ntoolbox = toolbox:main\n"
    files = {"toolbox/__init__.py": f"VERSION = 'toolbox {version}'\ndef main():\n    print(VERSION)\n"}
    return make_wheel(folder, "toolbox", files, version=version, entry_points=points, **more)


def run_with(workspace: Workspace, *lines: str, script: str = SHOW, **attempt: Any) -> Outcome:
    return workspace.run_script(
        script, libraries=[{"pypi": {"package": line, "repo": None}} for line in lines], **attempt
    )


def environments(workspace: Workspace) -> list[Path]:
    return [path for path in (workspace.root / "libraries").iterdir() if not path.name.startswith(".")]


@pytest.mark.usefixtures("index")
def test_two_tasks_see_their_own_versions_at_once(workspace: Workspace) -> None:
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda version: run_with(workspace, f"toolbox=={version}"), ["1.0", "2.0"]))

    assert [outcome.printed for outcome in outcomes] == ["toolbox 1.0\n", "toolbox 2.0\n"]


@pytest.mark.usefixtures("index")
def test_programs_that_a_task_starts_see_its_packages(workspace: Workspace) -> None:
    script = """
import subprocess, sys
subprocess.run([sys.executable, "-c", "import toolbox, pandas; print(toolbox.VERSION)"])
subprocess.run(["toolbox"])
subprocess.run("python3 -c 'import toolbox; print(toolbox.VERSION)'", shell=True)
"""

    outcome = run_with(workspace, "toolbox==2.0", script=script)

    assert outcome.printed == "toolbox 2.0\n" * 3, outcome.log


@pytest.mark.usefixtures("index")
def test_what_the_runtime_has_and_fits_is_not_installed_again(workspace: Workspace) -> None:
    outcome = run_with(workspace, "pandas>=2", "toolbox==1.0", script="import pandas; print(pandas.__file__)")

    assert "/.runtime/" in outcome.printed
    (environment,) = environments(workspace)
    assert json.loads((environment / "environment.json").read_text())["installed"] == ["toolbox==1.0"]


def test_a_package_of_the_task_wins_over_the_runtimes(workspace: Workspace, index: Path) -> None:
    make_wheel(index, "pytz", {"pytz/__init__.py": "ZONES = 'own'\n"}, version="1999.1")

    outcome = run_with(workspace, "pytz==1999.1", script="import pytz; print(pytz.ZONES)")

    assert outcome.printed.endswith("own\n")
    assert "the libraries replace a package of the cluster: pandas 2.3.3 asks for pytz>=2020.1" in outcome.printed


def test_a_dependency_that_the_runtime_has_in_another_version_is_brought_along(
    workspace: Workspace, index: Path
) -> None:
    make_wheel(index, "pytz", {"pytz/__init__.py": "ZONES = 'own'\n"}, version="1999.1")
    make_toolbox(index, "3.0", requires=("pytz<2000", "python-dateutil"))

    outcome = run_with(workspace, "toolbox==3.0", script="import pytz; print(pytz.ZONES)")

    assert outcome.printed.endswith("own\n"), outcome.log


@pytest.mark.parametrize("line", ["pyspark==3.5.0", "toolbox==4.0"])
def test_the_clusters_spark_cannot_be_replaced(workspace: Workspace, index: Path, line: str) -> None:
    make_toolbox(index, "4.0", requires=("pyspark<4",))
    make_wheel(index, "pyspark", {"pyspark/__init__.py": ""}, version="3.5.0")

    outcome = run_with(workspace, line)

    assert outcome.code == "LIBRARY_INSTALLATION_ERROR"
    assert "cannot be replaced" in outcome.message


def test_nor_by_a_wheel(workspace: Workspace) -> None:
    make_wheel(workspace.root / "dbfs", "py4j", {"py4j/__init__.py": ""}, version="0.1")

    outcome = workspace.run_script(SHOW, libraries=[{"whl": "dbfs:/py4j-0.1-py3-none-any.whl"}])

    assert outcome.code == "LIBRARY_INSTALLATION_ERROR"
    assert "py4j 0.1: the cluster's own py4j is" in outcome.message


def test_extras_of_a_package_that_the_runtime_has_bring_what_they_ask_for(workspace: Workspace, index: Path) -> None:
    make_wheel(index, "pysocks", {"socks.py": "VERSION = 'own'\n"}, version="1.9.0")

    outcome = run_with(
        workspace, "requests[socks]", script="import requests, socks; print(requests.__file__, socks.VERSION)"
    )

    assert "/.runtime/" in outcome.printed and outcome.printed.endswith(" own\n"), outcome.log


@pytest.mark.usefixtures("index")
def test_pip_does_it_where_uv_cannot(workspace: Workspace) -> None:
    outcome = run_with(
        workspace, "--prefer-binary", "toolbox==2.0", script="import subprocess; subprocess.run('toolbox')"
    )

    assert "[libraries] installing toolbox==2.0 with pip\n" in outcome.log
    assert outcome.printed == "toolbox 2.0\n"


@pytest.mark.usefixtures("index")
def test_the_second_task_finds_it_there(workspace: Workspace) -> None:
    first = run_with(workspace, "toolbox==2.0")

    second = run_with(workspace, "toolbox==2.0")

    assert "[libraries] toolbox==2.0 in " in first.log
    assert second.log == "toolbox 2.0\n"
    (environment,) = environments(workspace)
    uses = workspace.root / "libraries/.uses" / environment.name
    assert sorted(path.name for path in uses.iterdir()) == ["1", "2"]


@pytest.mark.usefixtures("index")
def test_of_many_that_want_the_same_at_once_one_installs_it(workspace: Workspace) -> None:
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda _: run_with(workspace, "toolbox==2.0"), range(4)))

    assert [outcome.printed for outcome in outcomes] == ["toolbox 2.0\n"] * 4
    assert sum("installing toolbox" in outcome.log for outcome in outcomes) == 1
    assert len(environments(workspace)) == 1


def test_a_killed_installation_leaves_nothing_half(workspace: Workspace, tmp_path: Path) -> None:
    hang = tmp_path / "slow"
    wheel = make_toolbox(workspace.root / "dbfs", "1.0")
    # A source archive whose build waits: the installation is under way until somebody ends it.
    (hang / "slow-1.0").mkdir(parents=True)
    (hang / "slow-1.0/setup.py").write_text(f"import time\nopen({str(tmp_path / 'begun')!r}, 'w')\ntime.sleep(60)\n")
    (hang / "slow-1.0/PKG-INFO").write_text("Metadata-Version: 2.1\nName: slow\nVersion: 1.0\n")
    subprocess.run(["tar", "czf", "slow-1.0.tar.gz", "slow-1.0"], cwd=hang, check=True)
    workspace.environment = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(hang), "PIP_CONFIG_FILE": os.devnull}
    workspace.environment |= {"PIP_NO_BUILD_ISOLATION": "0"}  # pip's way to say that it is off; uv lacks it
    libraries = [{"whl": f"dbfs:/{wheel.name}"}, {"pypi": {"package": "slow", "repo": None}}]
    workspace.write("workspace/Users/ann/script.py", SHOW)
    task = {"kind": "spark_python", "python_file": "/Workspace/Users/ann/script.py", "parameters": []}
    folder = workspace.prepare(task, libraries=libraries)
    environment = {**os.environ, "PYTHONPATH": str(PYTHON_FOLDER), **workspace.environment}
    command = [sys.executable, "-m", "headrace_runtime.launch", str(folder)]
    process = subprocess.Popen(command, cwd=folder / "work", env=environment, start_new_session=True)
    await_file(tmp_path / "begun", process)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert environments(workspace) == []

    make_wheel(hang, "slow", {"slow.py": ""})
    outcome = workspace.run(task, libraries=libraries)

    assert outcome.printed == "toolbox 1.0\n"
    assert list((workspace.root / "libraries").glob(".installing-*")) == []


def await_file(path: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)


def test_a_name_without_a_version_is_looked_up_anew_after_a_day(workspace: Workspace, index: Path) -> None:
    run_with(workspace, "toolbox")
    make_toolbox(index, "5.0")
    assert run_with(workspace, "toolbox").printed == "toolbox 2.0\n"
    (request,) = (workspace.root / "libraries/.requests").iterdir()
    request.write_text(json.dumps({**json.loads(request.read_text()), "fresh_until": time.time() - 1}))

    outcome = run_with(workspace, "toolbox")

    assert outcome.printed == "toolbox 5.0\n"
    assert len(environments(workspace)) == 2


def test_what_cannot_be_looked_up_anew_stays_as_it_was(workspace: Workspace, index: Path) -> None:
    run_with(workspace, "toolbox")
    for wheel in index.iterdir():
        wheel.unlink()
    (request,) = (workspace.root / "libraries/.requests").iterdir()
    request.write_text(json.dumps({**json.loads(request.read_text()), "fresh_until": time.time() - 1}))

    outcome = run_with(workspace, "toolbox")

    assert "it stays as it was installed before" in outcome.printed
    assert outcome.printed.endswith("toolbox 2.0\n")


@pytest.mark.usefixtures("index")
def test_requirements_files_include_others_and_constraints(workspace: Workspace) -> None:
    workspace.write("workspace/Users/ann/requirements.txt", "-r more/tools.txt  # tools\n-c limits.txt\n\n")
    workspace.write("workspace/Users/ann/more/tools.txt", "toolbox \\\n  >=1\n")
    workspace.write("workspace/Users/ann/limits.txt", "toolbox<2\n")

    outcome = workspace.run_script(SHOW, libraries=[{"requirements": "/Workspace/Users/ann/requirements.txt"}])

    assert outcome.printed == "toolbox 1.0\n", outcome.log


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("-e /Workspace/Users/ann", "the option -e is not allowed here"),
        ("--target=/tmp toolbox", "the option --target is not allowed here"),
        ("toolbox --config-settings=x=y", "of a package only --hash is"),
        ("/Workspace/Users/ann/", "of local paths only wheels are installed"),
        ("dbfs:/old-1.0.egg", "eggs are not supported: build a wheel"),
        ("x @ git+ext::sh -c touch", "could not be installed"),
        ("x @ git+file:///etc", "addresses of the kind git+file: are not fetched"),
        ("-r /Workspace/nothing.txt", "the file does not exist"),
        ("-r /Workspace/circle.txt", "include each other"),
    ],
)
@pytest.mark.usefixtures("index")
def test_what_is_refused_is_named(workspace: Workspace, line: str, reason: str) -> None:
    workspace.write("workspace/circle.txt", "-r circle.txt\n")

    outcome = run_with(workspace, line)

    assert outcome.code == "LIBRARY_INSTALLATION_ERROR"
    assert reason in outcome.message


@pytest.mark.usefixtures("index")
def test_a_folder_that_cannot_be_written_is_no_error_of_user_code(workspace: Workspace) -> None:
    workspace.write("libraries", "a file where the folder should be")

    outcome = run_with(workspace, "toolbox")

    assert outcome.code == "LIBRARY_INSTALLATION_ERROR"
    assert outcome.message.startswith("library toolbox could not be installed: ")


@pytest.mark.parametrize(
    "lines",
    [
        ["toolbox @ https://ann:pass-word@127.0.0.1:1/toolbox-1.0-py3-none-any.whl"],
        ["--find-links http://ann:pass-word@127.0.0.1:1/simple", "--prefer-binary", "nothing-like-it"],
        ["x @ git+file://ann:pass-word@127.0.0.1/x"],
    ],
)
@pytest.mark.usefixtures("index")
def test_credentials_in_addresses_are_not_shown(workspace: Workspace, lines: list[str]) -> None:
    outcome = run_with(workspace, *lines)

    assert outcome.code == "LIBRARY_INSTALLATION_ERROR"
    assert "pass-word" not in outcome.log + outcome.message


def test_an_installation_that_takes_too_long_is_ended_with_all_its_processes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(installers, "INSTALL_SECONDS_MAX", 2)
    command = ["sh", "-c", f"sleep 1008 & echo $! > {tmp_path / 'pid'}; echo begun; wait"]
    said: list[str] = []

    with pytest.raises(installers.InstallError, match="took more than 2 s"):
        installers.run_installer(command, {}, said.append)

    assert said == ["begun"]
    pid = (tmp_path / "pid").read_text().strip()
    deadline = time.monotonic() + 30
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_running(pid)


def is_running(pid: str) -> bool:
    try:
        return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("member", ["../evil.py", "../../../evil.py", "{root}/evil.py", "toolbox/../../../../evil.py"])
def test_no_file_of_a_wheel_gets_out_of_its_environment(workspace: Workspace, index: Path, member: str) -> None:
    name = member.format(root=workspace.root)
    make_wheel(index, "hostile", {"hostile.py": "", name: "raise SystemExit('evil')\n"})

    outcome = run_with(workspace, "hostile", script="import hostile\n")

    outside = [
        path for path in workspace.root.rglob("evil.py") if not path.is_relative_to(workspace.root / "libraries")
    ]
    assert outside == []
    assert list(workspace.root.parent.glob("evil.py")) == []
    # Those that fit into the layer are kept in it; what leads out is refused as a whole.
    assert outcome.result["state"] == "succeeded" or outcome.code == "LIBRARY_INSTALLATION_ERROR"
    assert list((workspace.root / "libraries").glob("evil.py")) == []
