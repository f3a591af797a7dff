"""The set-up, as a person meets it: what it says when it cannot go on, and that it leaves nothing half made.

Faults that a real machine cannot be made to have here (no network, a full disk) are played by a stand-in for mmdebstrap.
"""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """The environment variables of a machine with an empty cache and only the commands of its own bin folder first."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "cache").mkdir()
    # Inside the userland there is no mount namespace to be made; outside, unshare is util-linux's own.
    unshare = tmp_path / "bin/unshare"
    unshare.write_text(
        '#!/bin/sh\nwhile [ "${1#--}" != "$1" ]; do shift; done\n[ "$1" = private ] && shift\nexec "$@"\n'
    )
    unshare.chmod(0o755)
    variables = {name: value for name, value in os.environ.items() if not name.startswith("XINTERP_")}
    return variables | {
        "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
        "XINTERP_CACHE": f"{tmp_path}/cache",
        "XINTERP_USE": "sysroot",
        "XINTERP_MIRROR": "http://mirror.invalid/debian",
    }


def command(machine: dict[str, str], name: str, script: str) -> None:
    """Put a command on the machine."""
    path = Path(machine["PATH"].split(":")[0]) / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def set_up(machine: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([REPO / "tools/in", "true"], env=machine, capture_output=True, text=True, timeout=60)


def left_behind(machine: dict[str, str]) -> list[str]:
    return sorted(path.name for path in Path(machine["XINTERP_CACHE"]).iterdir() if path.name.startswith("sysroot"))


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("E: Failed to fetch: Temporary failure resolving 'mirror.invalid'", "the Debian mirror could not be reached."),
        ("cannot write: No space left on device", "is full."),
        ("E: Unable to locate package xeus-dev", "a package of tools/packages.txt is not in Debian forky any more:"),
        ("E: something else", "the set-up failed; the last lines were:"),
    ],
)
def test_a_failed_set_up_says_why_and_leaves_nothing(machine: dict[str, str], said: str, sentence: str) -> None:
    command(
        machine,
        "mmdebstrap",
        f'for last; do target=$before; before=$last; done; mkdir -p "$target/usr"; echo "I: working"; echo "{said}" >&2; exit 1',
    )
    result = set_up(machine)
    assert result.returncode == 1
    assert sentence in result.stderr
    assert "about 700 MB to download, 3800 MB on disk, 5 minutes" in result.stderr, "the cost is said before it starts"
    assert re.search(r"^  \d+ s  working$", result.stderr, re.MULTILINE), "progress is shown"
    assert left_behind(machine) == []


def test_files_that_vanish_while_they_are_counted_do_not_end_it(machine: dict[str, str], tmp_path: Path) -> None:
    counted = tmp_path / "counted"
    command(machine, "sleep", "exec /usr/bin/sleep 0.001")  # it counts every 60 of them
    command(machine, "du", f"echo 123; touch {counted}; exit 1")
    command(machine, "mmdebstrap", f'until [ -e {counted} ]; do sleep 1; done; echo "E: the end" >&2; exit 1')
    result = set_up(machine)
    assert re.search(r"^  \d+ s  123 MB on disk$", result.stderr, re.MULTILINE)
    assert "the set-up failed; the last lines were:\n         E: the end" in result.stderr


def test_too_little_disk_is_said_before_anything_is_fetched(machine: dict[str, str]) -> None:
    command(machine, "mmdebstrap", "exit 99")
    command(machine, "df", "echo head; echo disk 1 1 500 1% /")
    result = set_up(machine)
    assert (result.returncode, left_behind(machine)) == (1, [])
    assert "the set-up needs 5000 MB in" in result.stderr and "and 500 MB are free." in result.stderr


def test_an_ordinary_user_without_mmdebstrap_is_told_what_to_ask_for(machine: dict[str, str], tmp_path: Path) -> None:
    command(machine, "id", "echo 1000")
    for name in ("bash", "dirname", "sed", "tr", "sha256sum", "cut", "mkdir", "flock", "cat"):
        source = subprocess.run(
            ["sh", "-c", f"command -v {name}"], capture_output=True, text=True, check=True
        ).stdout.strip()
        (tmp_path / "bin" / name).symlink_to(source)
    result = set_up(machine | {"PATH": f"{tmp_path}/bin"})
    assert result.returncode == 1
    assert "only root can install them." in result.stderr
    assert "apt-get install mmdebstrap uidmap" in result.stderr


def test_no_mirror_is_a_sentence(machine: dict[str, str]) -> None:
    command(machine, "mmdebstrap", "exit 99")
    command(machine, "apt-get", "exit 0")
    result = set_up(machine | {"XINTERP_MIRROR": ""})
    assert "no Debian mirror is configured on this machine." in result.stderr
    assert "Set XINTERP_MIRROR to the address of one" in result.stderr


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_set_up_leaves_nothing(machine: dict[str, str], how: signal.Signals) -> None:
    command(
        machine,
        "mmdebstrap",
        'for last; do target=$before; before=$last; done; mkdir -p "$target/usr"; echo "I: begun"; exec sleep 60',
    )
    process = subprocess.Popen(
        [REPO / "tools/in", "true"], env=machine, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stderr is not None
    while "begun" not in process.stderr.readline():
        pass
    os.killpg(process.pid, how)
    said = process.stderr.read()
    assert process.wait(timeout=30) == 130
    assert "set-up interrupted; nothing was left behind. Run the same command again to retry." in said
    assert left_behind(machine) == []


def test_a_set_up_that_was_killed_is_begun_anew(machine: dict[str, str]) -> None:
    command(machine, "mmdebstrap", 'echo "$target" >&2; exit 1')
    cache = Path(machine["XINTERP_CACHE"])
    set_up(machine)
    # What a kill -9 would have left: found under the name that the next set-up uses.
    command(
        machine,
        "mmdebstrap",
        'for last; do target=$before; before=$last; done; ls -A "$target" | grep -q . && echo "E: not empty" || echo "E: was empty"; exit 1',
    )
    name = subprocess.run(
        ["bash", "-c", f"repo={REPO}; source {REPO}/tools/environment/messages.sh; source {REPO}/tools/environment/sysroot.sh; sysroot_folder"],
        env=machine, capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    (cache / (Path(name).name + ".partial") / "half").mkdir(parents=True)
    assert "E: was empty" in set_up(machine).stderr
    assert left_behind(machine) == []


def test_a_wrong_choice_of_environment_is_a_sentence(machine: dict[str, str]) -> None:
    result = set_up(machine | {"XINTERP_USE": "docker"})
    assert (result.returncode, result.stderr) == (
        1,
        "xinterp: XINTERP_USE is 'docker'; it may be host, conda or sysroot.\n",
    )


def test_without_a_command_it_says_what_it_wants() -> None:
    result = subprocess.run([REPO / "tools/in"], capture_output=True, text=True)
    assert result.returncode == 1
    assert "tools/in needs a command, for example: tools/in jupyter console --kernel xinterp" in result.stderr


def test_commands_find_the_kernel() -> None:
    listed = subprocess.run(
        [REPO / "tools/in", "jupyter", "kernelspec", "list"], capture_output=True, text=True, timeout=60
    )
    assert any(line.split()[:1] == ["xinterp"] for line in listed.stdout.splitlines())


def test_waiting_for_another_set_up_is_said(machine: dict[str, str]) -> None:
    command(machine, "mmdebstrap", "exec sleep 60")
    first = subprocess.Popen(
        [REPO / "tools/in", "true"], env=machine, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert first.stderr is not None
    while "Setting up" not in first.stderr.readline():
        pass
    second = subprocess.Popen(
        [REPO / "tools/in", "true"], env=machine, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert second.stderr is not None
    assert second.stderr.readline() == "Another set-up is running; waiting for it.\n"
    for process in (second, first):
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=30)
    assert left_behind(machine) == []
