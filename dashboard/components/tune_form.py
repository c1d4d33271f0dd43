"""The form of a study: a run, which of its settings are searched and where, what becomes better, what it may cost."""

from typing import Any

import streamlit as st

from cnnlab.architectures.own_files import refuse_own_file
from cnnlab.config import RunConfig, config_from_dict
from cnnlab.errors import CNNLabError, ConfigError
from cnnlab.launch.engines.known import LOCAL, engine_names
from cnnlab.parameters import ParameterSpec, specs
from cnnlab.settings.layer_places import value_text
from cnnlab.settings.objectives import OBJECTIVES, Objective
from cnnlab.settings.ranges import ChoiceRange
from cnnlab.settings.searched import ARCHITECTURE, base_value, searchable
from cnnlab.settings.searching import AlgorithmConfig, BudgetConfig, PruningConfig
from cnnlab.settings.study import StudyConfig, study_from_dict
from dashboard import data
from dashboard.components.draft import draft
from dashboard.components.heads_section import learnt_outputs
from dashboard.components.range_editor import (
    KEY,
    condition_editor,
    condition_text,
    fill_range,
    range_editor,
)
from dashboard.components.run_choice import choose_run
from dashboard.components.text import plain
from dashboard.forms import choice_title, draw, parameter_form, put
from dashboard.state import link, query

FORM, RUN, LOADED = "The form", "A run", "Loaded"
LOADED_RUN = "tune_loaded_run"  # the config behind `LOADED`: no widget's key
DIRECTIONS = {"max": "higher is better", "min": "lower is better"}
# What a first look offers: a handful that nearly always matters.
FIRST = ["training.learning_rate", "training.optimizer"]


def tune_form() -> StudyConfig | str:
    """Draw the form; return the study, or the sentence that says what is wrong with it."""
    run = _base()
    if isinstance(run, str):
        return run
    try:
        space = _space(run)
        objectives = _objectives(run)
        rest = _how()
        return study_from_dict({"run": run.to_dict(), "space": space, "objectives": objectives, **rest})
    except ConfigError as error:
        return str(error)


def _base() -> RunConfig | str:
    """Draw where the settings come from that are not searched; return that run, or why there is none."""
    with st.container(border=True):
        st.subheader(":material/flag: What is trained", anchor=False)
        places = [FORM, RUN, *([LOADED] if LOADED_RUN in st.session_state else [])]
        asked = query("from")
        put(f"{KEY}.where", RUN if asked else FORM)
        if st.session_state[f"{KEY}.where"] not in places:
            st.session_state[f"{KEY}.where"] = FORM
        where = st.segmented_control("From", places, required=True, key=f"{KEY}.where")
        try:
            config = _config_from(str(where), asked)
        except CNNLabError as error:
            st.error(plain(error), icon=":material/error:")
            return str(error)
        if config is None:
            return "There is no run yet. Take the form, or train one first."
        training = config.training
        facts = [
            f"{config.architecture.name} on {config.data.dataset}", f"{training.epochs} epochs",
            f"{training.optimizer} at {training.learning_rate:g}", training.schedule.replace("_", " "),
            config.augmentation or "no augmentation",
        ]  # fmt: skip
        st.caption(plain(" · ".join(facts)))
        if where == FORM:
            link("train", "Change it in the form", icon=":material/edit:")
        return config


def _config_from(where: str, asked: str) -> RunConfig | None:
    if where == FORM:
        return config_from_dict(draft())
    if where == LOADED:
        return config_from_dict(st.session_state[LOADED_RUN])
    run_id = choose_run(KEY, asked)
    if not run_id:
        return None
    config = data.config(run_id)
    refuse_own_file(config)  # before anybody counts its network
    return config


def _space(run: RunConfig) -> dict[str, Any]:
    """Draw the choice of the searched settings and a row for each; return their ranges.

    Raises:
        ConfigError: a typed value cannot be read; only after all rows are drawn.
    """
    with st.container(border=True):
        st.subheader(":material/tune: Search space", anchor=False)
        put(f"{KEY}.searched", FIRST)
        names = st.session_state.get(f"{KEY}.values.{ARCHITECTURE}") or [run.architecture.name]
        known = _searchable(run, names if ARCHITECTURE in st.session_state[f"{KEY}.searched"] else [])
        kept = [path for path in st.session_state[f"{KEY}.searched"] if path in known]
        st.session_state[f"{KEY}.searched"] = kept
        searched = st.multiselect(
            "Searched settings; all others are as above", list(known), key=f"{KEY}.searched",
            format_func=lambda path: _title(known[path], path), placeholder="Type to find a setting",
        )  # fmt: skip
        space: dict[str, Any] = {}
        wrong: ConfigError | None = None
        rows = {}
        for path in searched:
            rows[path] = st.container(border=True, gap="small", key=f"range_{path.replace('.', '_')}")
            with rows[path]:
                st.markdown(f"**{plain(_title(known[path], path))}** · fixed it would be {_said(run, path)}")
                try:
                    space[path] = range_editor(run, path, known[path])
                except ConfigError as error:
                    st.error(plain(error), icon=":material/error:")
                    wrong = wrong or error
        _conditions(run, space, rows)
        if wrong:
            raise wrong
        return space


def _conditions(run: RunConfig, space: dict[str, Any], rows: dict[str, Any]) -> None:
    """Draw under which conditions each range is searched, and write the chosen ones into the ranges."""
    for path in space:
        with rows[path]:
            chosen = condition_editor(path, space)
            if chosen:
                space[path]["only_if"] = chosen
    try:
        whole = study_from_dict({"run": run.to_dict(), "space": space}).space
    except ConfigError:
        return  # the form says so at its end
    for path in space:
        if said := condition_text(run, whole, path):
            with rows[path]:
                st.caption(plain(f"Searched where {said}."))


