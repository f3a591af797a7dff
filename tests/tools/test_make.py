"""The make targets, and the front ends with the kernel: tried as a person would."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import nbformat
import pexpect
from harness import free_port, wait_until_listening

REPO = Path(__file__).parents[2]


def outputs(cell: nbformat.NotebookNode) -> str:
    """All text of a cell's outputs."""
    texts = []
    for output in cell.outputs:
        texts.append(output.get("text") or output.get("evalue") or output.get("data", {}).get("text/plain", ""))
    return "\n".join(texts)


def test_the_demo_runs_the_notebook_and_prints_a_summary(tmp_path: Path) -> None:
    demo = [sys.executable, REPO / "tools/commands/demo.py", REPO / "notebooks/0-first-minute.ipynb", tmp_path / "demo"]
    result = subprocess.run(demo, capture_output=True, text=True, timeout=110)
    assert result.returncode == 0, result.stderr
    rows = [re.split(r"\s{2,}", line) for line in result.stdout.splitlines() if line.startswith("[")]
    assert [row[1] for row in rows][:3] == ["kernel", "alice", "main"]
    assert "alice,bob" in [row[1] for row in rows]
    notebook = nbformat.read(tmp_path / "demo/0-first-minute.ipynb", as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert "created alice" in outputs(cells[0])
    assert "alice has x = 42" in outputs(cells[1])
    assert "name 'x' is not defined" in outputs(cells[2])
    assert any("[alice]" in outputs(cell) and "[bob]" in outputs(cell) for cell in cells)
    html = (tmp_path / "demo/0-first-minute.html").read_text()
    assert "alice has x = 42" in html


def test_help_lists_the_targets() -> None:
    said = subprocess.run(["make", "-C", REPO, "help"], capture_output=True, text=True, check=True).stdout
    for target in ("demo", "lab", "lessons", "test", "bench", "clean"):
        assert f"make {target} " in said


def test_jupyter_console_runs_cells_in_interpreters() -> None:
    console = pexpect.spawn(
        "jupyter console --kernel xinterp --simple-prompt",
        encoding="utf-8",
        timeout=60,
        env=os.environ | {"TERM": "dumb"},
    )
    console.expect(r"In \[1\]: ")
    console.sendline("%interp create alice")
    console.expect("created alice")
    console.expect(r"In \[2\]: ")
    console.sendline("%interp use alice")
    console.expect(r"In \[3\]: ")
    console.sendline("import _xinterp; _xinterp.interpreter > 0")
    console.expect(r"Out\[3\]: True")
    console.expect(r"In \[4\]: ")
    console.sendline("%interp")
    console.expect("alice +notebook +own +idle")
    console.sendline("exit()")
    console.close(force=True)


def test_lab_serves_a_copy_of_the_notebooks_with_this_kernel_alone(tmp_path: Path) -> None:
    port = free_port()
    lab = pexpect.spawn(
        str(REPO / "tools/commands/lab.sh"),
        [str(REPO / "notebooks"), str(tmp_path / "mine"), "--no-browser", f"--port={port}"],
        encoding="utf-8",
        timeout=60,
    )
    try:
        lab.expect(r"(http://(?:localhost|127\.0\.0\.1):\d+)/lab\?token=(\w+)")
        assert lab.match is not None
        url, token = lab.match.groups()
        wait_until_listening(port)

        def get(path: str) -> dict[str, object]:
            request = urllib.request.Request(f"{url}/{path}", headers={"Authorization": f"token {token}"})
            with urllib.request.urlopen(request, timeout=30) as response:
                return json.load(response)

        specs = get("api/kernelspecs")
        assert (specs["default"], [*specs["kernelspecs"]]) == ("xinterp", ["xinterp"])  # type: ignore[misc]
        assert "1-isolation.ipynb" in [item["name"] for item in get("api/contents")["content"]]  # type: ignore[attr-defined]
        assert (tmp_path / "mine/lesson.py").read_bytes() == (REPO / "notebooks/lesson.py").read_bytes()
    finally:
        lab.close(force=True)


def test_lab_keeps_what_a_reader_has_written_and_follows_the_rest(tmp_path: Path) -> None:
    jupyter = tmp_path / "bin/jupyter"
    jupyter.parent.mkdir()
    jupyter.write_text("#!/bin/sh\n")
    jupyter.chmod(0o755)
    notebooks, mine = tmp_path / "notebooks", tmp_path / "mine"
    notebooks.mkdir()

    def lab() -> str:
        environment = os.environ | {"PATH": f"{jupyter.parent}:{os.environ['PATH']}"}
        command = [REPO / "tools/commands/lab.sh", notebooks, mine]
        return subprocess.run(command, env=environment, check=True, text=True, stderr=subprocess.PIPE).stderr

    for name in ("one.ipynb", "two.ipynb"):
        (notebooks / name).write_text("first")
    assert lab() == ""
    (mine / "one.ipynb").write_text("an answer")
    assert lab() == ""
    for name in ("one.ipynb", "two.ipynb"):
        (notebooks / name).write_text("second")
    assert lab() == (
        f"lab: {mine}/one.ipynb stays as you have changed it; {notebooks}/one.ipynb is newer."
        " Delete yours to get that one.\n"
    )
    assert [(mine / name).read_text() for name in ("one.ipynb", "two.ipynb")] == ["an answer", "second"]
