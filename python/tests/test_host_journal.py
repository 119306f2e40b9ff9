from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from headrace_runtime.journal import Journal, format_record, replay_journal
from headrace_runtime.protocol import HostedEnd

END: HostedEnd = {
    "exit_code": 0,
    "signal": None,
    "started": True,
    "at_ms": 5,
    "stopped": False,
    "log_truncated": False,
}


def write(journal: Journal, *records: dict[str, Any]) -> None:
    for record in records:
        journal.append({"epoch": 1, **record})


def test_a_journal_that_is_not_there_knows_nothing(tmp_path: Path) -> None:
    assert replay_journal(str(tmp_path / "none")) == {}


def test_each_attempt_is_known_by_its_last_state(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path / "journal"))
    for attempt_id in (1, 2, 3, 4, 5):
        write(journal, {"kind": "intended", "attempt_id": attempt_id})
    write(journal, {"kind": "held", "attempt_id": 2, "pid": 22})
    for attempt_id in (3, 4, 5):
        write(journal, {"kind": "started", "attempt_id": attempt_id, "pid": 33, "at_ms": 4})
    for attempt_id in (4, 5):
        write(journal, {"kind": "ended", "attempt_id": attempt_id, "end": END})
    write(journal, {"kind": "acked", "attempt_id": 5}, {"kind": "dropped", "attempt_id": 1})

    known = replay_journal(journal.path)

    assert {attempt_id: attempt["state"] for attempt_id, attempt in known.items()} == {
        2: "held",
        3: "started",
        4: "ended",
    }
    assert known[2]["pid"] == 22
    assert known[3]["started_at_ms"] == 4
    assert known[4]["end"] == END


def test_a_line_that_a_crash_cut_off_is_ignored(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path / "journal"))
    write(journal, {"kind": "intended", "attempt_id": 1})
    with open(journal.path, "ab") as file:
        file.write(format_record({"kind": "started", "attempt_id": 1, "epoch": 1, "pid": 1, "at_ms": 1})[:-9])

    assert replay_journal(journal.path)[1]["state"] == "held"


def test_a_proof_of_another_epoch_proves_nothing(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path / "journal"))
    journal.append({"kind": "intended", "attempt_id": 1, "epoch": 2})
    journal.append({"kind": "started", "attempt_id": 1, "epoch": 1, "pid": 1, "at_ms": 1})

    assert replay_journal(journal.path)[1]["state"] == "held"


def test_who_leads_an_attempt_is_kept_with_it(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path / "journal"))
    write(journal, {"kind": "intended", "attempt_id": 1}, {"kind": "taken", "attempt_id": 1, "owner_epoch": 3})
    before = replay_journal(journal.path)

    journal.compact(list(before.values()))

    assert before[1]["owner_epoch"] == 3
    assert replay_journal(journal.path) == before


def test_compacting_keeps_what_is_known(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path / "journal"))
    for attempt_id in range(100):
        write(journal, {"kind": "intended", "attempt_id": attempt_id})
        write(journal, {"kind": "started", "attempt_id": attempt_id, "pid": 3, "at_ms": 4})
    write(journal, {"kind": "ended", "attempt_id": 7, "end": END})
    before = replay_journal(journal.path)
    size = os.path.getsize(journal.path)

    journal.compact([before[7], before[8]])
    write(journal, {"kind": "acked", "attempt_id": 8})

    assert replay_journal(journal.path) == {7: before[7]}
    assert os.path.getsize(journal.path) < size / 10
