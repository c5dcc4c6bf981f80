"""What the schema of SARIF 2.1.0 and its text require of the parts that taskbind uses."""

from __future__ import annotations

import re
from typing import Any


def assert_sarif(log: dict[str, Any]) -> None:
    """Hold a log against them."""
    assert log.keys() == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"
    for run in log["runs"]:
        assert run.keys() - {"invocations"} == {"tool", "originalUriBaseIds", "columnKind", "results"}
        assert run["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")
        driver = run["tool"]["driver"]
        assert driver["name"] == "taskbind"
        rules = driver["rules"]
        assert len({rule["id"] for rule in rules}) == len(rules)
        for rule in rules:
            assert rule.keys() == {"id", "shortDescription", "fullDescription", "help", "defaultConfiguration"}
            assert all(rule[key]["text"] for key in ("shortDescription", "fullDescription", "help"))
            assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
        bases = run["originalUriBaseIds"]
        for base in bases.values():
            # A base is absolute, or relative to another one, or not told; it ends in a slash and leads nowhere up.
            assert ("uri" in base) == ("uriBaseId" in base)
            assert base.get("uri", "/").endswith("/")
            assert ".." not in base.get("uri", "")
            assert base.get("uriBaseId", "SPECS") in bases
        for result in run["results"]:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
            assert result["level"] in ("error", "warning", "note")
            assert result["message"]["text"]
            assert len(result["locations"]) <= 1
            for location in result["locations"]:
                artifact = location["physicalLocation"]["artifactLocation"]
                assert artifact["uriBaseId"] in bases
                assert re.fullmatch(r"[A-Za-z0-9._~/%-]+", artifact["uri"])
                assert location["physicalLocation"].get("region", {"startLine": 1})["startLine"] >= 1
                for logical in location.get("logicalLocations", ()):
                    assert logical["fullyQualifiedName"].startswith("/")
            for suppression in result.get("suppressions", ()):
                assert suppression["kind"] in ("inSource", "external")
                assert suppression["justification"]
        for invocation in run.get("invocations", ()):
            assert isinstance(invocation["executionSuccessful"], bool)
            for notification in invocation["toolConfigurationNotifications"]:
                assert notification["level"] in ("error", "warning", "note", "none")
                assert notification["message"]["text"]
