"""Errors of the reader libraries → the problem `damaged`: what a library cannot read must not end the process."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sysconfig import get_paths

from reading.problems import Problem, UnreadableFile

# The words of a library that had no room for another thread, or for its data.
_NO_RESOURCES = ("Resource temporarily unavailable", "Cannot allocate memory", "os error 11", "os error 12")
_NO_SPACE = "(os error 28)"
_LIBRARIES = tuple({get_paths()[name] for name in ("purelib", "platlib")})
# Errors whose class belongs to a library, wherever they are raised: the compiled readers have no frames of Python.
_MODULES = ("_fastexcel", "fastexcel", "polars", "xlrd", "zipfile", "zlib", "xml", "pyexpat", "defusedxml")


@contextmanager
def library_errors(sheet: str = "") -> Iterator[None]:
    """Raise UnreadableFile (`damaged`, with `sheet`) for whatever a reader library raises about the file.

    A panic of the Rust readers is a BaseException without a public name. Raises MemoryError and OSError (ENOSPC) where
    the library lacked memory, threads or disk: the file is not to blame. An error of our own code passes.
    """
    try:
        yield
    except (UnreadableFile, MemoryError):
        raise
    except BaseException as error:
        if not _is_of_library(error):
            raise
        if isinstance(error, OSError) and error.errno is not None:
            raise
        text = str(error)
        if any(sign in text for sign in _NO_RESOURCES):
            raise MemoryError from None
        if _NO_SPACE in text:
            raise OSError(errno.ENOSPC, "no room for what the reader writes") from None
        raise UnreadableFile([Problem("damaged", sheet=sheet)]) from error


def _is_of_library(error: BaseException) -> bool:
    if type(error).__name__ == "PanicException":
        return True
    if not isinstance(error, Exception):
        return False
    if type(error).__module__.partition(".")[0] in _MODULES:
        return True
    traceback = error.__traceback__
    if traceback is None:
        return False
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    # Where it was raised: a library written in Python raises errors of any class about a damaged file.
    place = str(Path(traceback.tb_frame.f_code.co_filename))
    return place.startswith(_LIBRARIES)
