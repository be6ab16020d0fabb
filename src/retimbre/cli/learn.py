"""The commands around training: doctor, train, eval."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retimbre.cli.common import check_picture, progress_bar
from retimbre.errors import RetimbreError

if TYPE_CHECKING:
    from retimbre.instrument import Instrument
    from retimbre.training.recipe import Recipe
    from retimbre.training.recording import Recording


def doctor(options: argparse.Namespace) -> int:
    """`retimbre doctor`: what is wrong with a folder of recordings."""
    from dataclasses import asdict

    from retimbre.training.doctor import examine
    from retimbre.training.doctor.page import lines

    with progress_bar(str(options.folder), options.json) as progress:

        def watched(paths: list[Path]) -> Iterator[Path]:
            for place, path in enumerate(paths):
                progress(place / len(paths))
                yield path

        diagnosis = examine(options.folder, progress=watched)
    if options.json:
        print(json.dumps(asdict(diagnosis), ensure_ascii=False))
    else:
        print("\n".join(lines(diagnosis, every_file=options.all)))
    return 0


def _lacking(error: ImportError) -> RetimbreError:
    return RetimbreError(f"training needs more packages ({error.name}): pip install '.[train]' where retimbre lies")


def _recipe(options: argparse.Namespace) -> Recipe:
    from retimbre.training.recipe import Recipe, read_recipe

    if options.source.suffix == ".toml":
        recipe = read_recipe(options.source, options.recordings)
        if not recipe.recordings.exists():
            raise RetimbreError(f"{recipe.recordings}: the recordings of the recipe are not there; give --recordings")
        return recipe
    if options.recordings:
        raise RetimbreError("--recordings belongs to a recipe (.toml); a folder is given as it is")
    return Recipe(options.source)


def train(options: argparse.Namespace) -> int:
    """`retimbre train`: recordings to an instrument."""
    os.environ.setdefault(
        "GOMP_SPINCOUNT", "10000"
    )  # spinning for longer stalls training when another program computes
    try:
        from retimbre.training.config import Config
        from retimbre.training.loop import choose_device
        from retimbre.training.pool import train_base
        from retimbre.training.report import console
        from retimbre.training.train import train
    except ImportError as error:
        raise _lacking(error) from error

    device = choose_device(options.device)
    recipe = _recipe(options)
    wishes = {name: getattr(options, name) for name in ("minutes", "steps", "seed", "learning_rate")}
    wishes = {name: wish for name, wish in wishes.items() if wish is not None}
    if "minutes" in wishes:
        wishes.setdefault("steps", None)
    config = Config(**recipe.training | wishes)
    if recipe.voices:
        with console() as talk:
            base = train_base(recipe.voices, recipe.about, options.output, config, talk, device=device)
        print(f"{options.output}: validation loss {base.card['evaluation']['spectral_loss']:.3f}")
        return 0
    with console() as talk:
        instrument = train(recipe, options.output, config, talk, device=device)
    loss = instrument.card["evaluation"]["spectral_loss"]
    print(f"{options.output}: validation loss {loss:.3f} after {instrument.card['training']['steps']} steps")
    print(f"play it: retimbre transfer voice.wav --to {options.output} -o out.wav")
    return 0


def clone(options: argparse.Namespace) -> int:
    """`retimbre clone`: a clip to an instrument."""
    cloned(options.source, options.output, steps=options.steps, seed=options.seed)
    print(f"{options.output}: play it: retimbre transfer voice.wav --to {options.output} -o out.wav")
    return 0


def cloned(source: Path, output: Path | None = None, *, steps: int | None = None, seed: int = 0) -> Instrument:
    """An instrument made from a clip, with progress on the standard error."""
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    from dataclasses import replace
    from tempfile import TemporaryDirectory

    try:
        from retimbre.training.clone import FINDING, LEARNING, clone
        from retimbre.training.report import console
    except ImportError as error:
        raise _lacking(error) from error
    finding, learning = replace(FINDING, seed=seed), replace(LEARNING, seed=seed)
    if steps:
        finding, learning = replace(finding, steps=max(1, steps // 6)), replace(learning, steps=steps)
    with console(sys.stderr) as talk, TemporaryDirectory() as cache:
        return clone(source, output, talk, finding=finding, learning=learning, cache=Path(cache))


def evaluate(options: argparse.Namespace) -> int:
    """`retimbre eval`: figures of an instrument on recordings."""
    from dataclasses import asdict
    from tempfile import TemporaryDirectory

    from retimbre import audio
    from retimbre.instrument import load

    try:
        from retimbre.training import evaluate, independent, page
        from retimbre.training.corpus import load_corpus
        from retimbre.training.reconstruct import listen, timbres
    except ImportError as error:
        raise _lacking(error) from error

    instrument, recipe = load(options.instrument), _recipe(options)
    sources = audio.find([options.sources]) if options.sources else []
    if options.picture:
        check_picture(options.picture, options.force, [])
    independent.judge()  # refuses before the work where there is none

    def warn(line: str) -> None:
        print(f"retimbre: {line}", file=sys.stderr)

    with progress_bar(instrument.name, options.json) as progress, TemporaryDirectory() as cache:

        def watched(items: list[Any], begin: float, end: float) -> Iterator[Any]:
            for place, item in enumerate(items):
                progress(begin + (end - begin) * place / len(items))
                yield item

        known: list[Recording] = []
        recordings = load_corpus(recipe, Path(cache), progress=lambda paths: watched(paths, 0, 0.4), warn=warn)
        if options.held_out:
            recordings, known = evaluate.held_out(instrument, recordings)
        heard = [listen(instrument, one) for one in watched(recordings, 0.4, 0.7)]
        pairs = [timbres(instrument, one) for one in watched(known, 0.7, 0.8)]
        target = evaluate.target([one.recorded for one in heard] + [recorded for recorded, _ in pairs])
        transfers = [
            transfer
            for path in watched(sources, 0.8, 1)
            if (transfer := evaluate.transfer_distance(path, instrument, target, warn))
        ]
    evaluation = evaluate.summarize(heard, transfers, pairs)
    if options.picture:
        page.draw(options.picture, instrument, recordings, heard, evaluation, pairs)
    if options.json:
        print(json.dumps({"instrument": instrument.name, **asdict(evaluation)}))
    else:
        print(f"{instrument.name}: {evaluate.table(evaluation)}")
    return 0
