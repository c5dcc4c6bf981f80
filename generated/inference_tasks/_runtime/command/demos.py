"""The demo models: trained ones that are embedded in the package, and tiny random ones that are built when loaded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from importlib.resources import files
from pathlib import Path

TRAINED = "_demo"


@dataclass(frozen=True)
class Demo:
    """A model in `directory`, where `build` makes it if it has random weights."""

    task: str
    directory: Path
    name: str = ""
    """Its name, if it is not the task's."""
    build: Callable[[Path], object] | None = None

    @property
    def shown(self) -> str:
        """What a server calls it."""
        return self.name or self.task


@dataclass
class Demos:
    """The demo models of some tasks, and the tasks without one, by the reason for that."""

    trained: list[Demo] = field(default_factory=list)
    random: list[Demo] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def __iter__(self) -> Iterator[Demo]:
        """The trained ones first: they are worth being loaded first."""
        return iter(self.trained + self.random)

    def lines(self) -> Iterator[str]:
        """What to tell users."""
        if self.trained:
            yield f"trained: {', '.join(demo.shown for demo in self.trained)}"
        if self.random:
            yield f"random weights, whose answers mean nothing: {', '.join(demo.shown for demo in self.random)}"
        for reason, tasks in self.left_out.items():
            yield f"left out ({reason}): {', '.join(tasks)}"


class Scratch:
    """A folder for models, made when the first of them is, and gone with all that is in it after `close`."""

    def __init__(self) -> None:
        import secrets
        import tempfile

        # Not made yet: a process that is killed before it builds anything leaves nothing behind.
        self.path = Path(tempfile.gettempdir(), f"demo-models-{secrets.token_hex(8)}")
        self._made = False

    def fill(self, write: Callable[[Path], object], directory: Path) -> None:
        """Have `write` make a model in `directory`, which is below `path`; one at a time."""
        if not self._made:
            self.path.mkdir(mode=0o700)
            self._made = True
        directory.mkdir(exist_ok=True)
        write(directory)

    def close(self) -> None:
        """Remove it."""
        import shutil

        if self._made:
            shutil.rmtree(self.path, ignore_errors=True)


def demo_models(package: str, tasks: Iterable[str], scratch: Scratch) -> Demos:
    """The demo models of `tasks`; random ones are built in `scratch`."""
    from ..torch.demo import BUILDERS, build, missing_extra

    distribution = package.replace("_", "-")
    found = Demos()
    for task in tasks:
        directory = Path(str(files(package).joinpath(TRAINED, task)))
        if (directory / "config.json").is_file():
            found.trained.append(Demo(task, directory))
        elif task not in BUILDERS:
            found.left_out["no torch implementation here, serve a handler of your own"].append(task)
        elif extra := missing_extra(task):
            found.left_out[f"needs pip install '{distribution}[{extra}]'"].append(task)
        else:
            for kind in BUILDERS[task]:
                name = f"{task}-{kind}" if kind else ""
                make = partial(scratch.fill, partial(build, task, kind))
                found.random.append(Demo(task, scratch.path / (name or task), name, make))
    return found
