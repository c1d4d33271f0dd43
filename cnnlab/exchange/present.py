"""Which imported runs a store has, known by what is in them and not by what they are called."""

from cnnlab.runs.adopting import AdoptedRun, Adoption
from cnnlab.runs.store import Store

_STAMP_LENGTH = len("20231114-221320")


class Present:
    """The runs of a store, of its trash and of an import that is at work."""

    def __init__(self, store: Store, adoption: Adoption):
        self._adoption = adoption
        before = store.run_ids()
        self._by_content = {bare(run_id): run_id for run_id in (*store.trash_ids(), *before)}
        self._states: dict[tuple[str, str], list[str]] = {}
        for run_id in before:
            self._states.setdefault(bare(run_id)[:2], []).append(run_id)

    def same(self, run: AdoptedRun) -> str | None:
        """Return the id under which a run is there as it is now, None where it is not."""
        if self._adoption.has(run.run_id):
            return run.run_id
        # Ids of our own runs do not end in what is in them.
        return None if run.origin.has_config else self._by_content.get(bare(run.run_id))

    def earlier(self, run: AdoptedRun) -> list[str]:
        """Return the runs that were there before the import and are the same run in another state."""
        return [] if run.origin.has_config else self._states.get(bare(run.run_id)[:2], [])

    def add(self, run: AdoptedRun) -> None:
        """Put a run into the import."""
        self._adoption.add(run)
        self._by_content[bare(run.run_id)] = run.run_id


def bare(run_id: str) -> tuple[str, str, str]:
    """Return the parts of an imported run's id that do not depend on its name: when it began, which it is, its state.

    >>> bare("20231114-221320-mlflow-my-net-0123abcd-4567cdef")
    ('20231114-221320', '0123abcd', '4567cdef')
    """
    words, identity, state = ("", "", *run_id.rsplit("-", 2))[-3:]
    return words[:_STAMP_LENGTH], identity, state
