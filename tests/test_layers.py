"""Who may import whom: the source is read, nothing is run."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "retimbre"

# From what a user touches down to what everything stands on; a module imports from its own row and the rows below.
LAYERS = [
    {"cli", "app", "__main__"},
    {"live", "export", "midi", "transfer", "training", "gallery"},
    {"analysis", "instrument", "base", "rooms"},
    {"engine", "controls", "audio", "errors", "files", "picture"},
]
LEVEL = {unit: len(LAYERS) - row for row, units in enumerate(LAYERS) for unit in units}
TORCH_USERS = {"training", "dsp", "export"}
DSP_USERS = {"training", "dsp", "export"}
DSP_MAY_IMPORT = {"torch", "collections", "dataclasses", "functools", "itertools", "math", "typing", "__future__"}
PAGES = {"choosers", "cloning", "compare", "editor", "livepart", "pages", "session", "sources", "watching"}
HEAVY = {"torch", "matplotlib", "librosa", "scipy", "streamlit", "onnx", "onnxruntime", "sounddevice", "mido"}
HEAVY |= {"pyroomacoustics"}


class Imports(ast.NodeVisitor):
    """Full names that a file imports: `eager` on loading it, `lazy` later; type-checking imports are left out."""

    def __init__(self, path: Path) -> None:
        self.package = ["retimbre", *path.relative_to(SOURCE).parts[:-1]]
        self.eager: set[str] = set()
        self.lazy: set[str] = set()
        self.depth = 0
        self.visit(ast.parse(path.read_text(encoding="utf-8"), str(path)))

    def add(self, name: str) -> None:
        (self.lazy if self.depth else self.eager).add(name)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.add(alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = self.package[: len(self.package) - node.level + 1] if node.level else []
        module = ".".join([*base, *([node.module] if node.module else [])])
        for alias in node.names:
            # `from package import name` imports a module where there is one of that name.
            self.add(f"{module}.{alias.name}" if _path(f"{module}.{alias.name}") else module)

    def visit_FunctionDef(self, node: ast.AST) -> None:
        self.depth += 1
        self.generic_visit(node)
        self.depth -= 1

    visit_AsyncFunctionDef = visit_FunctionDef
    visit_Lambda = visit_FunctionDef

    def visit_If(self, node: ast.If) -> None:
        if "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.orelse:
                self.visit(child)
        else:
            self.generic_visit(node)


def _path(module: str) -> Path | None:
    """The file of one of our modules."""
    parts = module.split(".")
    if parts[0] != "retimbre":
        return None
    stem = SOURCE.joinpath(*parts[1:])
    return next(
        (path for path in (stem.with_suffix(".py"), stem / "__init__.py") if len(parts) > 1 and path.is_file()), None
    )


def _module(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(["retimbre", *(part for part in parts if part != "__init__")])


def _unit(module: str) -> str:
    """The part of the package a module belongs to: `retimbre.rooms.measure` -> `rooms`."""
    return [*module.split("."), "__init__"][1]


FILES = {_module(path): Imports(path) for path in sorted(SOURCE.rglob("*.py"))}


def test_every_module_has_a_layer() -> None:
    assert {_unit(module) for module in FILES} <= {*LEVEL, "dsp", "__init__"}


@pytest.mark.parametrize("module", FILES)
def test_no_arrow_points_back(module: str) -> None:
    unit, imports = _unit(module), FILES[module]
    names = imports.eager | imports.lazy
    tops = {name.split(".")[0] for name in names}
    ours = {_unit(name) for name in names if name.startswith("retimbre.")} - {unit}
    if unit == "dsp":
        assert tops <= DSP_MAY_IMPORT | {"retimbre"} and not ours, f"{module} imports {tops, ours}"
        return
    if unit not in TORCH_USERS:
        assert "torch" not in tops, f"{module} imports torch"
    if unit not in DSP_USERS:
        assert "dsp" not in ours, f"{module} imports retimbre.dsp"
    if unit != "__init__":
        upward = {name for name in ours - {"dsp", "__init__"} if LEVEL[name] > LEVEL[unit]}
        assert not upward, f"{module} imports upward: {upward}"


@pytest.mark.parametrize("module", [name for name in FILES if _unit(name) == "app"])
def test_streamlit_is_loaded_by_the_pages_of_the_app_alone(module: str) -> None:
    """Workers and the server of the live page do without."""
    part = [*module.split("."), ""][2]
    assert part in PAGES or not {name.split(".")[0] for name in FILES[module].eager} & HEAVY
    if part not in PAGES:
        assert not {name.split(".")[2] for name in FILES[module].eager if name.startswith("retimbre.app.")} & PAGES


def test_modules_do_not_import_one_another_in_a_circle() -> None:
    graph = {module: {name for name in imports.eager if name in FILES} for module, imports in FILES.items()}
    while leaves := {module for module, needs in graph.items() if not needs & graph.keys()}:
        graph = {module: needs for module, needs in graph.items() if module not in leaves}
    assert not graph, f"a circle runs through {sorted(graph)}"


@pytest.mark.parametrize("module", [name for name in FILES if _unit(name) not in TORCH_USERS | {"app", "live"}])
def test_loading_needs_no_heavy_package(module: str) -> None:
    """What `import retimbre.cli` loads, and what that loads: `retimbre --help` must answer at once."""
    loaded, waiting = set(), {"retimbre", module}
    while waiting:
        name = waiting.pop()
        loaded.add(name)
        if name in FILES:
            waiting |= FILES[name].eager - loaded
    assert not {name.split(".")[0] for name in loaded} & HEAVY
