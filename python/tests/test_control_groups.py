"""Control groups: against a tree of files that behaves as the kernel's where it matters, and against the kernel's own."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from headrace_runtime import control_groups
from headrace_runtime.control_groups import (
    ControlGroups,
    enter_group,
    find_memory_hit,
    kill_group_members,
    limit_group,
    open_control_groups,
    remove_group,
)
from headrace_runtime.processes import start_time
from support.groups import group_names

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="control groups are Linux's")


class FakeKernel:
    """One mount, with a process in the group `/unit`."""

    def __init__(self, folder: Path) -> None:
        self.proc, self.systemd, self.mount = folder / "proc", folder / "systemd", folder / "my cgroups"
        self.unit = self.mount / "unit"
        (self.proc / "self").mkdir(parents=True)
        self.unit.mkdir(parents=True)
        place = str(self.mount).replace(" ", "\\040")
        (self.proc / "self/mountinfo").write_text(
            f"20 1 0:5 / /proc rw - proc proc rw\n30 1 0:6 / {place} rw,relatime - cgroup2 cgroup2 rw\n"
        )
        (self.proc / "self/cgroup").write_text("4:memory:/elsewhere\n0::/unit\n")
        for name, text in {"type": "domain", "procs": "", "subtree_control": "", "controllers": "memory cpu"}.items():
            (self.unit / f"cgroup.{name}").write_text(text)
        self.refused: set[str] = set()

    def write(self, folder: str, name: str, text: str) -> None:
        """As the kernel takes it: a number moves, and who passes on controllers holds no process."""
        file = Path(folder) / name
        if name == "cgroup.procs":
            for other in self.mount.rglob("cgroup.procs"):
                other.write_text("".join(f"{pid}\n" for pid in other.read_text().split() if pid != text))
            file.write_text(file.read_text() + f"{text}\n" if file.exists() else f"{text}\n")
        elif name == "cgroup.subtree_control":
            if text[1:] in self.refused:
                raise OSError(errno.EINVAL, "refused")
            if (Path(folder) / "cgroup.procs").read_text().split():
                raise OSError(errno.EBUSY, "processes are in it")
            file.write_text(f"{file.read_text()} {text[1:]}".strip())
        elif name != "cgroup.kill":
            file.write_text(text)

    def open(self) -> ControlGroups | str:
        return open_control_groups(str(self.proc), str(self.systemd))


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeKernel:
    fake = FakeKernel(tmp_path)
    monkeypatch.setattr(control_groups, "_write", fake.write)
    return fake


def test_what_is_in_a_delegated_group_moves_aside_and_its_controllers_are_passed_on(kernel: FakeKernel) -> None:
    (kernel.unit / "cgroup.procs").write_text("11\n12\n")

    groups = kernel.open()

    assert isinstance(groups, ControlGroups)
    assert (groups.folder, groups.controllers) == (str(kernel.unit), ("memory", "cpu"))
    assert (kernel.unit / "cgroup.subtree_control").read_text() == "memory cpu"
    assert (kernel.unit / "headrace/cgroup.procs").read_text().split() == ["11", "12"]
    assert (kernel.unit / "headrace/cpu.weight").read_text() == "1000"


def test_a_host_whose_server_was_moved_aside_finds_the_group_above(kernel: FakeKernel) -> None:
    kernel.open()
    (kernel.proc / "self/cgroup").write_text("0::/unit/headrace\n")

    groups = kernel.open()

    assert isinstance(groups, ControlGroups)
    assert groups.folder == str(kernel.unit)
    assert not (kernel.unit / "headrace/headrace").exists()


def test_processes_forked_during_the_move_are_moved_too(kernel: FakeKernel, monkeypatch: pytest.MonkeyPatch) -> None:
    procs = kernel.unit / "cgroup.procs"
    procs.write_text("11\n")
    late = ["13", "14"]

    def write(folder: str, name: str, text: str) -> None:
        if name == "cgroup.subtree_control" and late:
            procs.write_text(f"{late.pop()}\n")
        kernel.write(folder, name, text)

    monkeypatch.setattr(control_groups, "_write", write)
    groups = kernel.open()

    assert isinstance(groups, ControlGroups)
    assert sorted((kernel.unit / "headrace/cgroup.procs").read_text().split()) == ["11", "13", "14"]


@pytest.mark.parametrize(("present", "refused"), [("cpu io pids", ""), ("memory cpu", "memory")])
def test_a_controller_is_used_without_the_other(kernel: FakeKernel, present: str, refused: str) -> None:
    (kernel.unit / "cgroup.controllers").write_text(present)
    kernel.refused = {refused}

    groups = kernel.open()

    assert isinstance(groups, ControlGroups)
    assert groups.controllers == ("cpu",)


def _without_controllers(kernel: FakeKernel) -> None:
    (kernel.unit / "cgroup.controllers").write_text("hugetlb pids")


def _under_systemd(kernel: FakeKernel) -> None:
    kernel.systemd.mkdir()


def _not_mounted(kernel: FakeKernel) -> None:
    (kernel.proc / "self/mountinfo").write_text("20 1 0:5 / /proc rw - proc proc rw\n")


def _outside(kernel: FakeKernel) -> None:
    (kernel.proc / "self/cgroup").write_text("0::/../other\n")


def _not_writable(kernel: FakeKernel) -> None:
    (kernel.unit / "cgroup.subtree_control").unlink()


def _threaded(kernel: FakeKernel) -> None:
    (kernel.unit / "cgroup.type").write_text("threaded\n")


def _refusing(kernel: FakeKernel) -> None:
    kernel.refused = {"memory", "cpu"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_without_controllers, "has no controller for memory or cpu (it has: hugetlb pids)"),
        (_under_systemd, "systemd has not delegated"),
        (_not_mounted, "not mounted"),
        (_outside, "outside of what is mounted here"),
        (_not_writable, "cgroup.subtree_control may not be written"),
        (_threaded, "is a group of threads"),
        (_refusing, "the kernel passes on no controller"),
    ],
)
def test_where_groups_are_not_ours_the_reason_is_told(
    kernel: FakeKernel, change: Callable[[FakeKernel], None], reason: str
) -> None:
    change(kernel)

    assert reason in str(kernel.open())


def test_what_systemd_has_delegated_is_used(kernel: FakeKernel, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel.systemd.mkdir()
    monkeypatch.setattr(os, "getxattr", lambda path, name: b"1" if name == "user.delegate" else b"0")

    assert isinstance(kernel.open(), ControlGroups)


def test_groups_of_dead_hosts_go_and_those_of_living_ones_stay(kernel: FakeKernel) -> None:
    me = os.getpid()
    dead, living, other = f"headrace-{me}-1.77", f"headrace-{me}-{start_time(me)}.78", "headrace-notes"
    for name in (dead, living, other):
        (kernel.unit / name).mkdir()

    kernel.open()

    assert sorted(path.name for path in kernel.unit.glob("headrace-*")) == sorted([living, other])


def test_groups_without_an_attempt_go_unless_their_process_lives(kernel: FakeKernel) -> None:
    groups = kernel.open()
    assert isinstance(groups, ControlGroups)
    gone = 4_194_305  # no kernel gives such a number
    for pid in (os.getpid(), gone, gone + 1):
        os.mkdir(f"{groups.prefix}{pid}")

    is_more = groups.remove_empty({f"{groups.prefix}{gone}"})

    assert is_more
    assert sorted(path.name for path in kernel.unit.glob("headrace-*.*")) == sorted(
        os.path.basename(f"{groups.prefix}{pid}") for pid in (os.getpid(), gone)
    )


def test_walls_stand_also_in_a_kernel_that_counts_no_swap(tmp_path: Path) -> None:
    for name in ("memory.max", "memory.oom.group", "cpu.weight"):
        (tmp_path / name).touch()

    assert limit_group(str(tmp_path), memory_bytes_max=300 * 2**20, cpu_weight=25)

    written = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert written == {"memory.max": "314572800", "memory.oom.group": "1", "cpu.weight": "25"}


def test_without_the_controller_memory_is_left_to_the_watch(tmp_path: Path) -> None:
    (tmp_path / "cpu.weight").touch()

    assert not limit_group(str(tmp_path), memory_bytes_max=300 * 2**20, cpu_weight=25)


@pytest.mark.parametrize(
    ("own", "all_below", "hit"),
    [
        ("oom 3\noom_kill 1", "oom 3\noom_kill 1", 4096),
        ("oom 0\noom_kill 1", "oom 0\noom_kill 1", None),  # the machine's want, or the container's
        ("oom 2\noom_kill 0", "oom 2\noom_kill 0", None),  # somebody got an error instead
        ("oom 0\noom_kill 0", "oom 5\noom_kill 1", None),  # a limit that the task itself has set below
    ],
)
def test_only_its_own_limit_is_an_attempts_fault(tmp_path: Path, own: str, all_below: str, hit: int | None) -> None:
    (tmp_path / "memory.max").write_text("4096\n")
    (tmp_path / "memory.events.local").write_text(f"low 0\nmax 9\n{own}\n")
    (tmp_path / "memory.events").write_text(f"low 0\nmax 9\n{all_below}\n")

    assert find_memory_hit(str(tmp_path)) == hit


# The kernel's own groups, from here on.


@pytest.fixture
def prefix() -> Iterator[str]:
    with group_names() as prefix:
        yield prefix


def _wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _fork_into_group(prefix: str, work: Callable[[str | None], None]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            work(enter_group(prefix))
        finally:
            os._exit(7)
    return pid


def test_a_process_that_shed_everything_is_ended_with_its_group(prefix: str, tmp_path: Path) -> None:
    told = tmp_path / "told"
    stray = "import os, sys, time; os.rename(sys.argv[1], sys.argv[2]); time.sleep(600)"

    def work(_: str | None) -> None:
        (tmp_path / "new").touch()
        arguments = [sys.executable, "-I", "-S", "-c", stray, str(tmp_path / "new"), str(told)]
        subprocess.Popen(arguments, env={}, start_new_session=True)

    pid = _fork_into_group(prefix, work)
    path = f"{prefix}{pid}"
    os.waitpid(pid, 0)
    _wait_until(told.exists)

    assert not remove_group(path)
    kill_group_members(path)
    _wait_until(lambda: remove_group(path))

    assert not os.path.exists(path)


def test_without_a_kernel_that_ends_groups_their_processes_are_ended(
    prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = _fork_into_group(prefix, lambda _: time.sleep(600))
    path = f"{prefix}{pid}"
    _wait_until(lambda: os.path.isdir(path) and str(pid) in Path(path, "cgroup.procs").read_text().split())
    monkeypatch.setattr(control_groups, "_try_write", lambda *_: False)

    kill_group_members(path)

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    assert remove_group(path)


def test_groups_that_a_task_has_made_below_go_with_its_own(prefix: str) -> None:
    pid = _fork_into_group(prefix, lambda path: os.makedirs(f"{path}/of/a task"))
    os.waitpid(pid, 0)

    assert os.path.isdir(f"{prefix}{pid}/of/a task")
    assert remove_group(f"{prefix}{pid}")


def test_the_kernel_ends_what_goes_beyond_its_memory(prefix: str) -> None:
    above = Path(os.path.dirname(prefix), "cgroup.subtree_control")
    if "memory" not in above.read_text().split():
        pytest.skip(f"NOT TESTED: {above} passes on no memory controller")

    def work(path: str | None) -> None:
        if path is not None and limit_group(path, memory_bytes_max=64 * 2**20, cpu_weight=25):
            os.fork()  # both end
            kept = bytearray(200 * 2**20)
            kept[::4096] = b"x" * len(kept[::4096])

    pid = _fork_into_group(prefix, work)
    _, status = os.waitpid(pid, 0)

    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
    assert find_memory_hit(f"{prefix}{pid}") == 64 * 2**20
    _wait_until(lambda: remove_group(f"{prefix}{pid}"))
