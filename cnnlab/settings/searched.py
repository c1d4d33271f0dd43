"""Which settings of a run can be searched, and when each of them means something.

A setting is named by its dotted place: `training.learning_rate`, `architecture.parameters.width`.
"""

import typing
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from cnnlab.architectures.catalogue import get_architecture
from cnnlab.config import RunConfig
from cnnlab.errors import ConfigError, suggestion
from cnnlab.parameters import ParameterSpec, specs
from cnnlab.settings import layer_places
from cnnlab.settings.layer_places import place_of, whole_layers
from cnnlab.settings.ranges import AnyRange, ChoiceRange, FloatRange, value_key

Space = Mapping[str, AnyRange]
Conditions = dict[str, tuple[Any, ...]]

ARCHITECTURE = "architecture.name"
PARAMETERS = "architecture.parameters."
# A study decides over these itself, or they would change on which images trials are compared.
NOT_SEARCHED = {
    "name": "names of runs are made by the study",
    "notes": "notes change nothing",
    "repeats": "'budget.executions' says how often a trial is trained",
    "training.seed": "the study gives each run its seed",
    "training.continue_from": "trials begin anew",
    "data.dataset": "trials are compared on the same images",
    "data.version": "trials are compared on the same images",
    "data.outputs": "trials are compared on the same outputs",
    "compute.slots": "each trial takes the slots of the run",
    "compute.measure_latency": "an objective 'latency_ms' asks for it",
}


def networks(run: RunConfig, space: Space) -> tuple[str, ...]:
    """Return the names of all architectures that a trial can have."""
    searched = space.get(ARCHITECTURE)
    return tuple(searched.values) if isinstance(searched, ChoiceRange) else (run.architecture.name,)


def searchable(run: RunConfig, space: Space | None = None) -> dict[str, ParameterSpec]:
    """Return every setting that can be searched, by dotted place, in the order of the form.

    Args:
        space: What is searched already: its architectures bring their parameters.
    """
    found: dict[str, ParameterSpec] = {}
    for section, field in RunConfig.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            found |= {f"{section}.{spec.name}": spec for spec in specs(model) if spec.holds != "mapping"}
        else:
            found[section] = next(spec for spec in specs(RunConfig) if spec.name == section)
    for name in networks(run, space or {}):
        for spec in specs(get_architecture(name).parameters):
            found.setdefault(PARAMETERS + spec.name, spec)
    found |= layer_places.searchable_layers(layers_of(run), whole_layers(space or {}))
    return {path: spec for path, spec in found.items() if path not in NOT_SEARCHED}


def layers_of(run: RunConfig) -> list[dict[str, Any]]:
    """Return the layers of a run whose network is a list of them; none of another network."""
    architecture = run.architecture
    return list(architecture.parameters["layers"]) if architecture.name == layer_places.ARCHITECTURE else []


def base_value(run: RunConfig, path: str) -> Any:
    """Return what the run says of a setting; None where it has none of that name."""
    if (layer_place := place_of(path)) is not None:
        return layer_places.value_at(layers_of(run), layer_place)
    place: Any = run.to_dict()
    for part in path.split("."):
        place = place.get(part) if isinstance(place, Mapping) else None
    return place


def conditions(run: RunConfig, space: Space, path: str) -> Conditions:
    """Return on which values of other searched settings a setting depends; all must hold.

    To the range's own `only_if` come what the settings say of themselves (momentum only with 'sgd') and
    the architectures that have a parameter. Conditions on settings that are not searched are decided here.

    Raises:
        ConfigError: a condition can never hold.
    """
    asked = dict(space[path].only_if)
    for parent, values in _implied(run, space, path).items():
        own = asked.get(parent)
        keys = {value_key(value) for value in values}
        asked[parent] = values if own is None else tuple(value for value in own if value_key(value) in keys)
        if own and not asked[parent]:
            raise ConfigError(
                f"space.{path} is never searched: its condition wants {parent} {_any_of(own)}, and it means something "
                f"only with {_any_of(values)}. Expected a condition that can hold. Change its 'only_if', or leave "
                f"{path} out."
            )
    left: Conditions = {}
    for parent, values in asked.items():
        searched = space.get(parent)
        if searched is None:
            _check_decided(path, parent, values, base_value(run, parent))
        elif not values or not any(searched.holds(value) for value in values):
            raise ConfigError(
                f"space.{path} is never searched: {parent} is in no trial {_any_of(values)}. Expected a "
                f"condition that can hold. Change its 'only_if', or leave {path} out."
            )
        elif not isinstance(searched, ChoiceRange) or any(not _is_in(value, values) for value in searched.values):
            left[parent] = values
    return left


