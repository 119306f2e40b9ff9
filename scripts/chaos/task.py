"""A task of the chaos workload: says in the diary when it begins, all the time while it runs, and when it ends.

Each line is one write to a file opened for appending: word, attempt, what it was started as, pid, CLOCK_MONOTONIC.
"""

import os
import signal
import sys
import time

diary_file, attempt, name, count, seconds, traits = sys.argv[1:7]
wanted = dict(trait.partition("=")[::2] for trait in traits.split(","))
diary = os.open(diary_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
BEAT_SECONDS = 0.1


def say(word: str) -> None:
    """One line, whole."""
    os.write(diary, f"{word} {attempt} {name} {os.getpid()} {time.monotonic():.4f}\n".encode())


def work(word: str, until: float) -> None:
    """Shows that it lives."""
    while time.monotonic() < until:
        time.sleep(min(BEAT_SECONDS, max(0.0, until - time.monotonic())))
        say(word)


say("start")
if "deaf" in wanted:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
end = time.monotonic() + float(seconds)
child = 0
if "child" in wanted:
    child = os.fork()
    if child == 0:
        # A session of its own: what ends the task's process group does not end this.
        os.setsid()
        work("child", end)
        os._exit(0)
work("beat", end)
if child:
    os.waitpid(child, 0)
if int(count) <= int(wanted.get("fails", "0")):
    say("fail")
    raise RuntimeError("not this time")
say("end")
