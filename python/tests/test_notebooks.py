"""Notebook tasks without Spark: cells, outputs, magics, failures, includes."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from support.attempts import PYTHON_FOLDER, Outcome, Workspace


def states(outcome: Outcome) -> list[str]:
    return [cell["state"] for cell in outcome.cells]


def test_cells_share_one_namespace_and_keep_their_output(workspace: Workspace) -> None:
    outcome = workspace.run_notebook(
        """# MAGIC %md
# MAGIC # Title
# MAGIC text

# COMMAND ----------

# DBTITLE 1,Numbers
import sys
x = 20
print("x is", x)
print("warn", file=sys.stderr)

# COMMAND ----------

def double(n):
    return n * 2

double(x) + 2
"""
    )

    assert outcome.result["state"] == "succeeded", outcome.log
    assert [cell["language"] for cell in outcome.cells] == ["markdown", "python", "python"]
    assert outcome.cells[0]["source"] == "%md\\n# Title\\ntext".replace("\\\\n", "\n").replace("\\n", "\n")
    assert outcome.cells[1]["title"] == "Numbers"
    assert outcome.cells[1]["outputs"] == [
        {"kind": "text", "text": "x is 20\n"},
        {"kind": "text", "text": "warn\n", "stream": "stderr"},
    ]
    assert outcome.cells[2]["outputs"] == [{"kind": "text", "text": "42\n"}]
    assert outcome.log == "x is 20\nwarn\n42\n"
    assert all(cell["elapsed_ms"] is not None for cell in outcome.cells)


def test_an_exception_fails_its_cell_and_skips_the_rest(workspace: Workspace) -> None:
    outcome = workspace.run_notebook(
        """ok = 1

# COMMAND ----------
def check(n):
    raise ValueError(f"bad {n}")

check(7)

# COMMAND ----------
print("never")
"""
    )

    assert states(outcome) == ["succeeded", "failed", "skipped"]
    assert outcome.message == "ValueError: bad 7"
    error = outcome.cells[1]["outputs"][-1]
    assert error["kind"] == "error"
    assert error["message"] == "ValueError: bad 7"
    assert 'File "/Users/ann/notebook, cell 2", line 4, in <module>' in error["trace"]
    assert "check(7)" in error["trace"]
    assert "IPython" not in error["trace"]
    assert outcome.trace == error["trace"]


def test_exit_ends_the_notebook_well(workspace: Workspace) -> None:
    outcome = workspace.run_notebook(
        """import json
try:
    dbutils.notebook.exit(json.dumps({"rows": 3}))
except Exception:
    print("caught")

# COMMAND ----------
print("never")
"""
    )

    assert json.loads(outcome.exit_value or "") == {"rows": 3}
    assert states(outcome) == ["succeeded", "skipped"]
    assert outcome.log == ""


@pytest.mark.parametrize(("code", "state"), [("sys.exit(0)", "succeeded"), ("sys.exit(3)", "failed")])
def test_sys_exit_in_a_notebook(workspace: Workspace, code: str, state: str) -> None:
    outcome = workspace.run_notebook(f"import sys\n{code}\n\n# COMMAND ----------\nprint('never')\n")

    assert outcome.result["state"] == state
    assert states(outcome) == [state, "skipped"]
    assert "never" not in outcome.log


def test_a_syntax_error_fails_only_when_its_cell_is_reached(workspace: Workspace) -> None:
    outcome = workspace.run_notebook("print('first')\n\n# COMMAND ----------\nif x\n")

    assert states(outcome) == ["succeeded", "failed"]
    assert outcome.message.startswith("SyntaxError: expected ':'")


def test_display_gives_tables_html_and_images(workspace: Workspace) -> None:
    outcome = workspace.run_notebook(
        """import pandas as pd
df = pd.DataFrame({"day": pd.to_datetime(["2026-01-01"]), "n": [2**60], "x": [float("nan")]})
display(df)
displayHTML("<b>bold</b>")
df

# COMMAND ----------
import matplotlib.pyplot as plt
plt.plot([1, 2, 3])
plt.show()

# COMMAND ----------
figure, axes = plt.subplots()
axes.plot([1, 2])
display(figure)

