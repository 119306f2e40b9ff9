"""`dbutils.secrets`, and what a task that knows secrets leaves behind."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from headrace_runtime.host_secrets import ClusterSecrets, hide_values
from headrace_runtime.hosted import Attempt, open_descriptors
from headrace_runtime.init_scripts import run_init_scripts
from support.attempts import Workspace
from support.secrets_server import SecretsHandler, serve_secrets

SECRET = "hunter2-hunter2"


@pytest.fixture
def api() -> Iterator[dict[str, str]]:
    with serve_secrets() as served:
        yield served


def test_values_keys_and_scopes_are_read(workspace: Workspace, api: dict[str, str]) -> None:
    outcome = workspace.run_script(
        """
s = dbutils.secrets
print(len(s.get("open", "text")), s.get(scope="open", key="short"), s.getBytes("open", "bytes") == b"\\xff\\0\\xfe\\1")
print(s.list("open")[0], s.list("open")[0].key, s.listScopes(), s.listScopes()[0].getName())
s.help()
""",
        api=api,
    )

    assert outcome.result["state"] == "succeeded", outcome.log
    lines = outcome.log.splitlines()
    assert lines[:2] == ["15 abc True", "SecretMetadata(key='text') text [SecretScope(name='open')] open"]
    assert any(line.startswith("getBytes(scope: str, key: str)") for line in lines)


def test_what_cannot_be_read_says_why(workspace: Workspace, api: dict[str, str]) -> None:
    outcome = workspace.run_script(
        """
s = dbutils.secrets
for call in (
    lambda: s.get("open", "none"), lambda: s.get("closed", "k"), lambda: s.get("open", "bytes"),
    lambda: s.get("open", ""), lambda: s.list(None),
):
    try:
        call()
    except Exception as error:
        print(type(error).__name__, error)
""",
        api=api,
    )

    assert outcome.log.splitlines() == [
        "ValueError Secret does not exist with scope: open",
        "PermissionError ann does not have READ permission",
        "ValueError secret open/bytes is no text: read it with dbutils.secrets.getBytes('open', 'bytes')",
        "ValueError secrets.get: key is a text that is not empty, not a str",
        "ValueError secrets.list: scope is a text that is not empty, not a NoneType",
    ]


def test_a_server_that_is_away_for_a_moment_is_asked_again(workspace: Workspace, api: dict[str, str]) -> None:
    SecretsHandler.away = 2

    outcome = workspace.run_script("print(len(dbutils.secrets.get('open', 'text')))\n", api=api)

    assert outcome.log == "15\n"


@pytest.mark.parametrize(
    "ending",
    [
        "raise ValueError(f'cannot sign in with {secret!r}')",
        "import sys; sys.exit('bad: ' + secret)",
        "dbutils.notebook.exit('token=' + secret)",
        "raise ValueError('x' * 3_980 + secret)",
        "raise RuntimeError('outer') from ValueError(secret)",
    ],
)
def test_no_result_shows_a_secret(workspace: Workspace, api: dict[str, str], ending: str) -> None:
    outcome = workspace.run_script(f"secret = dbutils.secrets.get('open', 'text')\n{ending}\n", api=api)

    shown = json.dumps(outcome.result)
    assert SECRET not in shown
    assert "hunter2" not in shown
    assert "[REDACTED]" in shown


def test_no_cell_shows_a_secret(workspace: Workspace, api: dict[str, str]) -> None:
    outcome = workspace.run_notebook(
        """secret = dbutils.secrets.get("open", "text")
print("a", secret[:7], sep="", end=""); print(secret[7:], "b")
secret
# COMMAND ----------
displayHTML("<b>" + secret + "</b>")
display([{secret: 1, "b": secret}, {secret: 2, "b": [secret]}])
# COMMAND ----------
import base64
print(base64.b64encode(b"user:" + secret.encode()).decode())
# COMMAND ----------
print("x" * (256 * 1024 - 8) + secret)
# COMMAND ----------
raise ValueError(secret)
""",
        api=api,
    )

    shown = json.dumps([cell["outputs"] for cell in outcome.cells])
    assert "hunter2" not in shown
    assert base64.b64encode(SECRET.encode()).decode()[:10] not in shown
    kinds = [[output["kind"] for output in cell["outputs"]] for cell in outcome.cells]
    assert kinds == [["text"], ["html", "table"], ["text"], ["text"], ["error"]]
    assert outcome.cells[0]["outputs"][0]["text"].startswith("a[REDACTED] b\n")
    assert outcome.cells[1]["outputs"][1]["rows"] == [[1, "[REDACTED]"], [2, ["[REDACTED]"]]]


def test_names_of_a_document_stay_when_a_secret_is_like_them(workspace: Workspace, api: dict[str, str]) -> None:
    outcome = workspace.run_notebook(
        "from headrace_runtime import known_secrets\n"
        "for word in (b'text', b'kind', b'failed', b'message', b'RUN_EXECUTION_ERROR'):\n"
        "    known_secrets.learn(word)\n"
        "print('text')\nraise ValueError('failed')\n",
        api=api,
    )

    assert outcome.result["state"] == "failed"
    assert outcome.code == "RUN_EXECUTION_ERROR"
    assert outcome.message == "ValueError: [REDACTED]"
    assert outcome.cells[0]["outputs"][0] == {"kind": "text", "text": "[REDACTED]\n"}


def test_a_task_value_with_a_secret_is_refused(workspace: Workspace, api: dict[str, str]) -> None:
    outcome = workspace.run_script(
        "secret = dbutils.secrets.get('open', 'text')\ndbutils.jobs.taskValues.set('k', {'a': [secret]})\n", api=api
    )

    assert outcome.messages == []
    assert outcome.message.startswith("ValueError: task value 'k' holds a secret that this task knows")


def test_a_secret_read_through_the_sdk_is_hidden_too(workspace: Workspace, api: dict[str, str]) -> None:
    outcome = workspace.run_script(
        """
