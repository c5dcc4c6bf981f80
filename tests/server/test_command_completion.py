"""Completion: asked of the command itself, and typed into real shells, as far as they are installed."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from inference_tasks._runtime.cli import main
from inference_tasks._runtime.command.completion import Offer, typed
from inference_tasks._runtime.command.schema import Schemas
from inference_tasks._tasks import TASKS
from tests.support.terminal import COMMAND, Terminal, terminal


def run(*arguments: str) -> int:
    return main(TASKS, package="inference_tasks", distribution="inference-tasks", argv=arguments)


def offered(line: str, capsys: pytest.CaptureFixture[str], shell: str = "fish") -> tuple[str, list[str]]:
    """What the shell may offer by itself, and the words that may follow "inference-tasks" and `line`."""
    assert run("--complete", shell, f"inference-tasks {line}") == 0
    files, *lines = capsys.readouterr().out.rstrip("\n").split("\n")
    return files, [text.partition("\t")[0] for text in lines]


@pytest.mark.parametrize(
    ("line", "words", "files"),
    [
        ("", ["serve", "run", "deploy", "completion"], ""),
        ("r", ["run"], ""),
        ("run image-cl", ["image-classification"], ""),
        ("run image-classification --func", ["--function-to-apply"], ""),
        ("run image-classification x.png --function-to-apply ", ["sigmoid", "softmax", "none"], ""),
        ("run image-classification x.png --function-to-apply so", ["softmax"], ""),
        ("run image-classification --function-to-apply=so", ["--function-to-apply=softmax"], ""),
        ("run image-classification --function-to-apply none ", [], "files "),
        ("run image-classification --top-k ", [], ""),
        ("run image-classification ", [], "files "),
        ("run image-classification -- --mo", [], "files "),
        ("run image-classification --json x.png y", [], "files "),
        ("run image-classification --url http://localhost:8000 ", [], "files "),
        ("run image-classification --model ", [], "directories "),
        ("run image-classification --model=x", [], "directories --model="),
        ("run text-to-image 'a red boat' --save ", [], "files "),
        ("run visual-question-answering --file ", ["image="], ""),
        ("run visual-question-answering --file image=x", [], "files image="),
        ("run chat-completion @x", [], "files @"),
        ("run chat-completion --tools @", [], "files @"),
        ("run chat-completion [] --tools=@x", [], "files --tools=@"),
        ("run text-classification @x", [], ""),
        ("run text-classification x", [], ""),
        ("run image-segmentation --no-such-option x", [], "files "),
        ("run nothing ", [], ""),
        ("run nothing --", [], ""),
        ("serve --model image-cl", ["image-classification="], ""),
        ("serve --model image-classification=x", [], "directories image-classification="),
        ("serve --log-level ", ["critical", "error", "warning", "info", "debug"], ""),
        ("completion ", ["bash", "zsh", "fish"], ""),
        ('run image-classification "open qu', [], "files "),
        ("run image-classification back\\", [], "files "),
    ],
)
def test_what_may_follow(line: str, words: list[str], files: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert offered(line, capsys) == (files, words)


def test_options_of_the_task_and_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    _, found = offered("run text-classification x ", capsys)
    assert {"--top-k", "--function-to-apply", "--url", "--concurrency", "--help"} < set(found)
    _, others = offered("run fill-mask --", capsys)
    assert "--targets" in others and "--targets" not in found
    _, found = offered("run feature-extraction --no", capsys)
    assert found == ["--normalize", "--no-normalize", "--no-truncate"]


@pytest.mark.parametrize("task", TASKS)
def test_every_task_is_completed(task: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert task in offered(f"run {task}", capsys)[1]
    _, found = offered(f"run {task} --", capsys)
    with pytest.raises(SystemExit):
        run("run", task, "--help")
    shown = capsys.readouterr().out
    assert set(re.findall(r"^  (?:-h, )?(--[\w-]+)", shown, re.MULTILINE)) <= set(found)


def test_only_the_schema_of_the_task_is_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    read: list[str] = []
    original = Schemas.of
    monkeypatch.setattr(Schemas, "of", lambda binding: read.append(binding.id) or original(binding))
    offered("run ", capsys)
    assert read == []
    offered("run fill-mask --", capsys)
    assert set(read) == {"fill-mask"}


def test_descriptions(capsys: pytest.CaptureFixture[str]) -> None:
    run("--complete", "fish", "inference-tasks run translation --th")
    assert capsys.readouterr().out == "\n--threads\ttorch threads (default: 1)\n"
    run("--complete", "zsh", "inference-tasks run translation --th")
    assert capsys.readouterr().out == "\n--threads:torch threads (default: 1)\n"
    run("--complete", "bash", "inference-tasks run translation --th")
    assert capsys.readouterr().out == "\n--threads\n"


def test_no_word_of_a_spec_is_run_or_splits() -> None:
    words = [("$(reboot)", "a"), ("two words", ""), ("li\nne", ""), ("a:b\\", "c"), ("it's", "")]
    offer = Offer(words)
    assert list(offer.lines("bash", "x "))[1:] == ["'$(reboot)'", "'two words'", "'a:b\\'", "'it'\"'\"'s'"]
    assert list(offer.lines("bash", "x a:"))[1:] == ["'b\\'"]
    assert list(offer.lines("bash", 'x "'))[1:] == []
    assert list(offer.lines("zsh", "x a"))[1:] == ["a\\:b\\\\:c"]
    assert list(offer.lines("fish", "x two"))[1:] == ["two words\t"]


def test_words_as_they_are_typed() -> None:
    for line, words in {
        "it run": ["run"],
        "it ": [""],
        "it": [""],
        "X=1 /usr/bin/it run 'a b' c": ["run", "a b", "c"],
        "it 'a b": ["a b"],
        'it "a b" ': ["a b", ""],
        r"it a\ b": ["a b"],
    }.items():
        assert typed(line, "it") == words


def test_unknown_shells_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("completion", "tcsh")
    assert "choose from" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        run("completion", "--help")
    assert 'eval "$(inference-tasks completion bash)"' in capsys.readouterr().out


# ------------------------------------------------------------------------------------------------------ real shells

SHELLS = {
    "bash": ("bash --norc --noprofile -i", 'eval "$(inference-tasks completion bash)"'),
    "zsh": ("zsh -f -i", 'autoload -Uz compinit && compinit -u -D; eval "$(inference-tasks completion zsh)"'),
    "fish": ("fish --no-config -i", "inference-tasks completion fish | source"),
}

TYPED = [
    ("compl", ["completion"]),
    ("run image-cl", ["run", "image-classification"]),
    ("run image-classification x.png --function-to-apply so", ["softmax"]),
    ("run image-classification --function-to-apply=so", ["--function-to-apply=softmax"]),
    ("run image-classification --mo", ["--model"]),
    ("run image-classification my", ["my picture.png"]),
    ("run image-classification my\\ pi", ["my picture.png"]),
    ("run image-classification 'my pi", ["my picture.png"]),
    ("run image-classification --top-k my", ["my"]),
    ("run image-classification --model fo", ["folder"]),
    ("run visual-question-answering --file ", ["image="]),
    ("run visual-question-answering --file \tx", ["image=x"]),
    ("run visual-question-answering --file image=my", ["image=my picture.png"]),
    ("run chat-completion @mes", ["@messages.json"]),
    ("run chat-completion --tools @mes", ["@messages.json"]),
    ("serve --model image-cl", ["image-classification="]),
    ("serve --log-level w", ["warning"]),
]


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Terminal]:
    """An interactive shell that has read the script, in a directory with a few files."""
    program, setup = SHELLS[request.param]
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    (tmp_path / "folder").mkdir()
    for name in ("my picture.png", "messages.json"):
        (tmp_path / name).touch()
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "inference-tasks"
    command.write_text(f'#!/bin/sh\nexec {" ".join(COMMAND)} "$@"\n')
    command.chmod(0o755)
    variables = {"PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)}
    with terminal(program=program.split(), columns=200, variables=variables) as started:
        started.send(f"cd {tmp_path}; {setup}; echo read''y\n")
        started.until("ready")
        yield started


def test_typed_into_a_shell(shell: Terminal) -> None:
    """What stands on the line after a tab is taken apart by the shell itself."""
    for line, wanted in TYPED:
        # Ctrl-A and Ctrl-E go to the start and to the end of the line.
        shell.send(f"inference-tasks {line}\t\x01printf '<%s>' \x05; echo '{{''}}'\n")
        printed = shell.until(r"<[^%\n]*>\{\}")
        words = printed[printed.rindex("<inference-tasks>") + 1 : -len(">{}")].split("><")[1:]
        assert [word.rstrip("/") for word in words[-len(wanted) :]] == wanted, line


def test_more_than_one_is_listed(shell: Terminal) -> None:
    shell.send("inference-tasks run image-classification --function-to-apply \t\t")
    shell.until("(?s)^(?=.*sigmoid)(?=.*softmax)(?=.*none)")
