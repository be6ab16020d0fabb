"""Compile the engine to `src/retimbre/engine.wasm`, byte for byte the same on every machine.

`python engine/build.py` writes the file; `--check` only compares and exits with 1 if it would differ.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ENGINE = Path(__file__).parent
TARGET = ENGINE.parent / "src" / "retimbre" / "engine.wasm"
FLAGS = [
    "--target=wasm32-freestanding",
    "-mcpu=generic+simd128+bulk_memory",
    *"-std=c11 -O3 -fno-strict-aliasing -ffp-contract=off -fno-math-errno -nostdlib".split(),
    *"-Wall -Wextra -Werror -Wno-parentheses -Wno-shift-op-parentheses -Wno-missing-field-initializers".split(),
    *"-Wl,--no-entry -Wl,--export-memory -Wl,--strip-all -Wl,-z,stack-size=65536".split(),
]


def build(target: Path) -> None:
    """Compile every C file of the engine into one WebAssembly module at `target`."""
    sources = sorted(path.name for path in ENGINE.glob("*.c"))
    command = [sys.executable, "-m", "ziglang", "cc", *FLAGS, *sources, "-o", str(target.resolve())]
    subprocess.run(command, cwd=ENGINE, check=True)  # relative names: no machine path enters the file


def main() -> int:
    """Build, or with --check compare the committed file with a fresh build."""
    if "--check" not in sys.argv[1:]:
        build(TARGET)
        print(f"{TARGET.name}: {TARGET.stat().st_size} bytes")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "engine.wasm"
        build(fresh)
        if fresh.read_bytes() == TARGET.read_bytes():
            return 0
    print("engine.wasm differs from its sources: run `make engine` and commit the result")
    return 1


if __name__ == "__main__":
    sys.exit(main())