def check_range(run: RunConfig, space: Space, path: str) -> AnyRange:
    """Return the range with its values as the run takes them.

    Raises:
        ConfigError: the setting is unknown or not to be searched, or the range leaves what it takes.
    """
    if path in NOT_SEARCHED or path.startswith("data.parameters"):
        reason = NOT_SEARCHED.get(path, NOT_SEARCHED["data.dataset"])
        raise ConfigError(f"space.{path} cannot be searched: {reason}. Expected another setting. Leave it out.")
    searched = space[path]
    if place_of(path) is not None:
        for spec, model in layer_places.specs_at(layers_of(run), space, path):
            searched = _checked(path, spec, searched, model)
        if isinstance(searched, ChoiceRange) or "." in path.removeprefix(f"{layer_places.LIST}."):
            return searched
        raise ConfigError(f"space.{path} is a range of kind {searched.kind!r}, but takes layers. Expected a choice.")
    if path.startswith(PARAMETERS):
        for name in _networks_of(run, space, path):
            spec = next(one for one in specs(get_architecture(name).parameters) if one.name == path.split(".")[-1])
            searched = _checked(path, spec, searched, get_architecture(name).parameters)
        return searched
    if path.startswith(("heads.weights.", "heads.rates.")):
        return searched  # any name of an output: the check of the whole config knows their bounds
    known = searchable(run, space)
    if path not in known:
        raise ConfigError(f"Unknown setting {path!r} in the search space. {suggestion(path, known)}")
    section, _, _ = path.rpartition(".")
    model = RunConfig if not section else typing.cast(type[BaseModel], RunConfig.model_fields[section].annotation)
    return _checked(path, known[path], searched, model)


def check_parent(run: RunConfig, space: Space, path: str, parent: str) -> None:
    """Refuse a condition of the range at `path` on a setting that no run has, or on a value that it never has.

    Raises:
        ConfigError: so it is.
    """
    searched = space.get(parent)
    if searched is None:
        known = [*searchable(run, space), *NOT_SEARCHED]
        if parent not in known and base_value(run, parent) is None:
            raise ConfigError(f"space.{path} is searched only if {parent!r}: unknown. {suggestion(parent, known)}")
        return
    for value in space[path].only_if[parent]:
        if not searched.holds(value):
            raise ConfigError(
                f"space.{path} is searched only if {parent} is {value!r}, which is not in its range. Expected values "
                "of its range. Correct the 'only_if'."
            )


def _networks_of(run: RunConfig, space: Space, path: str) -> tuple[str, ...]:
    # The architectures that have this parameter, as far as the range's own condition lets them in.
    name = path.removeprefix(PARAMETERS)
    having = [one for one in networks(run, space) if name in get_architecture(one).parameters.model_fields]
    if not having:
        known = [path for path in searchable(run, space) if path.startswith(PARAMETERS)]
        raise ConfigError(f"Unknown setting {path!r} in the search space. {suggestion(path, known)}")
    allowed = space[path].only_if.get(ARCHITECTURE)
    return tuple(one for one in having if allowed is None or one in allowed)


