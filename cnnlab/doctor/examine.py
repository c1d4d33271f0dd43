"""All rules over the evidence of one run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cnnlab.doctor.catalogue import RULES
from cnnlab.doctor.evidence import Evidence
from cnnlab.doctor.finding import (
    SEVERITIES,
    Finding,
    NotChecked,
    finding_from_dict,
    finding_to_dict,
)

# Raised when rules change: what an older version kept is looked at anew.
VERSION = 1


@dataclass(frozen=True)
class Diagnosis:
    """What the doctor says of one run.

    Attributes:
        findings: The serious first.
        not_checked: Why a rule could not look, by rule.
    """

    findings: tuple[Finding, ...]
    not_checked: Mapping[str, str]

    @property
    def checked(self) -> tuple[str, ...]:
        """Names of the rules that looked."""
        return tuple(name for name in RULES if name not in self.not_checked)

    @property
    def num_serious(self) -> int:
        return sum(finding.severity == "serious" for finding in self.findings)


def examine(evidence: Evidence) -> Diagnosis:
    """Ask every rule; a finding that another one explains is left out."""
    verdicts = {name: rule.check(evidence) for name, rule in RULES.items()}
    found = {name: verdict for name, verdict in verdicts.items() if isinstance(verdict, Finding)}
    causes = {name for name, finding in found.items() if finding.severity != "note"}
    kept = [finding for name, finding in found.items() if not causes & set(RULES[name].explained_by)]
    return Diagnosis(
        tuple(sorted(kept, key=lambda finding: SEVERITIES.index(finding.severity))),
        {name: verdict.reason for name, verdict in verdicts.items() if isinstance(verdict, NotChecked)},
    )


def diagnosis_to_dict(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return what `doctor.json` holds."""
    return {
        "version": VERSION,
        "serious": diagnosis.num_serious,
        "findings": [finding_to_dict(finding) for finding in diagnosis.findings],
        "checked": list(diagnosis.checked),
        "not_checked": dict(diagnosis.not_checked),
    }


def diagnosis_from_dict(values: Mapping[str, Any]) -> Diagnosis | None:
    """Undo `diagnosis_to_dict`; None for what another version wrote."""
    if values.get("version") != VERSION:
        return None
    findings = tuple(finding_from_dict(one) for one in values["findings"] if one["rule"] in RULES)
    return Diagnosis(findings, dict(values["not_checked"]))
