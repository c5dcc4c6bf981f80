"""Completion in bash, zsh and fish: a short script for each, which asks this command what may follow a line.

What may follow is read out of the parser of the very command that is being typed. So a script is never out of date, no
text of a spec is in it, and the options of all other tasks are never made.

The command answers ``--complete SHELL LINE`` with a first line that says what the shell itself may offer, ``files`` or
``directories``, then a space and what stands before the path in the last word, or nothing at all; and with a candidate
for the last word on each further line, as that shell wants it.
"""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..binding import TaskBinding
from .inputs import Primary
from .options import DEST, Option, options
from .schema import Schemas

BASH = """\
_FUNCTION() {
    local files line
    COMPREPLY=()
    {
        IFS= read -r files
        while IFS= read -r line; do COMPREPLY+=("$line"); done
    } < <(COMMAND --complete bash "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
    case $files in
        files*@) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -P @ -f -- "${2#@}") ;;
        files*) compopt -o default ;;
        directories*) compopt -o dirnames ;;
    esac
    [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
}
complete -F _FUNCTION COMMAND
"""

ZSH = """\
#compdef COMMAND
_FUNCTION() {
    local -a lines space
    local files
    lines=("${(@f)$(COMMAND --complete zsh "${(j: :)words[1,CURRENT-1]} $PREFIX" 2>/dev/null)}")
    files=$lines[1]
    shift lines
    [[ ${lines[1]%%:*} == *= ]] && space=(-S '')
    (( $#lines )) && _describe COMMAND lines "${space[@]}"
    [[ -n $files ]] || return
    [[ -n ${files#* } ]] && compset -P "${(b)files#* }"
    if [[ $files == directories* ]]; then _files -/; else _files; fi
}
compdef _FUNCTION COMMAND
"""

FISH = """\
function _FUNCTION
    set -l lines (COMMAND --complete fish (commandline -cp) 2>/dev/null)
    set -l files (string split -m 1 ' ' -- "$lines[1]")
    printf '%s\\n' $lines[2..]
    set -l word (string unescape -- (commandline -ct); or string trim -l -c "'\\"" -- (commandline -ct))
    set -l path (string sub -s (math 1 + (string length -- "$files[2]")) -- "$word")
    set -l paths
    switch "$files[1]"
        case files
            set paths (__fish_complete_path "$path")
        case directories
            set paths (__fish_complete_directories "$path" "")
    end
    printf "%s\\n" "$files[2]"$paths
end
complete -c COMMAND -f -a '(_FUNCTION)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}

SETUP = """\
  bash  eval "$(COMMAND completion bash)"    in ~/.bashrc
  zsh   eval "$(COMMAND completion zsh)"     in ~/.zshrc, after compinit
  fish  COMMAND completion fish | source     in ~/.config/fish/config.fish
