"""`doctor`: what is wrong with the training of a run, now or at its end."""

from typing import Any

from cnnlab.commands.output import JsonOption, print_json
from cnnlab.commands.runs import RunArgument
from cnnlab.doctor.catalogue import RULES
from cnnlab.doctor.examine import Diagnosis, diagnosis_to_dict
from cnnlab.doctor.reading import diagnose
from cnnlab.runs.store import Store


def doctor(run_id: RunArgument, json: JsonOption = False) -> None:
    """Say what is wrong with a run's training, with the evidence and what to do about it."""
    store = Store()
    store.run_dir(run_id)
    diagnosis = diagnose(store, run_id)
    if json:
        print_json({"run_id": run_id, **diagnosis_to_dict(diagnosis)})
        return
    _print(diagnosis)


def _print(diagnosis: Diagnosis) -> None:
    for finding in diagnosis.findings:
        print(f"{finding.severity}: {RULES[finding.rule].title}. {finding.sentence}\n  {finding.advice}")
    if not diagnosis.findings:
        print("Nothing found.")
    print(f"Checked: {_titles(diagnosis.checked) or 'nothing yet'}.")
    for name, reason in diagnosis.not_checked.items():
        print(f"Not checked: {RULES[name].title}, for {reason}.")


def _titles(names: Any) -> str:
    return "; ".join(RULES[name].title for name in names)
