import pytest
from tests.unit.rules import objects

from imgconv.core.finding import Severity
from imgconv.errors import InternalError
from imgconv.rules import engine
from imgconv.rules.engine import Checks, check_instance, default_grades
from imgconv.spec import RuleSpec


def test_opt_in_rules_are_off_by_default():
    assert not any(rule.startswith("D") for rule in default_grades())


def test_a_rule_that_is_off_reports_nothing(tmp_path):
    dataset = objects.ct()
    del dataset["Rows"]
    instance = objects.make_instance(dataset, tmp_path)
    findings = list(check_instance(instance, Checks({"V010": Severity.ERROR})))
    assert findings == []


def test_a_profile_can_regrade_a_rule(tmp_path):
    dataset = objects.ct()
    del dataset["Rows"]
    instance = objects.make_instance(dataset, tmp_path)
    (finding,) = check_instance(instance, Checks({"M001": Severity.INFO}))
    assert finding.severity is Severity.INFO


def test_values_are_shown_only_on_request(tmp_path):
    instance = objects.make_instance(objects.ct() | {"PatientName": "A=B=C=Secret"}, tmp_path)
    grades = {"V010": Severity.ERROR}
    (hidden,) = check_instance(instance, Checks(grades))
    (shown,) = check_instance(instance, Checks(grades), show_values=True)
    assert "Secret" not in repr(hidden)
    assert "Secret" in shown.value
    assert "Secret" not in shown.message


def test_a_rule_of_a_third_party_runs_like_ours(tmp_path, monkeypatch):
    spec = RuleSpec(
        "Z901", "site-rule", "t", "r", "s", "warning",
        check="tests.unit.rules.site_rule:check_site", provider="site",
    )  # fmt: skip
    monkeypatch.setattr(engine.registry.rules, "_others", {"Z901": spec})
    instance = objects.make_instance(objects.ct(), tmp_path)
    (finding,) = check_instance(instance, Checks({"Z901": Severity.WARNING}))
    assert (finding.rule, finding.tag) == ("Z901", "(0008,0080)")


def test_a_rule_that_cannot_be_loaded_is_named(monkeypatch):
    spec = RuleSpec("Z902", "site-rule", "t", "r", "s", "warning", check="nowhere:check")
    monkeypatch.setattr(engine.registry.rules, "_others", {"Z902": spec})
    with pytest.raises(InternalError, match="Z902"):
        Checks({"Z902": Severity.WARNING})
