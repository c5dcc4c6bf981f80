"""What the search of the site finds: words rather than programs, and tasks by their other names, too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final

from ..escape import html

INDEX: Final = "search.json"
_PROGRAMS: Final = re.compile(r"<pre>.*?</pre>", re.DOTALL)


def improve(index: bytes, tasks: Iterable[dict[str, Any]]) -> bytes:
    """Zensical's index without the programs, which have the same words on every page, and with an entry a name.

    `tasks` are those of ``api.json``: their ``docs.also`` are the names.
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
    return json.dumps(data | {"items": entries}, ensure_ascii=False, separators=(",", ":")).encode()