# COMMAND ----------
plt.bar([1, 2], [3, 4]);
"""
    )

    assert outcome.result["state"] == "succeeded", outcome.log
    table, html, frame = outcome.cells[0]["outputs"]
    assert table["rows"] == [["2026-01-01T00:00:00", str(2**60), "nan"]]
    assert [column["name"] for column in table["columns"]] == ["day", "n", "x"]
    assert html == {"kind": "html", "html": "<b>bold</b>"}
    assert frame["kind"] == "html"
    for cell in outcome.cells[1:]:
        assert [output["kind"] for output in cell["outputs"]] == ["image"], cell["outputs"]
        assert cell["outputs"][0]["mime"] == "image/png"


def test_a_table_is_cut_at_its_limits(workspace: Workspace) -> None:
    outcome = workspace.run_notebook(
        "display([{'n': i} for i in range(1500)])\ndisplay([{'t': 'x' * 10**8}] * 2)\ndisplay([{'t': 'x' * 60_000}] * 50)\n"
    )

    rows, long, wide = outcome.cells[0]["outputs"]
    assert (len(rows["rows"]), rows["truncated"]) == (1000, True)
    assert rows["note"] == "Only the first 1000 rows are kept"
    assert long["rows"][0][0].endswith("xx… (100000000 characters)")
    assert (len(long["rows"]), long["truncated"]) == (2, False)
    assert (len(wide["rows"]), wide["truncated"]) == (34, True)
    assert wide["note"] == "Only the first 34 rows are kept: a table may have 2 MiB"


def test_long_output_of_a_cell_is_cut_and_the_log_has_it(workspace: Workspace) -> None:
    outcome = workspace.run_notebook("for i in range(400):\n    print('x' * 1000)\n")

    (output,) = outcome.cells[0]["outputs"]
    assert 256 * 1024 < len(output["text"]) < 257 * 1024
    assert "the log has more" in output["text"]
    assert len(outcome.log) > 400_000


def test_the_error_of_a_cell_with_very_many_outputs_is_kept(workspace: Workspace) -> None:
    outcome = workspace.run_notebook("for i in range(300):\n    displayHTML(str(i))\nraise ValueError('late')\n")

    outputs = outcome.cells[0]["outputs"]
    assert len(outputs) == 202
    assert "more than 200 outputs" in outputs[-2]["text"]
    assert outputs[-1]["message"] == "ValueError: late"


def test_run_includes_another_notebook(workspace: Workspace) -> None:
    workspace.write(
        "workspace/Users/ann/lib/setup",
        "# Databricks notebook source\nshared = 5\n\n# COMMAND ----------\n# MAGIC %run ./deeper\n",
    )
    workspace.write(
        "workspace/Users/ann/lib/deeper.py",
        "# Databricks notebook source\ndeep = shared + 1\nprint('env', dbutils.widgets.get('env'))\n",
    )

    outcome = workspace.run_notebook(
        '# MAGIC %run ./lib/setup $env="test"\n\n# COMMAND ----------\nprint(shared, deep)\n'
    )

    assert outcome.result["state"] == "succeeded", outcome.log
    assert outcome.cells[0]["language"] == "run"
    assert outcome.cells[0]["outputs"] == [{"kind": "text", "text": "env test\n"}]
    assert outcome.log == "env test\n5 6\n"


def test_run_of_a_missing_notebook_or_a_circle_fails(workspace: Workspace) -> None:
    missing = workspace.run_notebook("# MAGIC %run ./nowhere\n")
    circle = workspace.run_notebook("# MAGIC %run ./notebook\n")

    assert missing.code == "RESOURCE_NOT_FOUND"
    assert missing.message == "notebook /Users/ann/nowhere does not exist in the workspace"
    assert "%run goes round in a circle" in circle.message


def test_magics_that_are_not_supported_refuse(workspace: Workspace) -> None:
    outcome = workspace.run_notebook("# MAGIC %scala\n# MAGIC val x = 1\n")

    assert outcome.message == "Scala cells are not supported: Headrace runs Python and SQL notebooks"
    assert states(outcome) == ["failed"]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("x = 1\n%scala\n", "Scala cells are not supported: Headrace runs Python and SQL notebooks"),
        ("%%r\nx <- 1\n", "R cells are not supported: Headrace runs Python and SQL notebooks"),
        (
            "%tensorboard --logdir /x\n",
            "%tensorboard is not supported in a job: it serves a page to somebody who looks",
        ),
        ("%nothing 1\n", "%nothing is not supported; there are: %run, %pip, %sql, %sh, %fs, %md, %python, and"),
        ("%%nothing\n1\n", "%%nothing is not supported; there are: %run, "),
    ],
)
def test_a_magic_that_is_not_there_is_named(workspace: Workspace, code: str, message: str) -> None:
    outcome = workspace.run_notebook(code)

    assert outcome.message.startswith(message), outcome.log
    assert states(outcome) == ["failed"]


def test_magics_that_notebooks_bring_from_elsewhere_work(workspace: Workspace) -> None:
    outcome = workspace.run_notebook(
        """%matplotlib inline
%config InlineBackend.figure_format = "png"
%load_ext autoreload
%autoreload 2
%env LEVEL=5
x = !echo from a shell
print(x[0])

# COMMAND ----------
%%time
y = sum(range(10))
y

# COMMAND ----------
%timeit -n 1 -r 1 sum(range(10))

# COMMAND ----------
%%sh
echo out; echo err >&2; printf '\\377'; exit 3

