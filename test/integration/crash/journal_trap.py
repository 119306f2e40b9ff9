"""On the path of a host and its children as `sitecustomize`: kills the host right before or after one journal line.

The file `trap` beside it says which: `<kind> <side>`. It springs once. Nothing of this is in the product: the lines
are known by how they begin.
"""

import json
import os
import signal

_write = os.write
_trap = os.path.join(os.path.dirname(os.path.abspath(__file__)), "trap")


def _read_trap() -> list[str]:
    try:
        with open(_trap) as file:
            return file.read().split()
    except OSError:
        return []


def _kill_host() -> None:
    try:
        os.rename(_trap, f"{_trap}.sprung")
    except OSError:
        return  # another process was faster
    with open(os.path.join(os.environ["HEADRACE_HOST_FOLDER"], "host.json")) as file:
        host = json.load(file)["pid"]
    os.kill(host, signal.SIGKILL)
    if host != os.getpid():
        signal.pause()  # it dies with the host


def _write_trapped(fd: int, data: bytes) -> int:
    if bytes(data[:9]) != b'{"kind":"':
        return _write(fd, data)
    kind, side = (*_read_trap(), "", "")[:2]
    is_trapped = bytes(data).startswith(b'{"kind":"%s"' % kind.encode())
    if is_trapped and side == "before":
        _kill_host()
    written = _write(fd, data)
    if is_trapped and side == "after":
        _kill_host()
    return written


os.write = _write_trapped
