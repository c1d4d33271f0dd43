"""`architectures`, `augmentations`: what can be chosen, with its settings."""

from typing import Any

from cnnlab.architectures.catalogue import ARCHITECTURES, LOCAL
from cnnlab.augmentation.catalogue import OPS
from cnnlab.commands.output import JsonOption, print_json, print_table
from cnnlab.commands.text import value_text
from cnnlab.parameters import Parameters, ParameterSpec, specs


def list_architectures(json: JsonOption = False) -> None:
    """List the architectures with their settings, for -p name=value."""
    if json:
        print_json(
            {
                "architectures": [
                    {
                        "name": entry.name,
                        "title": entry.title,
                        "year": entry.year,
                        "source": entry.source,
                        "summary": entry.summary,
                        "smallest_px": entry.smallest_px,
                        "natural_px": entry.natural_px,
                        "parameters": _documents(entry.parameters),
                    }
                    for entry in (ARCHITECTURES | LOCAL).values()
                ]
            }
        )
        return
    for entry in (ARCHITECTURES | LOCAL).values():
        print(f"{entry.name}: {entry.title}{f', {entry.year}' if entry.year else ''}. {entry.summary}")
        _print_settings(entry.parameters)


def list_augmentations(json: JsonOption = False) -> None:
    """List the augmentations with their settings, for --augmentation 'flip_lr|crop(4)'."""
    if json:
        documents = [
            {"name": op.name, "title": op.title, "summary": op.summary, "parameters": _documents(op.parameters)}
            for op in OPS.values()
        ]
        print_json({"augmentations": documents})
        return
    for op in OPS.values():
        print(f"{op.name}: {op.title}. {op.summary}")
        _print_settings(op.parameters)


def _print_settings(model: type[Parameters]) -> None:
    usual = model.model_construct().brief()  # a default need not be possible: some settings must be given
    rows = [
        (
            f"  {spec.name}",
            value_text(usual[spec.name]) if spec.name in usual else "(must be given)",
            _allowed(spec),
            spec.help,
        )
        for spec in specs(model)
    ]
    if rows:
        print_table(("  setting", "default", "allowed", ""), rows)
    print()


def _allowed(spec: ParameterSpec) -> str:
    if spec.choices:
        return ", ".join(map(str, spec.choices))
    return f"{spec.range_text()} {spec.unit}".strip()


def _documents(model: type[Parameters]) -> list[dict[str, Any]]:
    return [
        {"name": spec.name, "default": spec.default, "allowed": _allowed(spec), "help": spec.help}
        for spec in specs(model)
    ]
