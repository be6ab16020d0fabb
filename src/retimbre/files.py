"""Write a file whole or not at all, and never over a user's work unasked."""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from retimbre.errors import RetimbreError


def refuse_overwrite(path: Path, *, overwrite: bool | None, inputs: Iterable[str | os.PathLike[str]] = ()) -> None:
    """Check that a file may be written, before the work that it is to hold is done.

    Args:
        path: the file to be written.
        overwrite: whether an existing file may be replaced; None where there is no way to ask for that.
        inputs: files being read, which are never replaced, whatever `overwrite` says.

    Raises:
        RetimbreError: `path` exists, is a folder, is one of `inputs`, or lies in no folder or a read-only one.
    """
    if path.is_dir():
        raise RetimbreError(f"{path}: is a folder; name a file in it")
    if not path.parent.is_dir():
        raise RetimbreError(f"{path}: the folder {path.parent} does not exist; create it first")
    if not os.access(path.parent, os.W_OK):
        raise RetimbreError(f"{path}: cannot be written (its folder is read-only); choose another folder")
    if not path.exists():
        return
    if any(os.path.exists(source) and os.path.samefile(source, path) for source in inputs):
        raise RetimbreError(f"{path}: is also an input; choose another name for the output")
    if not overwrite:
        way = "move it away" if overwrite is None else "replace it with --force (in Python: overwrite=True)"
        raise RetimbreError(f"{path}: exists already; choose another name, or {way}")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary file beside `path` to write to; rename it to `path` if all goes well, else remove it.

    The temporary file is hidden, lies on the same disk (so that renaming is atomic) and does not outlive an error
    or Ctrl-C.

    Args:
        path: the file to appear.

    Yields:
        The path to write to. It exists, empty, with the permissions of an ordinary new file.

    Raises:
        RetimbreError: nothing can be written in the folder of `path`, or the disk is full.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        raise RetimbreError(f"{path}: cannot be written ({error.strerror}); choose another folder") from error
    try:
        yield part
        os.replace(part, path)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, OSError):
            why = error.strerror or type(error).__name__
            raise RetimbreError(f"{path}: writing failed ({why}); is the disk full? Free some space there") from error
        raise


@contextlib.contextmanager
def making_folder(folder: Path) -> Iterator[Path]:
    """Give an empty folder beside `folder` to write to; rename it to `folder` if all goes well, else remove it.

    Args:
        folder: to appear, whole.

    Yields:
        The folder to write to.

    Raises:
        RetimbreError: `folder` exists, its parent does not, or writing fails.
    """
    if folder.exists() or folder.is_symlink():
        raise RetimbreError(f"{folder}: exists already; name a folder that is to be made")
    if not folder.parent.is_dir():
        raise RetimbreError(f"{folder}: the folder {folder.parent} does not exist; create it first")
    part = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.part")
    try:
        part.mkdir()
    except OSError as error:
        raise RetimbreError(f"{folder}: cannot be made ({error.strerror}); choose another place") from error
    try:
        yield part
        part.rename(folder)
    except BaseException as error:
        shutil.rmtree(part, ignore_errors=True)
        if isinstance(error, OSError):
            why = error.strerror or type(error).__name__
            raise RetimbreError(f"{folder}: writing failed ({why}); is the disk full? Free some space there") from error
        raise
