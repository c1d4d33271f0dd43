"""Whose images a version of a data set has: its own, or those of the set that it was corrected from.

Ids of images mean something within one data set only. A corrected set keeps them, so its images are those of the set
that it was made from, and runs on both can be compared image by image.
"""

from collections.abc import Iterable, Mapping

from cnnlab.datasets.storage import DatasetInfo

# Name and version.
Version = tuple[str, str]
Origins = Mapping[Version, str]


def origins_of(infos: Iterable[DatasetInfo]) -> dict[Version, str]:
    """Return the data set that each corrected version goes back to, over any number of corrections.

    What is not in there was not corrected from another set.
    """
    before: dict[Version, Version] = {}
    for info in infos:
        told = info.facts.get("corrected_from")
        if told:
            before[info.name, info.version] = (told["name"], told["version"])
    return {version: _first(version, before) for version in before}


def _first(version: Version, before: Mapping[Version, Version]) -> str:
    seen = set()
    while version in before and version not in seen:  # a file that somebody edited may lead in a circle
        seen.add(version)
        version = before[version]
    return version[0]
