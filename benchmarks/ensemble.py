"""How good are the shipped instruments? On recordings that their training held out, and playing other sounds."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.report import ROOT, Cell, Options, Section, Table, at_least, at_most, needs
from retimbre.instrument import load, shipped
from retimbre.training import page
from retimbre.training.corpus import load_corpus
from retimbre.training.evaluate import Evaluation, held_out, summarize, target, transfer_distance
from retimbre.training.recipe import read_recipe
from retimbre.training.reconstruct import listen, timbres

METHOD = (
    "What `retimbre eval` says: of recordings that training held out, played from their own controls, with the pitch "
    "judged by an independent tracker; of how loudness drives the spectral centroid, over all recordings; and of "
    "singing, speech, animals and instruments played with it: the distance of the outcome's spectral envelopes to the "
    "instrument's own, over that to the source's. One page each in docs/instruments/."
)


def run(options: Options) -> Section:
    """Measure every shipped instrument, and draw its page."""
    folder = needs(options.audio / "train", "the ensemble")
    sources = sorted(needs(options.audio / "sources", "the ensemble").glob("*.flac"))
    names = shipped()[:1] if options.quick else shipped()
    evaluations = {
        name: _evaluation(name, folder, sources[:2] if options.quick else sources, options) for name in names
    }
    figures: list[list[Cell]] = [
        [
            name,
            e.spectral_loss,
            e.log_spectral_distance_db,
            e.pitch_median_cents,
            e.loudness_error_db,
            100 * (e.harmonic_share or 0),
            e.harmonic_to_noise_db,
            e.harmonic_to_noise_recorded_db,
            e.centroid_slope,
            e.centroid_slope_recorded,
            e.timbre_distance_db,
        ]
        for name, e in evaluations.items()
    ]
    columns = {"instrument": "", "loss": ".3f", "log-spectral distance, dB": ".1f", "pitch, cents": ".1f"}
    columns |= {"loudness, dB": ".2f", "energy in harmonics, %": ".1f", "harmonics over noise, dB": ".1f"}
    columns |= {
        "as recorded, dB": ".1f",
        "centroid, octaves for 10 dB": "+.2f",
        "as recorded": "+.2f",
        "timbre, dB": ".1f",
    }
    moved: list[list[Cell]] = []
    for name, e in evaluations.items():
        ratios = np.array([one.to_instrument_db / one.to_source_db for one in e.transfers])
        row = [e.transfer_to_instrument_db, e.transfer_to_source_db, e.transfer_ratio]
        moved.append([name, len(ratios), *row, float(np.median(ratios)), int((ratios <= 0.5).sum())])
    transfers = {"instrument": "", "sources": "d", "to the instrument, dB": ".1f", "to the source, dB": ".1f"}
    transfers |= {"ratio of the means": ".2f", "median ratio": ".2f", "sources at half or less": "d"}
    every = evaluations.values()
    slopes = [e.centroid_slope_ratio for e in every if (e.centroid_slope_recorded or 0) > 0.02]
    goals = [
        at_least("instruments", len(evaluations), 7, "d"),
        at_most("pitch, worst instrument", max(e.pitch_median_cents or np.inf for e in every), 3, ".1f", "cents"),
        at_most("loudness, worst instrument", max(e.loudness_error_db or np.inf for e in every), 1.5, ".2f", "dB"),
        at_least("energy in harmonics, least", 100 * min(e.harmonic_share or 0 for e in every), 90, ".1f", "%"),
        at_least("slope over the recorded slope, least", min(slope or 0 for slope in slopes), 0.75, ".2f"),
        at_most("slope over the recorded slope, most", max(slope or 0 for slope in slopes), 1.25, ".2f"),
        at_most("transfers, worst instrument's ratio", max(e.transfer_ratio or np.inf for e in every), 0.5, ".2f"),
    ]
    tables = [Table("Held-out recordings", columns, figures), Table("Other sounds", transfers, moved)]
    return Section("Ensemble", METHOD, tables, goals)


def _evaluation(name: str, folder: Path, sources: list[Path], options: Options) -> Evaluation:
    instrument, recipe = load(name), read_recipe(ROOT / "recipes" / f"{name}.toml", folder)
    with tempfile.TemporaryDirectory() as cache:
        recordings = load_corpus(recipe, Path(cache), progress=lambda paths: paths, warn=lambda line: None)
    unheard, known = held_out(instrument, recordings)
    heard, pairs = [listen(instrument, one) for one in unheard], [timbres(instrument, one) for one in known]
    own = target([one.recorded for one in heard] + [recorded for recorded, _ in pairs])
    moved = [transfer_distance(path, instrument, own, lambda line: None) for path in sources]
    evaluation = summarize(heard, [one for one in moved if one], pairs)
    if not options.quick:
        picture = ROOT / "docs" / "instruments" / f"{name}.png"
        picture.parent.mkdir(exist_ok=True)
        page.draw(picture, instrument, unheard, heard, evaluation, pairs)
        Image.open(picture).convert("RGB").quantize(128).save(picture, optimize=True)  # a third of the size
    print(f"  {name}: {evaluation.spectral_loss}, transfers {evaluation.transfer_ratio}", flush=True)
    return evaluation
