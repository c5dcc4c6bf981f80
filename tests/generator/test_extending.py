"""docs/extending.md as it is printed, and what renderers of other packages may do and what they may not."""

from __future__ import annotations

import ast
import json
import os
import pkgutil
import re
import shutil
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from taskbind import escape, ir
from taskbind.config import Config, load_config
from taskbind.context import Context
from taskbind.diagnostics import TaskbindError
from taskbind.memo import InProcess
from taskbind.pipeline import check, generate
from taskbind.plan import Plan, TaskPlan
from taskbind.render import BUILT_IN, OPTIONAL, joined, named_plugins
from tests.conftest import ROOT
from tests.support.project import echo_task, write_specs
from tests.support.typescript import findings, need_compiler

PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
CONFIG = 'specs = "specs"\nout = "generated"\n'


def block(language: str, holding: str) -> str:
    """The page's one code block of a language with a text in it."""
    found = [code for kind, code in re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL) if kind == language]
    (only,) = (code for code in found if holding in code)
    return only


def taskbind(project: Path, *arguments: str, path: Path | None = None) -> str:
    """What the command prints that must succeed."""
    variables = os.environ | ({"PYTHONPATH": os.fspath(path)} if path else {})
    command = [sys.executable, "-m", "taskbind", *arguments]
    done = subprocess.run(command, cwd=project, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# ------------------------------------------------------------------------------------------------------ the examples


def test_the_template_of_the_page(tmp_path: Path) -> None:
    write_specs(tmp_path / "specs", echo_task())
    (tmp_path / "taskbind.toml").write_text(CONFIG)
    taskbind(tmp_path, "generate")
    pages = [tmp_path / "generated" / folder / "echo.md" for folder in ("docs", "site/docs")]
    before = [page.read_text(encoding="utf-8") for page in pages]

    (tmp_path / "taskbind.toml").write_text(block("toml", "templates ="))
    (tmp_path / "templates" / "docs").mkdir(parents=True)
    (tmp_path / "templates" / "docs" / "task.md.jinja").write_text(block("jinja", "Whom to ask"))
    assert "wrote 3," in taskbind(tmp_path, "generate")  # both pages and the manifest
    ending = "\n## Whom to ask\n\nEcho is run by the speech team: write to `#speech`, and name `echo`.\n"
    assert [page.read_text(encoding="utf-8") for page in pages] == [text + ending for text in before]


def test_all_folders_of_templates_are_on_the_page() -> None:
    table = "".join(re.findall(r"^\|.*?\|", PAGE, re.MULTILINE))
    for folder in (ROOT / "templates").iterdir():
        assert f"`{folder.name}/" in table, folder.name


def test_templates_say_what_they_see() -> None:
    folders = [folder for folder in (ROOT / "templates").iterdir() if folder.name != "scaffold"]
    heads = {path: path.read_text(encoding="utf-8")[:200] for folder in folders for path in folder.rglob("*.jinja")}
    silent = [path.name for path, head in heads.items() if not re.match(r"\{#-?\s(?s:.)*View", head)]
    assert sorted(silent) == ["github.jinja", "hf.jinja", "site.jinja"]


def test_no_folder_of_templates(tmp_path: Path) -> None:
    write_specs(tmp_path / "specs", echo_task())
    (tmp_path / "taskbind.toml").write_text(CONFIG + 'templates = "mine"\n')
    with pytest.raises(TaskbindError, match="mine is no folder; make it, or name the folder of your templates"):
        generate(load_config(tmp_path))


def own_template(folder: Path, text: str | bytes, name: str = "docs/task.md.jinja") -> Config:
    """A project with a template of its own."""
    (folder / "taskbind.toml").write_text(block("toml", "templates ="))
    path = folder / "templates" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    write_specs(folder / "specs", echo_task())
    return load_config(folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '\n{% include "docs/task.md.jinja" %}',
            "templates/docs/task.md.jinja:2: a template includes itself; `taskbind/…` is the name of ours in its",
        ),
        ("\n\n{{ 1 / 0 }}", "templates/docs/task.md.jinja:3: ZeroDivisionError: division by zero; correct the"),
        ("{{ page.title + 1 }}", "templates/docs/task.md.jinja:1: TypeError: can only concatenate str"),
        ("{{ page.titel }}", "templates/docs/task.md.jinja:1: 'taskbind.view"),
        ("{% if %}", "templates/docs/task.md.jinja:1: Expected an expression"),
        ('{% include "gone" %}', "templates/docs/task.md.jinja:1: no template gone; correct"),
        (b"\xff", "templates/docs/task.md.jinja: cannot read the template: is not UTF-8"),
        (b"\xef\xbb\xbfText", "templates/docs/task.md.jinja: cannot read the template: begins with a byte order mark"),
    ],
)
def test_what_is_wrong_in_a_template_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | bytes, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    config = own_template(tmp_path, text)
    with pytest.raises(TaskbindError) as caught:
        generate(config)
    assert str(caught.value).startswith(message)
    assert not config.out.exists()


