"""What the search of the site finds: words rather than programs, and tasks by their other names, too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..escape import html

INDEX: Final = "search.json"
_PROGRAMS: Final = re.compile(r"<pre>.*?</pre>", re.DOTALL)
_ROW: Final = re.compile(
    r'<tr>\s*<td[^>]*><a id="([^"]+)" href="#\1">([^<]+)</a></td>\s*<td[^>]*>(.*?)</td>', re.DOTALL
)
_TAG: Final = re.compile(r"<[^>]*>")


def improve(index: bytes, tasks: Iterable[dict[str, Any]], pages: Mapping[str, bytes]) -> bytes:
    """Zensical's index without the programs, which have the same words on every page, and with an entry a name.

    `tasks` are those of ``api.json``: their ``docs.also`` are names. So are rows of tables on `pages`, by their paths,
    that begin with an anchor of plain text, such as statuses.
    """
    data = json.loads(index)
    paths = {entry["location"]: entry["path"] for entry in data["items"]}
    # A page's own entry is empty where the one of its title follows, which leads to the same place.
    entries = [
        entry | {"text": _PROGRAMS.sub("", entry["text"])}
        for entry in data["items"]
        if entry["text"] or "#" in entry["location"]
    ]
    for task in tasks:
        page = f"{task['id']}.html"
        docs = task.get("docs", {})
        for name in docs.get("also", ()):
            title, text = html(name[:1].upper() + name[1:]), html(docs.get("summary", ""))
            entry = {"location": page, "level": 1, "title": title, "text": text, "path": paths[page], "tags": []}
            entries.append(entry)
    for page in sorted(paths.keys() & pages.keys()):
        for anchor, title, text in _ROW.findall(pages[page].decode("utf-8")):
            location, text = f"{page}#{anchor}", _TAG.sub("", text)
            entry = {"location": location, "level": 2, "title": title, "text": text, "path": paths[page], "tags": []}
            entries.append(entry)
    return json.dumps(data | {"items": entries}, ensure_ascii=False, separators=(",", ":")).encode()
