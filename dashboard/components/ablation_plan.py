"""The form that plans an ablation: a baseline, changes to tick or to type, seeds; and what comes of it."""

from typing import Any

import polars as pl
import streamlit as st

from cnnlab.ablation import AblationPlan, Change, parse_change, plan_from_dict, settings_text
from cnnlab.ablation_offers import Offer, offers
from cnnlab.architectures.own_files import refuse_own_file
from cnnlab.commands.ablation import command_text
from cnnlab.config import RunConfig, config_from_dict
from cnnlab.errors import CNNLabError, ConfigError
from cnnlab.parameters import specs
from cnnlab.submit_ablation import submit_ablation
from dashboard import data
from dashboard.components.draft import draft
from dashboard.components.heads_section import learnt_outputs
from dashboard.components.run_choice import choose_run
from dashboard.components.text import plain
from dashboard.forms import draw, put
from dashboard.state import go, link, query

FORM, RUN = "The form", "A run"
KEY = "ablation"
KEPT = "kept_ablation_plan"


def plan_form() -> None:
    """Draw the form; a plan that is right can be queued."""
    for key, value in st.session_state.get(KEPT, {}).items():  # a look at another page keeps it
        put(key, value)
    _form()
    st.session_state[KEPT] = {key: st.session_state[key] for key in st.session_state if _is_kept(str(key))}


def _is_kept(key: str) -> bool:
    return key.startswith(f"{KEY}.")


def _form() -> None:
    form, side = st.columns([5, 3], gap="large")
    with form:
        baseline = _baseline()
        if baseline is None:
            return
        changes, wrong = _changes(baseline)
    with side:
        values = _size() | {"baseline": baseline.to_dict(), "changes": [change.model_dump() for change in changes]}
        if values["is_cumulative"]:
            values["changes"] = _ordered(changes)
        if wrong or not changes:
            st.info(plain(wrong) if wrong else "Tick a change, or type one.", icon=":material/checklist:")
            return
        try:
            plan = plan_from_dict(values)
        except ConfigError as error:
            st.error(plain(error), icon=":material/error:")
            return
        _side(plan)


def _baseline() -> RunConfig | None:
    with st.container(border=True):
        st.subheader(":material/flag: Baseline", anchor=False)
        asked = query("from")
        put(f"{KEY}.where", RUN if asked else FORM)
        where = st.segmented_control("From", [FORM, RUN], required=True, key=f"{KEY}.where")
        try:
            config = config_from_dict(draft()) if where == FORM else _config_of_run(asked)
        except CNNLabError as error:
            st.error(plain(error), icon=":material/error:")
            return None
        if config is None:
            return None
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


def _config_of_run(asked: str) -> RunConfig | None:
    run_id = choose_run(KEY, asked)
    if run_id is None:
        return None
    config = data.config(run_id)
    refuse_own_file(config)
    return config


def _changes(baseline: RunConfig) -> tuple[list[Change], str]:
    """Draw the ticks and the box; return the changes in their order, and what is wrong with the typed ones."""
    with st.container(border=True):
        st.subheader(":material/checklist: Changes", anchor=False)
        num_outputs = len(learnt_outputs(baseline.to_dict()["data"]))
        found = [offer.change for offer in _ticked(offers(baseline, num_outputs))]
        typed = st.text_area(
            "Your own, one per line",
            key=f"{KEY}.typed",
            height=100,
            placeholder="larger batch = training.batch_size=256\nSGD = training.optimizer=sgd; training.momentum=0.9",
            help="name=key=value; several settings are parted by ';'. Keys are those of a run's YAML; "
            "'augmentation+' adds a step and 'augmentation-' takes one away.",
        )
        wrong = ""
        for line in typed.splitlines():
            try:
                found += [parse_change(line)] if line.strip() else []
            except ConfigError as error:
                wrong = wrong or str(error)
        if wrong:
            st.error(plain(wrong), icon=":material/error:")
        return found, wrong


def _ticked(known: list[Offer]) -> list[Offer]:
    chosen = []
    for group in dict.fromkeys(offer.group for offer in known):
        st.markdown(f"**{group}**")
        with st.grid(min_column_width=190, gap="small"):
            for offer in known:
                name = offer.change.name
                if offer.group == group and st.checkbox(
                    name[0].upper() + name[1:], key=f"{KEY}.tick.{name}", help=settings_text(offer.change.settings)
                ):
                    chosen.append(offer)
    return chosen


def _size() -> dict[str, Any]:
    known = {spec.name: spec for spec in specs(AblationPlan)}
    name = st.text_input("Name", key=f"{KEY}.name", max_chars=60, placeholder="Made from the baseline when empty")
    put(f"{KEY}.seeds", 3)
    seeds = st.slider("Seeds", 1, 10, key=f"{KEY}.seeds", help=known["seeds"].help)
    if seeds == 1:
        st.caption(
            "With one seed two networks are compared image by image; what chance does to a training stays unseen."
        )
    put(f"{KEY}.cumulative", False)
    is_cumulative = draw(known["is_cumulative"], f"{KEY}.cumulative")
    return {"name": name.strip(), "seeds": int(seeds), "is_cumulative": bool(is_cumulative)}


def _ordered(changes: list[Change]) -> list[dict[str, Any]]:
    names = list(dict.fromkeys(change.name for change in changes))
    key = f"{KEY}.order.{'/'.join(names)}"
    put(key, names)
    order = st.multiselect("In this order", names, key=key, help="Take all out and put them in again to reorder.")
    by_name = {change.name: change for change in changes}
    return [by_name[name].model_dump() for name in order]


def _side(plan: AblationPlan) -> None:
    variants = plan.variants()
    count = plan.seeds * len(variants)
    st.dataframe(
        pl.DataFrame(
            {
                "Variant": [variant.name for variant in variants],
                "Settings": ["" if one.change is None else settings_text(one.change.settings) for one in variants],
                "Runs": [plan.seeds] * len(variants),
            }
        ),
        hide_index=True,
        alt="Variants of the ablation",
    )
    if st.button(f"Queue {count} runs", type="primary", icon=":material/play_arrow:", width="stretch", key="queue"):
        _submit(plan)
    plan_text(plan, "plan")


def plan_text(plan: AblationPlan, key: str) -> None:
    """Draw the plan as command and as YAML, each with its copy button."""
    command, whole = st.tabs(["Copy as command", "Copy as YAML"])
    with command:
        st.code(command_text(plan), language="bash", wrap_lines=True)
    with whole:
        text = plan.to_yaml()
        st.code(text, language="yaml", height=260)
        st.download_button(
            "Download the YAML", text, file_name="ablation.yaml", mime="application/yaml", icon=":material/download:",
            on_click="ignore", key=f"{key}_yaml",
        )  # fmt: skip
        st.caption("`python -m cnnlab ablate --plan ablation.yaml` queues it.")


def _submit(plan: AblationPlan) -> None:
    try:
        refuse_own_file(plan.baseline)
        made = submit_ablation(data.store(), plan, queue=data.queue())
    except CNNLabError as error:
        st.error(plain(error), icon=":material/error:")
        return
    data.refresh()
    go("ablation", ablation=made.ablation_id)
