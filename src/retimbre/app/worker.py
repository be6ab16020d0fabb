"""A worker process of the app: reads one task a line from its standard input, answers with one line each (JSON).

It is a process of its own, so that a file that breaks a decoder, or a task that never ends, takes nothing else along.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import Any, TextIO

from retimbre.app.tasks import TASKS
from retimbre.errors import RetimbreError


def main() -> None:
    """Serve until the input ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    serve(sys.stdin, answers)


def serve(asked: TextIO, answers: TextIO) -> None:
    """Answer every line."""
    for line in asked:
        print(json.dumps(answer(**json.loads(line))), file=answers, flush=True)


def answer(task: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """What a task gives: {"value"}; {"problem"} for what the user can cure; {"defect"} for what is ours."""
    try:
        return {"value": TASKS[task](**arguments)}
    except RetimbreError as error:
        return {"problem": str(error)}
    except MemoryError:
        return {"problem": "There is not enough memory for this; use a shorter sound."}
    except Exception as error:
        traceback.print_exc()
        return {"defect": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    main()