# COMMAND ----------
%%html
<b>bold</b>
"""
    )

    assert outcome.result["state"] == "succeeded", outcome.log
    assert "from a shell" in outcome.log
    texts = ["".join(output.get("text", "") for output in cell["outputs"]) for cell in outcome.cells]
    assert "Wall time" in texts[1] and texts[1].endswith("45\n")
    assert "1 loop" in texts[2]
    assert texts[3] == "out\nerr\n\ufffdthe shell script exited with status 3; with %sh -e it fails\n"
    assert outcome.cells[4]["outputs"] == [{"kind": "html", "html": "<b>bold</b>\n"}]


def test_a_shell_script_with_e_fails_its_cell(workspace: Workspace) -> None:
    outcome = workspace.run_notebook("# MAGIC %sh -e\n# MAGIC exit 3\n")

    assert outcome.message == "RuntimeError: the shell script exited with status 3"


def test_shell_and_fs_magics_put_their_output_into_the_cell(workspace: Workspace) -> None:
    workspace.write("dbfs/landing/a.csv", "x")

    outcome = workspace.run_notebook(
        "# MAGIC %sh\n# MAGIC echo one\n# MAGIC false\n# MAGIC echo two\n\n# COMMAND ----------\n# MAGIC %fs ls /landing\n"
    )

    assert outcome.result["state"] == "succeeded", outcome.log
    assert outcome.cells[0]["outputs"] == [{"kind": "text", "text": "one\ntwo\n"}]
    assert outcome.cells[1]["outputs"][0]["rows"][0][:3] == ["dbfs:/landing/a.csv", "a.csv", 1]


@pytest.mark.parametrize(
    "named", ["/Users/ann/plain", "/Users/ann/plain.py", "/Workspace/Users/ann/plain", "Users/ann/plain"]
)
def test_a_plain_python_file_is_a_notebook_of_one_cell(workspace: Workspace, named: str) -> None:
    workspace.write("workspace/Users/ann/plain.py", "import os\nprint(os.path.basename(os.getcwd()))\n")

    outcome = workspace.run({"kind": "notebook", "notebook_path": named, "parameters": {}})

    assert outcome.log == "ann\n"
    assert len(outcome.cells) == 1


def test_a_missing_notebook_is_named(workspace: Workspace) -> None:
    outcome = workspace.run({"kind": "notebook", "notebook_path": "/Users/ann/none", "parameters": {}})

    assert outcome.code == "RESOURCE_NOT_FOUND"
    assert outcome.message == "notebook /Users/ann/none does not exist in the workspace"


def test_a_notebook_forked_from_a_warm_process_opens_hosted_folders(workspace: Workspace) -> None:
    workspace.write("workspace/Users/ann/rows.csv", "a,b\n")
    workspace.write(
        "workspace/Users/ann/notebook",
        "# Databricks notebook source\nimport pathlib\nprint(open('/Workspace/Users/ann/rows.csv').read(),"
        " pathlib.Path('/Workspace/Users/ann/rows.csv').read_text(), open('rows.csv').read())\n",
    )
    folder = workspace.prepare({"kind": "notebook", "notebook_path": "/Users/ann/notebook", "parameters": {}})
    zygote = (
        "import sys, IPython.core.interactiveshell, headrace_runtime.preload\n"
        "from headrace_runtime.launch import main\nsys.exit(main(sys.argv[1]))\n"
    )

    finished = subprocess.run(
        [sys.executable, "-c", zygote, str(folder)],
        env={**os.environ, "PYTHONPATH": str(PYTHON_FOLDER)},
        capture_output=True,
        check=False,
    )

    assert finished.stdout.decode().split() == ["a,b"] * 3, finished.stderr.decode()


def test_no_path_and_no_link_leads_out_of_the_workspace(workspace: Workspace) -> None:
    outside = workspace.write("outside.py", "print('outside')\n")
    workspace.write("workspace/Users/ann/notebook", "")
    (workspace.root / "workspace/Users/ann/link.py").symlink_to(outside)

    link = workspace.run_notebook("# MAGIC %run ./link\n")
    dots = workspace.run_notebook("# MAGIC %run ../../../outside\n")
    start = workspace.run({"kind": "notebook", "notebook_path": "/../../outside.py", "parameters": {}})

    assert link.message == "notebook /Users/ann/link is a link that leads out of the workspace"
    assert dots.message == "notebook /outside does not exist in the workspace"
    assert start.message == "notebook /../../outside.py does not exist in the workspace"


def test_modules_beside_the_notebook_are_imported(workspace: Workspace) -> None:
    workspace.write("workspace/Users/ann/beside.py", "X = 9\n")

    assert workspace.run_notebook("import beside\nprint(beside.X)\n").log == "9\n"


def test_pip_installs_for_this_task_only(workspace: Workspace) -> None:
    from support.wheels import make_wheel

    make_wheel(workspace.root / "volumes/main/a/b", "headrace_test_extra", {"headrace_test_extra.py": "X = 3\n"})
    workspace.environment = {"PIP_NO_INDEX": "1"}

    outcome = workspace.run_notebook(
        """# MAGIC %pip install /Volumes/main/a/b/headrace_test_extra-1.0-py3-none-any.whl

# COMMAND ----------
dbutils.library.restartPython()

# COMMAND ----------
import headrace_test_extra
print("extra", headrace_test_extra.X)

# COMMAND ----------
# MAGIC %pip install headrace-nothing-like-it
"""
    )

    assert "extra 3" in outcome.log
    assert outcome.code == "LIBRARY_INSTALLATION_ERROR"
    assert "No matching distribution found for headrace-nothing-like-it" in outcome.message
