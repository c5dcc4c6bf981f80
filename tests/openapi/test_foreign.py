"""The document of specs that others wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from taskbind.config import Config
from taskbind.diagnostics import LOOSENABLE
from taskbind.pipeline import generate

from .conftest import run
from .test_javascript import lint


@pytest.fixture(scope="module")
def document(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That of Hugging Face's specs, unmodified."""
    out = tmp_path_factory.mktemp("foreign")
    generate(Config(corpus / "hf-tasks", out, allow_loose=tuple(LOOSENABLE)))
    return out / "openapi.json"


def test_redocly_finds_nothing(node: Path, document: Path) -> None:
    assert lint(node, document) == []


def test_a_python_client_is_made(openapi_python_client: Path, document: Path, tmp_path: Path) -> None:
    command = [openapi_python_client, "generate", "--fail-on-warning", "--meta", "none", "--path", document]
    assert run([*command, "--output-path", "made"], tmp_path).splitlines() == ["Generating made"]