"""

_LONGEST = 70


def filled(text: str, command: str) -> str:
    """A script, or how to set it up, for the program called `command`."""
    return text.replace("FUNCTION", re.sub(r"\W", "_", command)).replace("COMMAND", command)


def typed(line: str, command: str) -> list[str]:
    """The words of `line` after `command`, without quotes; the last one, maybe empty, is to be completed."""
    words, _ = _split(line)
    start = next((number for number, word in enumerate(words[:-1], 1) if Path(word).name == command), 1)
    return words[start:] or [""]


def _split(line: str) -> tuple[list[str], bool]:
    """The words of `line`, and whether the last one is in quotes that are still open."""
    for quote in ("", "'", '"'):
        try:
            words = shlex.split(f"{line}\0{quote}")  # the mark tells a word that is yet to begin
        except ValueError:
            continue
        return [word.replace("\0", "") for word in words], bool(quote)
    return line.split(" "), False


@dataclass(frozen=True)
class Offer:
    """What may follow: words with their descriptions, and a path after `prefix` if `files` says so."""

    words: Sequence[tuple[str, str]] = ()
    files: str = ""
    prefix: str = ""

    def lines(self, shell: str, line: str) -> Iterator[str]:
        """What the script of `shell` reads, if `line` is what was typed."""
        yield f"{self.files} {self.prefix}" if self.files else ""
        words, quoted = _split(line)
        word = words[-1] if words else ""
        for text, about in self.words:
            if not text.startswith(word) or not text.isprintable():
                continue
            if shell == "fish":
                yield f"{text}\t{about}"
            elif shell == "zsh":
                escaped = text.replace("\\", "\\\\").replace(":", "\\:")
                yield f"{escaped}:{about}"
            elif shlex.quote(text) == text or not quoted:
                # Bash takes what follows the last of these for the word; it puts it on the line as it is.
                rest = text[len(re.split(r"(?<=[=:@])(?=[^=:@]*$)", word)[0]) :] if re.search("[=:@]", word) else text
                yield rest if rest.endswith("=") else shlex.quote(rest)


def offer(parser: argparse.ArgumentParser, bindings: Mapping[str, TaskBinding], words: Sequence[str]) -> Offer:
    """What may follow `words`, of which the last one is not complete."""
    *before, word = words
    names: list[str] = []  # of the commands so far
    waiting: argparse.Action | None = None  # the option whose value comes next
    no_options = False
    for given in before:
        if waiting is not None:
            waiting = None
        elif given == "--":
            no_options = True
        elif given.startswith("-") and given != "-" and not no_options:
            waiting = None if "=" in given else _option(parser, given)
        elif (commands := _commands(parser)) is not None:
            if given not in commands.choices:
                return Offer()
            names.append(given)
            parser = commands.choices[given]
    binding = bindings.get(names[-1]) if len(names) > 1 else None
    if waiting is not None:
        return _value(waiting, binding, bindings, word)
    if word.startswith("-") and not no_options:
        name, equals, value = word.partition("=")
        action = _option(parser, name) if equals else None
        if action is None:
            return Offer(list(_options(parser)))
        found = _value(action, binding, bindings, value)
        return Offer([(f"{name}={text}", about) for text, about in found.words], found.files, f"{name}={found.prefix}")
    if (commands := _commands(parser)) is not None:
        return Offer([(command.dest, command.help or "") for command in commands._get_subactions()])
    if binding is not None:
        primary = Primary.of(binding, Schemas.of(binding))
        if primary.media:
            return Offer(files="files")
        if word.startswith("@") and primary.types != {"string"}:
            return Offer(files="files", prefix="@")
    for action in parser._get_positional_actions():
        if action.choices:
            return Offer([(str(choice), "") for choice in action.choices])
    return Offer() if word or no_options else Offer(list(_options(parser)))


def _commands(parser: argparse.ArgumentParser) -> argparse._SubParsersAction[argparse.ArgumentParser] | None:
    # argparse makes public only what it prints; other completers go by these members too.
    return next((action for action in parser._actions if isinstance(action, argparse._SubParsersAction)), None)


def _option(parser: argparse.ArgumentParser, name: str) -> argparse.Action | None:
    """The option called `name`, if it takes a value."""
    action = parser._option_string_actions.get(name)
    return None if action is None or action.nargs == 0 else action


def _options(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    for name, action in parser._option_string_actions.items():
        if name.startswith("--"):
            about = (action.help or "") % vars(action)
            yield name, about if len(about) <= _LONGEST else f"{about[: _LONGEST - 1]}…"


def _value(
    action: argparse.Action, binding: TaskBinding | None, bindings: Mapping[str, TaskBinding], word: str
) -> Offer:
    """What the value of an option may be."""
    if action.choices:
        return Offer([(str(choice), "") for choice in action.choices])
    if binding is not None and action.dest.startswith(DEST):
        found = {DEST + option.name: option for option in options(binding, Schemas.of(binding))}
        return _parameter(found[action.dest], word)
    shape = str(action.metavar)
    name, equals, _ = word.partition("=")
    if shape in ("MEMBER=PATH", "TASK=DIR") and not equals:
        known: Iterable[str] = bindings
        if binding is not None:
            known = Primary.of(binding, Schemas.of(binding)).members
        return Offer([(f"{name}=", "") for name in known])
    prefix = f"{name}=" if "=" in shape else ""
    if shape.endswith("DIR"):
        return Offer(files="directories", prefix=prefix)
    return Offer(files="files", prefix=prefix) if shape.endswith("PATH") else Offer()


def _parameter(option: Option, word: str) -> Offer:
    if option.kind == "choice":
        return Offer([(text, "") for text in option.choices])
    if option.kind == "file":
        return Offer(files="files")
    return Offer(files="files", prefix="@") if option.kind == "json" and word.startswith("@") else Offer()
