"""What a person sees of long work: a bar or a status on a terminal, and nothing anywhere else."""

from __future__ import annotations

import itertools
import subprocess
import sys

import pytest

from inference_tasks._runtime.progress import Progress, Status, _clock, _speed
from tests.support.terminal import terminal

PYTHON = (sys.executable, "-c")

WORK = """
import time
from inference_tasks._runtime.progress import Progress
progress = Progress(INPUTS, True)
try:
    for number in range(COUNT):
        time.sleep(0.01)
        progress.step()
        AFTER
finally:
    progress.close()
print("end")
"""

STATUS = """
import sys, time
from inference_tasks._runtime.progress import Status
with Status("loading") as status:
    sys.stdin.readline()
    status.say("running")
    sys.stdin.readline()
    AFTER
print("end")
"""


def program(text: str, inputs: str = "range(30)", count: int = 30, after: str = "pass") -> str:
    return text.replace("INPUTS", inputs).replace("COUNT", str(count)).replace("AFTER", after)


def frames(printed: str) -> list[str]:
    """Every state that the line was in."""
    return [frame.rstrip() for frame in printed.replace("\r\n", "\r").split("\r") if frame.strip()]


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_a_bar_grows_within_the_width_and_stays(columns: int) -> None:
    with terminal(program(WORK), program=PYTHON, columns=columns) as shown:
        assert shown.wait() == 0
    first, *_, last, end = frames(shown.printed)
    assert all(len(frame) < columns for frame in shown.printed.replace("\n", "\r").split("\r"))
    assert end == "end"
    assert shown.screen == [last, "end", ""]
    assert ("[" in first) == (columns >= 40)
    assert "0%   0/30" in first
    if columns >= 40:
        assert "100%  30/30" in last and "/s" in last
        assert "." not in last.partition("]")[0]
    done = [int(frame.partition("/30")[0].split()[-1]) for frame in frames(shown.printed)[:-1]]
    assert done == sorted(done)


def test_it_is_not_redrawn_for_every_step() -> None:
    with terminal(program(WORK, "range(20000)", 20000).replace("sleep(0.01)", "sleep(0)"), program=PYTHON) as shown:
        assert shown.wait() == 0
    seen = len(frames(shown.printed))
    assert 3 <= seen < 200


def test_an_unknown_number_is_counted() -> None:
    with terminal(program(WORK, "iter([])"), program=PYTHON) as shown:
        assert shown.wait() == 0
    *_, before, last, _ = frames(shown.printed)
    assert last.startswith("30 done  ") and last.endswith("/s")
    assert before.partition(" done")[0].isdigit()


@pytest.mark.parametrize("after", ["raise SystemExit('broken')", "print('between')"])
def test_others_begin_on_lines_of_their_own(after: str) -> None:
    clear = "progress.clear(); " if "print" in after else ""
    with terminal(program(WORK, count=2, after=clear + after), program=PYTHON) as shown:
        shown.wait()
    assert [line for line in shown.screen if "[" not in line] in (["broken", ""], ["between", "between", "end", ""])


def test_nothing_done_leaves_nothing() -> None:
    with terminal(program(WORK, count=0), program=PYTHON) as shown:
        assert shown.wait() == 0
    assert "0/30" in shown.printed
    assert shown.screen == ["end", ""]


def test_ctrl_c_leaves_the_line() -> None:
    with terminal(program(WORK, count=10_000), program=PYTHON) as shown:
        shown.until("[1-9]0?/30")
        shown.send("\x03")
        shown.wait()
    below = shown.screen[1:]
    assert below[0].startswith("Traceback"), "on a line of its own"


@pytest.mark.parametrize("text", [program(WORK), program(STATUS, after="time.sleep(1.2)")])
def test_pipes_and_machines_see_nothing(text: str) -> None:
    result = subprocess.run([*PYTHON, text], input="\n\n", capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "end\n", "")
    with terminal(text, program=PYTHON, variables={"CI": "true"}) as shown:
        shown.send("\n\n")
        assert shown.wait() == 0
    assert [line for line in shown.screen if line] == ["end"]


def test_a_status_comes_after_a_while_and_goes() -> None:
    with terminal(program(STATUS), program=PYTHON) as shown:
        shown.until(r"\| loading \(\d+ s\)")
        shown.send("\n")
        shown.until(r"running \(\d+ s\)")
        shown.send("\n")
        assert shown.wait() == 0
    assert shown.screen[-2:] == ["end", ""]
    with terminal(program(STATUS, after="raise SystemExit('broken')"), program=PYTHON) as shown:
        shown.until("loading")
        shown.send("\n\n")
        assert shown.wait() == 1
    assert shown.screen[-2:] == ["broken", ""]


def test_short_work_shows_no_status() -> None:
    with terminal(program(STATUS), program=PYTHON) as shown:
        shown.send("\n\n")
        assert shown.wait() == 0
    assert "(" not in shown.printed


def test_a_lost_terminal_stops_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        def isatty(self) -> bool:
            return True

        def fileno(self) -> int:
            raise ValueError

        def write(self, text: str) -> int:
            raise OSError

    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(sys, "stderr", Gone())
    progress = Progress([1], True)
    progress.step()
    progress.close()
    monkeypatch.setattr(sys, "stderr", None)
    Progress([1], True).close()
    with Status("x"):
        pass


def test_numbers_for_people() -> None:
    assert [_clock(seconds) for seconds in (0, 9.6, 61, 3600, 36_061)] == [
        "0:00",
        "0:10",
        "1:01",
        "1:00:00",
        "10:01:01",
    ]
    speeds = [_speed(done, 10) for done in (0, 1, 4, 10, 15, 999, 12_345)]
    assert speeds == ["", "10.0 s each", "2.5 s each", "1.0/s", "1.5/s", "99.9/s", "1234/s"]
    assert _speed(1, 0) == ""
    assert len(set(itertools.islice(map(_clock, itertools.count()), 200))) == 200
