"""`annotate`, `disk`, `empty-trash`: what people say of runs, and what the store takes on disk."""

from typing import Annotated, Any

import typer

from cnnlab.commands.output import JsonOption, print_json, print_table, say
from cnnlab.commands.selection import WhereOption, found, selected
from cnnlab.errors import ConfigError
from cnnlab.files import size_of
from cnnlab.runs import annotations, trash
from cnnlab.runs.store import Store

_UNITS = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def annotate(
    run_ids: Annotated[list[str] | None, typer.Argument(help="Ids of runs, from 'python -m cnnlab runs'.")] = None,
    where: WhereOption = "",
    tags: Annotated[list[str] | None, typer.Option("--tag", help="Give them a tag; may be repeated.")] = None,
    untags: Annotated[list[str] | None, typer.Option("--untag", help="Take a tag away; may be repeated.")] = None,
    note: Annotated[str | None, typer.Option("--note", help="Their notes from now on; empty for none.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="What they are called; empty: as they were made.")] = None,
    is_starred: Annotated[bool | None, typer.Option("--star/--no-star", help="Mark them, or not.")] = None,
    is_archived: Annotated[
        bool | None, typer.Option("--archive/--no-archive", help="Put them aside: lists leave them out.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Say something of runs, also while they train: name, notes, tags, star, archive."""
    change = annotations.change(
        name=name,
        notes=note,
        add_tags=tags or (),
        remove_tags=untags or (),
        is_starred=is_starred,
        is_archived=is_archived,
    )
    if not change.line():
        raise ConfigError("Nothing was said. Expected an option such as --tag baseline or --star. Give one.")
    store = Store()
    ids = selected(store, run_ids or [], where)
    annotations.annotate(store, ids, change)
    if json:
        print_json({"run_ids": ids, "change": change.line()})
        return
    said = ", ".join(f"{field}={value}" for field, value in change.line().items())
    print(f"{len(ids)} {'run' if len(ids) == 1 else 'runs'}: {said}.")


def disk(
    where: WhereOption = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, help="How many runs, the largest first.")] = 10,
    json: JsonOption = False,
) -> None:
    """Tell what the store takes on disk: runs, trash and all else, and the largest runs."""
    store = Store()
    runs = found(store, where, has_archived=True).select("run_id", "name", "state")
    sizes = {run_id: size_of(store.runs_dir / run_id) for run_id in runs["run_id"]}
    parts: dict[str, Any] = {"runs": {"count": len(sizes), "bytes": sum(sizes.values())}}
    things = trash.contents(store)
    parts["trash"] = {"count": len(things), "bytes": sum(one.disk_bytes for one in things)}
    for part in ("datasets", "studies", "ablations", "cache", "index"):
        # What is deleted of these counts to the trash.
        deleted = size_of(store.root / part / "trash") if part in ("studies", "ablations") else 0
        parts[part] = {"bytes": size_of(store.root / part) - deleted}
    rows = sorted(runs.to_dicts(), key=lambda row: -sizes[row["run_id"]])[:limit]
    if json:
        largest = [{**row, "bytes": sizes[row["run_id"]]} for row in rows]
        print_json({"store": str(store.root), **parts, "largest": largest, "trash_days": trash.kept_days()})
        return
    lines = [(name, part.get("count"), bytes_text(part["bytes"])) for name, part in parts.items()]
    print_table(("part", "count", "on disk"), lines, right=("count", "on disk"))
    if rows:
        print()
        largest_rows = [(row["run_id"], row["name"], row["state"], bytes_text(sizes[row["run_id"]])) for row in rows]
        print_table(("run", "name", "status", "on disk"), largest_rows, right=("on disk",))
    if things:
        days = trash.kept_days()
        when = f"{days:g} days after it was deleted, or by" if days else "only by"
        say(f"What is in the trash leaves it {when} 'python -m cnnlab empty-trash'.")


def empty_trash(
    is_sure: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: JsonOption = False,
) -> None:
    """Delete for good what is in the trash: runs, studies and ablations."""
    store = Store()
    things = trash.contents(store)
    size = sum(one.disk_bytes for one in things)
    if not things:
        if json:
            print_json({"count": 0, "bytes": 0})
        else:
            print("The trash is empty.")
        return
    if not is_sure and not typer.confirm(f"Delete {len(things)} thing(s), {bytes_text(size)}, for good?", err=True):
        raise typer.Exit(1)
    freed = trash.empty_trash(store, things)
    if json:
        print_json({"count": len(things), "bytes": freed})
    else:
        print(f"{len(things)} gone for good; {bytes_text(freed)} are free.")


def bytes_text(size: float) -> str:
    """Return `'12.3 MB'`."""
    for unit, name in _UNITS:
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size:.0f} B"