def _searchable(run: RunConfig, names: list[str]) -> dict[str, ParameterSpec]:
    """Return what can be searched; of several chosen architectures the parameters of each."""
    return searchable(run, {ARCHITECTURE: ChoiceRange(values=tuple(names))} if len(names) > 1 else None)


def _title(spec: ParameterSpec, path: str) -> str:
    section = path.partition(".")[0] if "." in path else ""
    return f"{section.capitalize()}: {spec.title}" if section and path != ARCHITECTURE else spec.title


def _said(run: RunConfig, path: str) -> str:
    value = base_value(run, path)
    if value in (None, ""):
        return "not set"
    return plain(choice_title(value) if isinstance(value, str) else value_text(value))


def _objectives(run: RunConfig) -> list[str]:
    """Draw what becomes better; return objectives as text."""
    with st.container(border=True):
        st.subheader(":material/target: Objective", anchor=False)
        offered = objective_texts(run)
        put(f"{KEY}.objectives", ["val_accuracy:max"])
        extra = [text for text in st.session_state[f"{KEY}.objectives"] if text not in offered]
        chosen = st.multiselect(
            "One, or several at once", [*offered, *extra], key=f"{KEY}.objectives", format_func=objective_title,
            accept_new_options=True, max_selections=5,
            help="Of several, the front of those is sought that no other trial beats in all. Another logged metric "
            "can be typed with its direction, as 'name:min'.",
        )  # fmt: skip
        return list(chosen)


def objective_texts(run: RunConfig) -> list[str]:
    """Return the objectives that a run has, each with its usual direction; of several outputs each one's too."""
    outputs = learnt_outputs(run.to_dict()["data"])
    found = []
    for name, metric in OBJECTIVES.items():
        found.append(f"{name}:{metric.direction}")
        if metric.is_per_output and len(outputs) > 1:
            found += [f"{name}/{output}:{metric.direction}" for output in outputs]
    return found


def objective_title(text: str) -> str:
    """Return `'Validation accuracy (higher is better)'`, or the text where it says nothing."""
    try:
        one = Objective.model_validate(text)
    except (ConfigError, ValueError):
        return text
    return f"{one.title} ({DIRECTIONS[one.direction]})"


def _how() -> dict[str, Any]:
    """Draw algorithm, budget, early stopping of trials and the rest; return their parts of the study."""
    known = {spec.name: spec for spec in specs(StudyConfig)}
    with st.container(border=True):
        st.subheader(":material/explore: Algorithm and budget", anchor=False)
        defaults = AlgorithmConfig().model_dump()
        algorithm = parameter_form(AlgorithmConfig, defaults, f"{KEY}.algorithm")
        budget = parameter_form(BudgetConfig, BudgetConfig().model_dump(), f"{KEY}.budget", columns=3)
        left, right = st.columns(2)
        rest: dict[str, Any] = {}
        for place, name, first in ((left, "workers", 1), (right, "seed", 0)):
            put(f"{KEY}.{name}", first)
            with place:
                rest[name] = draw(known[name], f"{KEY}.{name}")
        rest["engine"] = _engine(known["engine"])
        with st.expander("Stopping bad trials, and what stays on disk", icon=":material/content_cut:"):
            pruning = parameter_form(PruningConfig, PruningConfig().model_dump(), f"{KEY}.pruning")
            put(f"{KEY}.keep_checkpoints", 3)
            rest["keep_checkpoints"] = draw(known["keep_checkpoints"], f"{KEY}.keep_checkpoints")
    return {**rest, "algorithm": algorithm, "budget": budget, "pruning": pruning}


def _engine(spec: ParameterSpec) -> str:
    """Draw who places the workers, where there is a choice."""
    key, names = f"{KEY}.engine", engine_names()
    asked = st.session_state.setdefault(key, LOCAL)
    if len(names) == 1 and asked == LOCAL:
        return LOCAL
    # One that a loaded study names and that is not installed here: the start says so.
    options = [*names, *([asked] if asked not in names else [])]
    return str(st.segmented_control(spec.title, options, required=True, key=key, help=spec.help))


def fill(study: StudyConfig) -> None:
    """Fill the form from a study; call it before the widgets are drawn, or in a callback."""
    state = st.session_state
    for key in [key for key in state if str(key).startswith(f"{KEY}.")]:
        del state[key]
    state[LOADED_RUN] = study.run.to_dict()
    state[f"{KEY}.where"] = LOADED
    state[f"{KEY}.searched"] = list(study.space)
    known = searchable(study.run, study.space)
    for path, searched in study.space.items():
        if path in known:
            fill_range(path, searched, known[path])
    state[f"{KEY}.objectives"] = [objective.text() for objective in study.objectives]
    for part in ("algorithm", "budget", "pruning"):
        for name, value in getattr(study, part).model_dump().items():
            state[f"{KEY}.{part}.{name}"] = value
    for name in ("name", "notes", "workers", "seed", "engine", "keep_checkpoints"):
        state[f"{KEY}.{name}"] = getattr(study, name)


def not_shown(study: StudyConfig) -> list[str]:
    """Return the searched settings that the form has no widget for, such as the weight of one output."""
    known = searchable(study.run, study.space)
    return [path for path in study.space if path not in known]
