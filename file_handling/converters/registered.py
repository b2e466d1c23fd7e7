"""Which converter is for which file."""

from collections.abc import Mapping

from file_handling.models import Converter
from reading.formats import EXTENSIONS, extension_of


def converters_by_extension() -> dict[str, Converter]:
    """The active converters, by the extension that each converts: lower case, without a dot."""
    return {
        extension: converter
        for converter in Converter.objects.filter(is_active=True).order_by("pk")
        for extension in converter.extensions
    }


def is_read_directly(name: str) -> bool:
    """Whether a file of this name is read by Concord itself; its content may still be refused."""
    return extension_of(name) in EXTENSIONS


def converters_for(names: list[str]) -> Mapping[str, Converter]:
    """`converters_by_extension`; without a query where all files of these names are read directly."""
    return {} if all(map(is_read_directly, names)) else converters_by_extension()
