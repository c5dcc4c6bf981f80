"""The same project and pages build with Material for MkDocs, too: `nox -s material` has it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from taskbind.config import load_config
from taskbind.site.links import check_links, read_site
from taskbind.site.sources import PROJECT, copy_sources, site_files
from tests.conftest import ROOT

MKDOCS = os.environ.get("TASKBIND_MKDOCS")


@pytest.mark.skipif(MKDOCS is None, reason="TASKBIND_MKDOCS names no mkdocs with Material: run nox -s material")
def test_it_builds_with_material(tmp_path: Path) -> None:
    config = load_config(ROOT)
    files = site_files(config)
    copy_sources(config, files, tmp_path / "docs")
    (tmp_path / "mkdocs.yml").write_bytes((config.out / PROJECT).read_bytes())
    assert MKDOCS is not None
    result = subprocess.run(
        [MKDOCS, "build", "--strict", "--quiet"],
        cwd=tmp_path,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    site = read_site(tmp_path / "site")
    pages = {Path(target).stem for target in files.values() if target.endswith(".md")}
    assert {Path(name).stem for name in site if name.endswith(".html")} == {*pages, "404"}
    # One has absolute links, which need an address that is not known here; one lists what `taskbind site` adds.
    left_out = ("404.html", "llms.txt")
    faults = check_links({name: data for name, data in site.items() if name not in left_out}).faults
    assert [str(fault) for fault in faults] == []