def _implied(run: RunConfig, space: Space, path: str) -> Conditions:
    if place_of(path) is not None:
        of_list: Conditions = {ARCHITECTURE: (layer_places.ARCHITECTURE,)} if ARCHITECTURE in space else {}
        return of_list | layer_places.implied(space, path)
    if path.startswith(PARAMETERS):
        names = _networks_of(run, space, path)
        fields = {spec.name: spec for one in names for spec in specs(get_architecture(one).parameters)}
        found: Conditions = {ARCHITECTURE: names} if ARCHITECTURE in space else {}
    else:
        fields = {known.removeprefix(_section(path)): spec for known, spec in searchable(run, space).items()
                  if known.startswith(_section(path))}  # fmt: skip
        found = {}
    spec = fields.get(path.removeprefix(_section(path)))
    if spec is None:
        return found
    found |= {_section(path) + sibling: tuple(values) for sibling, values in spec.only_if.items()}
    if spec.only_if_set:
        parent = _section(path) + spec.only_if_set
        searched = space.get(parent)
        if isinstance(searched, ChoiceRange):
            found[parent] = tuple(value for value in searched.values if value)
        elif searched is None and not base_value(run, parent):
            found[parent] = ()
    return found


def _section(path: str) -> str:
    head, dot, _ = path.rpartition(".")
    return head + dot


def _is_in(value: Any, values: tuple[Any, ...]) -> bool:
    return value_key(value) in {value_key(one) for one in values}


def _any_of(values: tuple[Any, ...]) -> str:
    return " or ".join(repr(value) for value in values) if values else "set"


def _check_decided(path: str, parent: str, values: tuple[Any, ...], value: Any) -> None:
    if not _is_in(value, values) and not (value is not None and value in values):
        raise ConfigError(
            f"space.{path} is never searched: it means something only where {parent} is {_any_of(values)}, and the "
            f"run has {value!r}. Expected a condition that can hold. Search {parent} too, change it in 'run', or leave "
            f"{path} out."
        )


def _checked(path: str, spec: ParameterSpec, searched: AnyRange, model: type[BaseModel]) -> AnyRange:
    if isinstance(searched, ChoiceRange):
        return searched.model_copy(update={"values": _choices(path, spec, searched, model)})
    if spec.kind not in ("integer", "number") or (spec.kind == "integer" and isinstance(searched, FloatRange)):
        kinds = {"integer": "integers", "boolean": "true or false"}
        takes = kinds.get(spec.kind, "certain values only")
        expected = "an int range or a choice" if spec.kind == "integer" else "a choice"
        raise ConfigError(f"space.{path} is a range of kind {searched.kind!r}, but takes {takes}. Expected {expected}.")
    for end in ("low", "high"):
        value = getattr(searched, end)
        is_low = spec.low is not None and (value < spec.low or (spec.is_low_open and value == spec.low))
        is_high = spec.high is not None and (value > spec.high or (spec.is_high_open and value == spec.high))
        if is_low or is_high:
            kind = "an integer" if spec.kind == "integer" else "a number"
            raise ConfigError(f"space.{path}: {end}={value:g} is out of range. Expected {kind} in {spec.range_text()}.")
    return searched


def _choices(path: str, spec: ParameterSpec, searched: ChoiceRange, model: type[BaseModel]) -> tuple[Any, ...]:
    field = model.model_fields[spec.name]
    kind: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    found = []
    for value in searched.values:
        try:
            # Through JSON, so that what is compared and hashed is what stands in files.
            found.append(adapter.dump_python(adapter.validate_python(value), mode="json"))
        except ValidationError as error:
            texts = [str(choice) for choice in spec.choices]
            expected = f"Expected {'an integer' if spec.kind == 'integer' else 'a number'} in {spec.range_text()}."
            hint = suggestion(str(value), texts) if texts else expected if spec.range_text() else ""
            message = error.errors()[0]["msg"]
            raise ConfigError(f"space.{path}: {value!r} cannot be used. {hint or f'{message}.'}") from None
        if path == ARCHITECTURE:
            get_architecture(str(value))
    return tuple(found)