import base64
from databricks.sdk.core import ApiClient, Config
from databricks.sdk.service.workspace import SecretsAPI
import os
config = Config(host=os.environ["DATABRICKS_HOST"], token=os.environ["DATABRICKS_TOKEN"], auth_type="pat")
value = base64.b64decode(SecretsAPI(ApiClient(config)).get_secret("open", "text").value).decode()
dbutils.notebook.exit(value)
""",
        api=api,
    )

    assert outcome.exit_value == "[REDACTED]", outcome.log


def test_values_of_the_cluster_are_known_from_the_start(workspace: Workspace, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"secret_values": [base64.b64encode(SECRET.encode()).decode()]}))
    workspace.environment = {"HEADRACE_CLUSTER_SECRETS": str(config), "PASSWORD": SECRET}

    outcome = workspace.run_script(
        "import os\nassert 'HEADRACE_CLUSTER_SECRETS' not in os.environ\ndbutils.notebook.exit(os.environ['PASSWORD'])\n"
    )

    assert outcome.exit_value == "[REDACTED]", outcome.log


def test_a_value_is_not_given_out_when_the_host_cannot_be_told(workspace: Workspace, api: dict[str, str]) -> None:
    workspace.environment = {
        "HEADRACE_REDACT_KEY": "k",
        "HEADRACE_ATTEMPT": "1",
        "HEADRACE_HOST_SOCKET": "/nowhere.sock",
    }

    outcome = workspace.run_script("print(dbutils.secrets.get('open', 'text'))\n", api=api)

    assert outcome.message.startswith("RuntimeError: no secret can be read, for the host could not be told to hide it")


@pytest.mark.parametrize("ending", ["", "exit 3"])
def test_init_scripts_show_no_secret_of_their_cluster(
    workspace: Workspace, tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = workspace.write("workspace/Shared/init.sh", f'echo "$PASSWORD"; printf hunter2-; echo hunter2\n{ending}\n')
    monkeypatch.setenv("PASSWORD", SECRET)
    host = tmp_path / "host"
    host.mkdir()
    logs = tmp_path / "logs"
    config = {
        "data_root": str(tmp_path),
        "cluster_id": "c",
        "secret_values": [base64.b64encode(SECRET.encode()).decode()],
        "init_scripts": {"paths": [f"file:{script}"], "log_folder": f"file:{logs}", "timeout_ms": 60_000},
    }

    if ending:
        with pytest.raises(SystemExit):
            run_init_scripts(str(host), config)
    else:
        run_init_scripts(str(host), config)

    left = [path.read_text() for folder in (host, logs) for path in folder.rglob("*") if path.is_file()]
    assert "[REDACTED]\n[REDACTED]\n" in left
    assert not any("hunter2" in text for text in left)


def test_the_host_hides_what_its_cluster_was_given_and_what_the_task_tells(tmp_path: Path) -> None:
    async def play() -> bytes:
        config = {"secret_values": [base64.b64encode(b"of the cluster").decode()]}
        attempt = Attempt(1, 1, str(tmp_path), log_bytes_max=1_000)
        control_fd, write_fd = open_descriptors(attempt)
        os.close(control_fd)
        assert attempt.pump is not None and attempt.control is not None
        ClusterSecrets(str(tmp_path), config).hide_in(attempt)
        os.write(write_fd, b"given: of the clu")
        attempt.pump.drain()
        os.write(write_fd, b"ster, read: ")
        told = [base64.b64encode(b"of the task").decode()]
        assert hide_values(attempt, "another key", told) == {"error": "this task is not known here (any more)"}
        assert hide_values(attempt, attempt.redact_key, told) == {}
        os.write(write_fd, b"of the ta")
        attempt.pump.drain()
        os.write(write_fd, b"sk. of the")
        os.close(write_fd)
        assert attempt.pump.drain() is False
        attempt.pump.close()
        attempt.control.close()
        return (tmp_path / "output.log").read_bytes()

    assert asyncio.run(play()) == b"given: [REDACTED], read: [REDACTED]. of the"
