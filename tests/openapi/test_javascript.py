"""Readers of the document from npm: a validator that is not Python's, and a generator of types."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import DOCUMENT, run

LINT = Path(__file__).with_name("lint.mjs")


def lint(node: Path, document: Path) -> list[dict[str, Any]]:
    # As text instead of a file, the program finds the packages of the folder that it runs in.
    found: list[dict[str, Any]] = json.loads(
        run(["node", "--input-type=module", "--eval", LINT.read_text(encoding="utf-8"), document], node)
    )
    return found


def test_redocly_finds_nothing(node: Path) -> None:
    """Its strictest rules, which hold examples against schemas, too."""
    assert lint(node, DOCUMENT) == []


FAULTS = {
    "struct": lambda operation: operation.update(responses=[]),
    "no-unresolved-refs": lambda operation: operation["requestBody"]["content"]["application/json"]["schema"].update(
        {"$ref": "#/components/schemas/None"}
    ),
    "no-invalid-media-type-examples": lambda operation: operation["requestBody"]["content"]["application/json"].update(
        examples={"wrong": {"value": {"inputs": 1}}}
    ),
    "operation-operationId-unique": lambda operation: operation.update(operationId="translation"),
}


@pytest.mark.parametrize("rule", FAULTS)
def test_redocly_would_find(node: Path, tmp_path: Path, rule: str) -> None:
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    FAULTS[rule](document["paths"]["/tasks/text-classification"]["post"])
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    assert rule in {problem["rule"] for problem in lint(node, path)}


def test_types_for_typescript(node: Path, tmp_path: Path) -> None:
    """openapi-typescript makes types of it, and programs with them compile if, and only if, they are right."""
    programs = node / "node_modules" / ".bin"
    run([programs / "openapi-typescript", DOCUMENT, "--output", tmp_path / "api.ts"], node)
    right = """
import type { components, operations } from "./api.ts";
type Input = components["schemas"]["TextClassificationInput"];
export const input: Input = { inputs: "x", parameters: { top_k: 1, function_to_apply: "softmax" } };
type Answer = operations["text_classification"]["responses"][200]["content"]["application/json"];
export const best = (answer: Answer): number => answer[0].score;
export const raw: keyof operations["image_classification"]["requestBody"]["content"] = "application/octet-stream";
"""
    check = [programs / "tsc", "--strict", "--noEmit", "--target", "es2022", "--module", "esnext"]
    options = ["--moduleResolution", "bundler", "--allowImportingTsExtensions", "--pretty", "false"]
    program = tmp_path / "program.ts"
    program.write_text(right, encoding="utf-8")
    run([*check, *options, program], tmp_path)
    program.write_text(right.replace('"softmax"', '"hardmax"'), encoding="utf-8")
    with pytest.raises(AssertionError, match="hardmax"):
        run([*check, *options, program], tmp_path)
