"""House rules that a linter cannot say, checked from the syntax tree."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MAY_IMPORT = {
    "app": {"agents", "agents.rules", "tables", "codecs"},
    "agents": {"agents.rules", "tables", "codecs"},
    "agents.rules": {"codecs"},
    "tables": {"codecs"},
    "codecs": set(),
}
FOLDERS = ("app", "agents", "tables", "codecs")
PURE = ("agents.rules", "tables", "codecs")  # values in, values out: no clock, no chance, no I/O
STREAMING = {"faust", "mode", "aiokafka"}  # app/ alone knows these
IMPURE = STREAMING | {
    "aiohttp", "asyncio", "concurrent", "multiprocessing", "os", "prometheus_client", "pydantic_settings", "random",
    "redis", "secrets", "socket", "stamina", "structlog", "subprocess", "threading", "time", "uvloop",
}  # fmt: skip
FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 60  # a hard stop; 40 is the aim
VAGUE = {"common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}  # say what it does instead
FILES = sorted(p for folder in FOLDERS for p in (ROOT / folder).rglob("*.py"))
OUTSIDE = sorted(p for folder in ("tests", "bench") for p in (ROOT / folder).rglob("*.py"))
TESTS = [p for p in OUTSIDE if p.name.startswith("test_")]
PACKAGES = sorted({p.parent for p in FILES})


def name_of(path: Path) -> str:
    """Path below the root, for messages and test ids."""
    return str(path.relative_to(ROOT))


def layer_of(dotted: str) -> str | None:
    """Longest layer name that prefixes a module name."""
    return max((name for name in MAY_IMPORT if f"{dotted}.".startswith(f"{name}.")), key=len, default=None)


def here(path: Path) -> str:
    """Layer of a file of the product."""
    layer = layer_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
    assert layer, f"{name_of(path)} is in no layer"
    return layer


def reached(node: ast.ImportFrom, path: Path) -> list[str]:
    """Dotted names below the root of what a relative import reaches; `from . import x` reaches x."""
    if node.level == 0:
        return []
    base = path.relative_to(ROOT).parts[: -node.level]
    if node.module:
        return [".".join([*base, node.module])]
    return [".".join([*base, alias.name]) for alias in node.names]


def absolute_roots(node: ast.AST) -> set[str]:
    """First segments of what an absolute import names; the standard library's codecs stays legal."""
    if isinstance(node, ast.Import):
        return {alias.name.split(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom) and not node.level:
        return {str(node.module).split(".")[0]}
    return set()


def functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a file, however deep."""
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_fits_and_says_what_it_is(path: Path) -> None:
    """Files and functions fit a screen or a few, modules have a docstring and a name that says something."""
    text = path.read_text()
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "module docstring missing"
    lines = len(text.splitlines())
    assert lines <= FILE_LINES_MAX, f"{lines} lines, at most {FILE_LINES_MAX}: split it by what its parts do"
    for node in functions(tree):
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        assert length <= FUNCTION_LINES_MAX, f"{node.name} has {length} lines, at most {FUNCTION_LINES_MAX}"
    words = {word for part in path.relative_to(ROOT).with_suffix("").parts for word in part.lower().split("_")}
    assert not words & VAGUE, f"{name_of(path)}: {words & VAGUE} says nothing; name what it does"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_point_inwards(path: Path) -> None:
    """app over agents over tables over codecs; rules see codecs alone; only app knows the streaming libraries."""
    layer = here(path)
    forbidden = IMPURE if layer in PURE else set() if layer == "app" else STREAMING
    for node in ast.walk(ast.parse(path.read_text())):
        roots = absolute_roots(node)
        assert not roots & {"billtide", *FOLDERS} - {"codecs"}, f"line {node.lineno}: use a relative import"
        assert not roots & forbidden, f"line {node.lineno}: {layer} must not import {roots & forbidden}"
        for name in reached(node, path) if isinstance(node, ast.ImportFrom) else []:
            there = layer_of(name)
            assert there, f"line {node.lineno}: {name} is in no layer"
            assert there == layer or there in MAY_IMPORT[layer], f"line {node.lineno}: {layer} must not import {there}"


@pytest.mark.parametrize("path", [p for p in FILES if here(p) in PURE], ids=name_of)
def test_money_has_no_binary_floats(path: Path) -> None:
    """Amounts, hours and rates are whole numbers or Decimal: no float literal, no float() and no float annotation."""
    for node in ast.walk(ast.parse(path.read_text())):
        literal = isinstance(node, ast.Constant) and isinstance(node.value, float | complex)
        called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"
        annotated = isinstance(node, ast.AnnAssign | ast.arg) and any(
            isinstance(part, ast.Name) and part.id == "float" for part in ast.walk(node.annotation or ast.Pass())
        )
        found = literal or called or annotated
        assert not found, f"line {node.lineno}: binary float"


@pytest.mark.parametrize("path", TESTS, ids=name_of)
def test_every_test_says_what_it_shows(path: Path) -> None:
    """A test's docstring is the sentence that is untrue when it fails."""
    for node in functions(ast.parse(path.read_text())):
        if node.name.startswith("test_"):
            assert ast.get_docstring(node), f"{node.name} has no docstring"


@pytest.mark.parametrize("path", OUTSIDE, ids=name_of)
def test_tests_and_benchmarks_import_billtide(path: Path) -> None:
    """One import name: `app.x` beside `billtide.app.x` would be a second copy of the module."""
    for node in ast.walk(ast.parse(path.read_text())):
        bad = absolute_roots(node) & {*FOLDERS} - {"codecs"}
        assert not bad, f"line {node.lineno}: import billtide.{bad.pop()} instead"
        dotted = isinstance(node, ast.ImportFrom) and not node.level and str(node.module).startswith("codecs.")
        assert not dotted, f"line {node.lineno}: import billtide.codecs instead"


@pytest.mark.parametrize("folder", PACKAGES, ids=name_of)
def test_every_package_says_what_it_owns(folder: Path) -> None:
    """A package's __init__ is a docstring only: what it owns and what it does not."""
    file = folder / "__init__.py"
    assert file.exists(), f"{name_of(folder)} has no __init__.py"
    tree = ast.parse(file.read_text())
    assert ast.get_docstring(tree), f"{name_of(file)} has no docstring"
    # The command line is the one package a console script points at, so its entry may be imported there.
    entry = (ast.ImportFrom, ast.Assign) if name_of(folder) == "app/cli" else ()
    code = [node for node in tree.body[1:] if not isinstance(node, entry)]
    assert not code, f"{name_of(file)} holds code at line {code[0].lineno}; move it into a module"


def test_every_package_is_in_the_wheel() -> None:
    """pyproject lists each folder with Python files; one that is missing vanishes from the wheel without a word."""
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    assert {"billtide." + ".".join(folder.relative_to(ROOT).parts) for folder in PACKAGES} == listed


def test_files_beside_the_code_are_in_the_wheel() -> None:
    """What the code reads next to itself is listed as package data."""
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    for folder in PACKAGES:
        package = "billtide." + ".".join(folder.relative_to(ROOT).parts)
        patterns = [*data.get("*", []), *data.get(package, [])]
        for file in folder.iterdir():
            if file.is_file() and file.suffix not in {".py", ".pyc"}:
                assert any(file.match(pattern) for pattern in patterns), f"{name_of(file)} is not in package-data"


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-peers.lock"])
def test_the_lock_pins_and_hashes_everything(name: str) -> None:
    """A lock installs with plain pip anywhere: exact versions, hashes, no address of a package index."""
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert not [line for line in text.splitlines() if line.startswith("-")]
    entries = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert all("==" in entry and entry.endswith("\\") for entry in entries)