def test_templates_that_nobody_asks_for_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    own = '{% include "taskbind/docs/task.md.jinja" %}{% include "mine/more.jinja" %}'
    used = {
        "mine/more.jinja": "More.",
        "site/assets/logo.svg": "<svg/>",
        "typescript/index.d.ts.jinja": "",
        ".git/x": "",
    }
    idle = {"docs/taks.md.jinja": "", "taskbind/docs/index.md.jinja": "", "models/enums.py.jinja": "", "notes": "x"}
    config = own_template(tmp_path, own)
    for name, text in (used | idle).items():
        own_template(tmp_path, text, name)
    told: list[str] = []
    store = InProcess()
    generate(config, tell=told.append, store=store)
    assert len(told) == len(idle)
    assert told[0] == "templates/docs/taks.md.jinja: nothing asks for this template; did you mean docs/task.md.jinja?"
    assert [line.partition(":")[0].removeprefix("templates/") for line in told] == sorted(idle)
    assert told[2] == "templates/notes: nothing asks for this template; there is none of ours in its place"
    again: list[str] = []
    (config.specs / "echo" / "notes.txt").write_text("")
    generate(config, tell=again.append, store=store)
    assert again == told, "what is kept from run to run is in use"


def test_a_folder_in_the_place_of_a_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        TaskbindError, match=r"^templates/docs/task\.md\.jinja: cannot read the template: Is a directory$"
    ):
        generate(own_template(tmp_path, "", "docs/task.md.jinja/inside"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page's renderer, built and installed into a folder of its own."""
    source, target = tmp_path_factory.mktemp("acme"), tmp_path_factory.mktemp("site")
    code = block("python", "def render")
    assert code.count("\n") <= 60
    (source / "acme_types.py").write_text(code)
    (source / "pyproject.toml").write_text(block("toml", "[build-system]"))
    offline = ["--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check", "--quiet"]
    command = [sys.executable, "-m", "pip", "install", *offline, "--target", target, source]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return target


def test_the_renderer_of_the_page(tmp_path: Path, installed: Path) -> None:
    write_specs(tmp_path / "specs", echo_task({"loud": {"type": ["boolean", "null"], "description": "How."}}))
    (tmp_path / "taskbind.toml").write_text(CONFIG)
    taskbind(tmp_path, "generate", path=installed)
    assert not (tmp_path / "generated" / "types").exists(), "nobody asked for it"

    (tmp_path / "taskbind.toml").write_text(block("toml", "renderers ="))
    taskbind(tmp_path, "generate", path=installed)
    made = (tmp_path / "generated" / "types" / "index.ts").read_text(encoding="utf-8")
    assert "export interface EchoParameters {\n  /** How. */\n  loud?: boolean | null;\n}\n" in made
    assert made.endswith("export interface Tasks {\n  echo: { input: EchoInput; output: EchoOutput };\n}\n")
    manifest = json.loads((tmp_path / "generated" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["plugins"]["acme-types"]["version"] == "1.0"
    assert "would" not in taskbind(tmp_path, "check", path=installed)

    done = subprocess.run([sys.executable, "-m", "taskbind", "check"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert "there is no renderer 'acme-types' here; if a package has it, install that" in done.stderr


def test_types_of_the_page_compile(tmp_path: Path, installed: Path) -> None:
    need_compiler()
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    (tmp_path / "taskbind.toml").write_text(block("toml", "renderers ="))
    taskbind(tmp_path, "generate", path=installed)
    types = tmp_path / "generated" / "types"
    uses = 'import type { Tasks } from "./index.js";\nexport const id: keyof Tasks = "fill-mask";\n'
    wrong = 'export const label: Tasks["text-classification"]["output"] = [{ label: 1, score: 1 }];\n'
    (types / "uses.ts").write_text(uses + wrong)
    found = findings(types, module="nodenext", strict=True)
    assert [(finding.file, finding.line, finding.code) for finding in found] == [("uses.ts", 3, "TS2322")]


def test_the_page_promises_what_its_example_uses() -> None:
    """And what it promises is there."""
    promised = set(re.findall(r"`([^`]+)`", PAGE.partition("### What stays")[2]))
    escapes = {name for name in promised if callable(getattr(escape, name, None))}
    used: set[str] = set()
    for node in ast.walk(ast.parse(block("python", "def render"))):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            used |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            used.add(f"{node.value.id}.{node.attr}")
    ours = {name for name in used if name.startswith(("taskbind.", "ir.", "api.", "plan.", "context.", "task."))}
    classes = {f"ir.{name}" for name, each in vars(ir).items() if isinstance(each, type)}
    assert len(ours) > 20
    assert sorted(ours - promised - classes - {f"taskbind.escape.{name}" for name in escapes}) == []
    assert sorted(escapes) == sorted(
        set(re.findall(r"`(\w+)`", PAGE.partition("for each target:")[2].partition(".\n")[0]))
    )
    objects = {"ir": ir, "api": ir.Api((), ()), "plan": Plan, "context": Context(Config(ROOT, ROOT)), "task": TaskPlan}
    for name in promised - escapes - {"api.json", "TaskPlan", "taskbind.renderers"}:
        first, _, rest = name.partition(".")
        if first == "taskbind":
            assert pkgutil.resolve_name(name)
        else:
            known = {*dir(objects[first]), *getattr(objects[first], "__dataclass_fields__", ())}
            assert rest in known, name


# ------------------------------------------------------------------------------------------- renderers of all kinds

_numbers = count()


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that installs a package with a renderer, and gives a project that names it."""

    def install(code: str, name: str = "odd", version: str = "1.0", distribution: str = "odd-things") -> Config:
        module, folder = f"odd_{next(_numbers)}", tmp_path / distribution
        about = folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        about.mkdir(parents=True)
        (folder / f"{module}.py").write_text(code)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        (about / "entry_points.txt").write_text(f"[taskbind.renderers]\n{name} = {module}:render\n")
        monkeypatch.syspath_prepend(folder)
        specs = write_specs(tmp_path / "specs", echo_task())
        return Config(specs, tmp_path / "out", renderers=(name,))

    return install


@pytest.mark.parametrize(
    ("code", "message", "line"),
    [
        ("raise ImportError('no such thing')", "ImportError: no such thing", "line 1, in <module>"),
        ("other = 1", "AttributeError: .* no attribute 'render'", ""),
        ("render = 1", "TypeError: 'int' object is not callable", ""),
        ("def render(*_):\n    return {}['x']", "KeyError: 'x'", "line 2, in render"),
        ("import sys\nsys.exit()", "SystemExit", "line 2, in <module>"),
        ("def render(*_):\n    raise SystemExit(0)", "SystemExit: 0", "line 2, in render"),
        (
            "class Mute(Exception):\n    def __str__(self): raise ValueError\ndef render(*_): raise Mute",
            "Mute",
            "line 3",
        ),
    ],
)
def test_faults_of_plugins_are_told(plugin: Any, code: str, message: str, line: str) -> None:
    config = plugin(code)
    with pytest.raises(TaskbindError, match=rf"^renderer 'odd' \(of odd-things 1\.0\) failed: {message}\n") as caught:
        generate(config)
    told, frames = str(caught.value).split("\n\n")
    assert told.endswith("\nNothing was written. This is a fault in that package, whose authors need to know:")
    assert line in frames
    assert "plugins.py" not in frames, "its own lines alone are of interest"
    assert "importlib" not in frames
    assert not config.out.exists()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("None", "gave a NoneType, not a dict of paths and contents"),
        ("{1: ''}", "writes 1, a path that is a int"),
        ("{'a': 1}", "writes 'a', whose content is a int"),
        ("{'a': '\\ud800'}", "writes 'a', whose text has a lone surrogate"),
        ("{'../a': ''}", "writes '../a', which is no path below"),
        ("{'/a': ''}", "writes '/a', which is no path below"),
        ("{'a//b': ''}", "writes 'a//b', which is no path below"),
        ("{'': ''}", "writes '', which is no path below"),
        ("{'C:\\\\a': ''}", "a path with characters that not every system takes"),
        ("{'a\\n': ''}", "a path with characters that not every system takes"),
        ("{'manifest.json': ''}", "which is taskbind's own record"),
    ],
)
def test_wrong_answers_of_plugins_are_told(plugin: Any, answer: str, message: str) -> None:
    config = plugin(f"def render(api, plan, context): return {answer}")
    with pytest.raises(TaskbindError, match=rf"^renderer 'odd' \(of odd-things 1\.0\) .*{re.escape(message)}"):
        generate(config)
    assert not config.out.exists()


@pytest.mark.parametrize("path", ["api.json", "API.json", "docs/index.md", "docs", "pyproject.toml/a"])
def test_nobody_writes_over_another(plugin: Any, path: str) -> None:
    config = plugin(f"def render(api, plan, context): return {{{path!r}: ''}}")
    with pytest.raises(TaskbindError, match=rf"renderer 'odd' writes '{path}', which '[\w.]+' wrote already"):
        generate(config)
    assert not config.out.exists()


def test_files_are_joined() -> None:
    assert joined({"a": {"x/y": "1"}, "b": {"x/z": "2", "w": b"3"}}) == {"x/y": "1", "x/z": "2", "w": b"3"}


def test_a_refusal_is_not_a_fault(plugin: Any) -> None:
    code = "from taskbind.diagnostics import TaskbindError\ndef render(*_): raise TaskbindError('echo: too loud')"
    with pytest.raises(TaskbindError, match=r"^echo: too loud$"):
        generate(plugin(code))


READING = "def render(api, plan, context): return {{'a.bin': context.spec_file({!r})}}"


@pytest.mark.parametrize("path", ["../outside.txt", "echo/../echo/input.json", ".hidden", "gone", "echo", ""])
def test_files_that_are_no_input_are_not_read(plugin: Any, tmp_path: Path, path: str) -> None:
    config = plugin(READING.format(path))
    (tmp_path / "outside.txt").write_text("elsewhere")
    (config.specs / ".hidden").write_text("hidden")
    with pytest.raises(
        TaskbindError, match=rf"specs has no file '{re.escape(path)}', which a renderer asks for \(hidden"
    ):
        generate(config)
    assert not config.out.exists()


def test_files_of_the_specs_are_read_and_their_changes_seen(plugin: Any) -> None:
    config = plugin(READING.format("echo/notes.txt"))
    for text in ("one", "two"):
        (config.specs / "echo" / "notes.txt").write_text(text)
        generate(config)
        assert (config.out / "a.bin").read_text() == text


def test_nobody_changes_the_names_that_others_see(plugin: Any) -> None:
    for name in ("classes", "aliases", "schemas"):
        with pytest.raises(TaskbindError, match=r"failed: (AttributeError|TypeError): .*mappingproxy"):
            generate(plugin(f"def render(api, plan, context): plan.{name}.clear()", f"no-{name}", distribution=name))


@pytest.mark.parametrize("text", ["x = (1,\n", "x = 1\nx =\n", "\0", "def f(): return\nreturn 1", b"x = '\xff'"])
def test_python_of_plugins_that_is_none_is_told(plugin: Any, text: str | bytes) -> None:
    config = plugin(f"def render(api, plan, context): return {{'odd/bad.py': {text!r}, 'odd/good.py': 'x = 1'}}")
    with pytest.raises(TaskbindError, match=r"^renderer 'odd' writes odd/bad\.py:\d, which is not Python: ") as caught:
        generate(config)
    assert "/tmp" not in str(caught.value)
    assert not config.out.exists()


def test_python_of_plugins_is_formatted_and_compiled(plugin: Any) -> None:
    config = plugin("def render(api, plan, context): return {'odd/a.py': 'x=[1,\\n2]', 'odd/b.bin': b'\\xff'}")
    generate(config)
    assert (config.out / "odd" / "a.py").read_text() == "x = [1, 2]\n"
    assert (config.out / "odd" / "b.bin").read_bytes() == b"\xff"


def test_a_new_version_of_a_plugin_runs(plugin: Any) -> None:
    config = plugin("def render(api, plan, context): return {'odd.txt': 'old'}")
    generate(config)
    assert not generate(config).changes
    config = plugin("def render(api, plan, context): return {'odd.txt': 'new'}", distribution="odd-things-2")
    with pytest.raises(TaskbindError, match="odd-things and odd-things-2 both have a renderer 'odd'"):
        generate(config)
    (Path(config.specs).parent / "odd-things" / "odd_things-1.0.dist-info" / "entry_points.txt").unlink()
    outcome, _ = check(config)
    assert outcome.changes.changed == ("manifest.json", "odd.txt")


def test_every_module_of_a_plugin_counts(plugin: Any, tmp_path: Path) -> None:
    """Also one beside the package of the entry point; what differs between machines does not."""
    states = []
    for number, beside in enumerate(("X = 1", "X = 2", "X = 2")):
        config = plugin("def render(api, plan, context): return {}", name=f"odd-{number}", distribution=f"odd{number}")
        folder = tmp_path / f"odd{number}"
        about = next(folder.glob("*.dist-info"))
        (module,) = folder.glob("odd_*.py")
        (folder / "beside.py").write_text(beside)
        (about / "INSTALLER").write_text(f"tool {number}")
        names = [module.name, "beside.py", "gone.py", "../bin/odd", f"{about.name}/INSTALLER", f"{about.name}/RECORD"]
        (about / "RECORD").write_text("".join(f"{name},,\n" for name in names))
        same = (about / "entry_points.txt").read_text().replace(module.stem, "odd_same")
        (about / "entry_points.txt").write_text(same)
        (about / "RECORD").write_text((about / "RECORD").read_text().replace(module.name, "odd_same.py"))
        module.rename(folder / "odd_same.py")
        (point,) = named_plugins(config)
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(folder)
            states.append(point.state()["source"])
    assert states[0] != states[1]
    assert states[1] == states[2]


def test_a_plugin_that_nobody_names_is_not_even_read(plugin: Any, tmp_path: Path) -> None:
    config = plugin("raise SystemExit('imported')")
    generate(Config(config.specs, config.out))
    manifest = json.loads((config.out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["plugins"] == {}


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (
            '["typescrpt"]',
            r"taskbind\.toml: renderers: there is no renderer 'typescrpt' here; did you mean 'typescript'",
        ),
        ('["csv"]', r"no renderer 'csv' here; if a package has it, install that .* \(known: typescript;"),
        ('["api.json"]', r"renderers: 'api\.json' is no name of a renderer: those are a-z"),
        ('["docs"]', "renderers: 'docs' always runs; leave it out"),
        ("[1]", r"taskbind\.toml:3: renderers: 1 is not the name of a renderer; write it in quotes"),
        ('"typescript"', r"taskbind\.toml:3: renderers: must be a list"),
    ],
)
def test_names_that_nobody_has(tmp_path: Path, wanted: str, message: str) -> None:
    write_specs(tmp_path / "specs", echo_task())
    (tmp_path / "taskbind.toml").write_text(f"{CONFIG}renderers = {wanted}\n")
    with pytest.raises(TaskbindError, match=message):
        generate(load_config(tmp_path))
    assert not (tmp_path / "generated").exists()


def test_an_optional_renderer_runs_where_it_is_named(tmp_path: Path) -> None:
    write_specs(tmp_path / "specs", echo_task())
    assert not set(OPTIONAL) & set(BUILT_IN)
    for wanted in ((), OPTIONAL, ()):
        generate(Config(tmp_path / "specs", tmp_path / "out", renderers=wanted))
        assert (tmp_path / "out" / "typescript").exists() == bool(wanted)
