"""A rule as a third party would write it."""

from collections.abc import Iterator

from imgconv.rules.instance import Hit, Instance


def check_site(instance: Instance) -> Iterator[Hit]:
    if instance.dataset.get(0x00080080) is None:
        yield Hit("Z901", "InstitutionName is missing", "(0008,0080)")
