import re

import pytest
from tests.unit.rules import cases

from imgconv import registry
from imgconv.rules.catalog import FAMILIES, RULES
from imgconv.spec import resolve

CASES = sorted(path.stem for path in cases.FOLDER.glob("*.toml"))


def test_ids_and_names_are_unique_and_well_formed():
    assert len({spec.id for spec in RULES}) == len(RULES) == len({spec.name for spec in RULES})
    for spec in RULES:
        assert re.fullmatch(r"[A-Z]\d{3}", spec.id)
        assert spec.id[0] in FAMILIES
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", spec.name)


@pytest.mark.parametrize("spec", RULES, ids=lambda spec: spec.id)
def test_every_rule_is_explained(spec):
    assert spec.title
    assert spec.reason
    assert spec.source
    assert spec.fails
    assert spec.passes
    assert spec.severity in ("error", "warning", "info")
    if spec.check:
        assert callable(resolve(spec.check))


def test_every_rule_has_cases():
    assert {spec.id for spec in RULES} - {"F014", "F016"} == set(
        CASES
    )  # tested with `ops.validate`


@pytest.mark.parametrize("rule", CASES)
def test_failing_cases_are_found(rule, tmp_path):
    for number, case in enumerate(cases.load(rule)["fails"]):
        folder = tmp_path / str(number)
        folder.mkdir()
        found = [f for f in cases.find(case, folder) if f.rule == rule]
        assert found, f"case {number} of {rule} is not found"
        if "tag" in case:
            assert case["tag"] in [finding.tag for finding in found]
        expected = case.get("severity", registry.rules.get(rule).severity)
        assert expected in {finding.severity for finding in found}


@pytest.mark.parametrize("rule", CASES)
def test_passing_cases_are_not_found(rule, tmp_path):
    for number, case in enumerate(cases.load(rule)["passes"]):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert rule not in {finding.rule for finding in cases.find(case, folder)}


@pytest.mark.parametrize("base", ["ct", "sc", "palette", "report"])
def test_conformant_objects_have_no_findings(base, tmp_path):
    case = {"base": base}
    if base == "report":
        case["beside"] = "ct"
    assert cases.find(case, tmp_path) == []


def test_a_conformant_series_has_no_findings(tmp_path):
    assert cases.find({"stack": 4}, tmp_path) == []


def test_a_deidentified_object_has_no_findings(tmp_path):
    assert cases.find({"base": "deidentified", "profile": "deidentified"}, tmp_path) == []
