"""Write the reference pages of the site from the code: commands, settings, answers, notes, REST, Python, metrics.

The site's build calls ``write``. Nothing here is written by hand, so a command, a key or a code that exists is on its
page.
"""

from __future__ import annotations

import importlib
import inspect
import logging
import pkgutil
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel

Pages = dict[str, str]
NOTICES = """\
- The shipped networks learnt from FER2013 (Goodfellow et al. 2013), published for research and competition use, and
  from the votes of FER+ (Barsoum et al. 2016, MIT). Felicity contains none of their images or votes. The weights are
  licensed under Apache-2.0.
- `felicity detectors install yunet` downloads YuNet (Wu et al. 2023, MIT) from OpenCV's collection of models.
- `felicity demo` reads a photograph of Eileen Collins (NASA, public domain) from scikit-image.
"""
Schema = Mapping[str, Any]


def pages() -> Pages:
    """Return every page: its path below ``reference/``, and its text in Markdown."""
    made = commands() | answers()
    made["settings.md"] = settings()
    made["environment.md"] = environment()
    made["notes.md"] = note_codes()
    made["rest.md"] = rest()
    made["python.md"] = python()
    made["metrics.md"] = metrics()
    made["licences.md"] = licences()
    return made


def write(folder: Path) -> None:
    """Write all pages below ``folder``, whose content is replaced; a page that did not change keeps its date."""
    made = pages()
    for old in folder.rglob("*.md") if folder.is_dir() else ():
        if str(old.relative_to(folder)) not in made:
            old.unlink()
    for name, text in made.items():
        path = folder / name
        if not path.is_file() or path.read_text() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


def commands() -> Pages:
    """Return a page per command, with its subcommands, and their list."""
    from felicity.cli.app import app
    from felicity.cli.panels import Panel

    root: Any = typer.main.get_command(app)
    made = {}
    for name, command in sorted(root.commands.items()):
        below = sorted(getattr(command, "commands", {}).items())
        parts = [f"# felicity {name}", _prose(command.help)]
        parts += (
            [
                "\n\n".join([f"## felicity {name} {word}", _prose(part.help), *_options(f"{name} {word}", part)])
                for word, part in below
            ]
            if below
            else _options(name, command)
        )
        made[f"commands/{name}.md"] = _page(parts)
    rows: dict[str, list[tuple[str, str]]] = {panel: [] for panel in Panel}
    for name, command in sorted(root.commands.items()):
        rows[command.rich_help_panel].append((f"[felicity {name}](commands/{name}.md)", _first(command.help)))
    made["commands.md"] = _page(
        [
            "# Commands",
            "Every command has `--help`. Results go to stdout, everything else to stderr. The exit code is 0 where the "
            "command did what it says, 1 after an error, and 2 for a wrong command line.",
            *(f"## {panel}\n\n{_table(('command', 'what it does'), its)}" for panel, its in rows.items()),
            _toctree(f"commands/{name}" for name in sorted(root.commands)),
        ]
    )
    return made


def _options(name: str, command: Any) -> Iterator[str]:
    arguments = [p for p in command.params if not p.opts[0].startswith("-")]
    options = [p for p in command.params if p.opts[0].startswith("-") and not p.hidden]
    usage = [p.metavar or p.name.upper() for p in arguments]
    usage = [word if p.required else f"[{word}]" for p, word in zip(arguments, usage, strict=True)]
    yield f"```\nfelicity {' '.join([name, *(['[OPTIONS]'] if options else []), *usage])}\n```"
    if arguments:
        rows = [(f"`{p.metavar or p.name.upper()}`", p.help) for p in arguments]
        yield _table(("argument", "meaning"), rows)
    panels: dict[str, list[Any]] = {}
    for option in options:
        panels.setdefault(option.rich_help_panel or "", []).append(option)
    for heading, found in panels.items():
        if heading:
            yield f"**{heading}**"
        yield _table(("option", "meaning", "default"), [_option(p) for p in found])


def _option(option: Any) -> tuple[str, str, str]:
    flags = ", ".join(f"`{flag}`" for flag in [*option.opts, *option.secondary_opts])
    choices = [each for each in getattr(option.type_descriptor.annotation, "__args__", ()) if isinstance(each, str)]
    value = option.metavar or ("|".join(choices) if choices and not option.is_flag else "")
    meaning = f"{option.help or ''}{f' Environment: `{option.envvar}`.' if option.envvar else ''}"
    default = "" if option.default in (None, False, (), []) or callable(option.default) else f"`{option.default}`"
    return f"{flags} {f'`{value}`' if value else ''}".strip(), meaning, default


def answers() -> Pages:
    """Return a page per JSON answer, and their list."""
    from felicity.schemas import envelope

    made, rows = {}, []
    for name in envelope.names():
        schema = envelope.json_schema(name)
        streams = name in envelope.streams()
        top = schema if streams else _resolved(schema["properties"]["data"], schema)
        about = _first(top.get("description") or _resolved(top.get("items", {}), schema).get("description", ""))
        how = "one line of the JSON Lines" if streams else "`data` of the envelope"
        made[f"answers/{name}.md"] = _page(
            [
                f"# {name}",
                f"{about} The keys of {how}; `felicity schema {name}` prints the JSON Schema.",
                _table(("key", "type", "meaning"), list(_keys(top, schema))),
            ]
        )
        rows.append((f"[{name}](answers/{name}.md)", about))
    made["answers.md"] = _page(
        [
            "# JSON answers",
            "What each command prints with `--json`. [JSON answers](../json.md) describes the envelope.",
            _table(("answer", "data"), rows),
            _toctree(f"answers/{name}" for name in envelope.names()),
        ]
    )
    return made


def settings() -> str:
    """Return the keys of all TOML files."""
    from felicity.cameras.settings import CamerasFile
    from felicity.simulation.town import PlacesFile
    from felicity.training.config import TrainConfig

    return _page(
        [
            "# TOML keys",
            "An unknown key is an error that lists the allowed ones. A flag wins over the file.",
            "## A training",
            "Read by `felicity train --config FILE.toml`; `crossval`, `compare` and `tune` take the same settings.",
            _table(("key", "type", "meaning", "default"), list(_fields(TrainConfig))),
            "## Cameras",
            "Read by `felicity cameras`. `felicity cameras schema` prints the JSON Schema.",
            _table(("key", "type", "meaning", "default"), list(_fields(CamerasFile))),
            "## Simulated places",
            "Read by `felicity simulate --places FILE.toml`.",
            _table(("key", "type", "meaning", "default"), list(_fields(PlacesFile))),
            "## A space of settings",
            "Read by `felicity tune --space FILE.toml`. It takes the keys of a training, with a list or a range in "
            "place of a value. [Tuning](../tuning.md#the-space) has an example.",
            "## Classes",
            "Read by `--classes FILE.toml`. [Data sets](../datasets.md) has an example.",
            _table(
                ("key", "type", "meaning"),
                [
                    ("`classes`", "table", 'The expressions of each class, such as `unhappy = ["sad", "anger"]`.'),
                    ("`names`", "table", 'The expression of each label of the data, such as `smile = "happy"`.'),
                ],
            ),
            "## The card of a bundle",
            "Read by `felicity bundle export --card FILE.toml`. Its keys are names of texts, such as `limits`; the "
            "bundle carries all of them.",
        ]
    )


def _fields(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str, str, str]]:
    schema = model.model_json_schema()
    yield from _settings(schema, schema, prefix)


def _settings(node: Schema, root: Schema, prefix: str) -> Iterator[tuple[str, str, str, str]]:
    for key, value in node.get("properties", {}).items():
        inner = _inner(value, root)
        many = inner.get("type") == "array" and "properties" in _resolved(inner.get("items", {}), root)
        if "properties" in inner:
            yield from _settings(inner, root, f"{prefix}{key}.")
        elif many:
            yield from _settings(_resolved(inner["items"], root), root, f"{prefix}{key}[].")
        else:
            default = value.get("default")
            stated = "" if default is None else f"`{str(default).lower() if isinstance(default, bool) else default}`"
            yield f"`{prefix}{key}`", _type(value, root), value.get("description", ""), stated


def environment() -> str:
    """Return the environment variables."""
    from felicity.paths import ENVIRONMENT

    rows = [(f"`{name}`", meaning) for name, meaning in sorted(ENVIRONMENT.items())]
    return _page(["# Environment variables", _table(("variable", "meaning"), rows)])


def note_codes() -> str:
    """Return the codes of notes."""
    from felicity.notes import CODES

    rows = [(f"`{code}`", meaning) for code, meaning in sorted(CODES.items())]
    lead = "A note is a remark beside an answer: `code`, `text` and `location`. A new version may add codes."
    return _page(["# Codes of notes", lead, _table(("code", "meaning"), rows)])


def rest() -> str:
    """Return the addresses of a server with their parameters, and the codes of problems and refusals."""
    from felicity.api.pushing import REFUSALS
    from felicity.serve.app import make_app
    from felicity.serve.problems import CODES
    from felicity.serve.settings import Settings
    from felicity.store import open_store

    logging.getLogger("alembic").setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder, open_store(f"{folder}/empty.db") as store:
        described = make_app(store, Settings()).state.describe()["paths"]
    parts = [
        "# REST",
        "The addresses of `felicity serve`, as its OpenAPI description at `/api/v1/openapi.json` has them. "
        "[Serving over HTTP](../serve.md) says how to use them.",
    ]
    for path, methods in described.items():
        for method, route in methods.items():
            scopes = [scope for needed in route.get("security", ()) for scope in needed["token"]]
            parts += [
                f"## {method.upper()} {path}",
                f"{_prose(route['description'])} {f'Scope of the token: `{scopes[0]}`.' if scopes else 'No token.'}",
            ]
            if given := route.get("parameters"):
                rows = [(f"`{p['name']}`", _type(p["schema"], {}), _prose(p.get("description"))) for p in given]
                parts.append(_table(("parameter", "type", "meaning"), rows))
    problems = [(f"`{code}`", status, title) for code, (status, title) in CODES.items()]
    parts += ["## Codes of problems", _table(("code", "status", "meaning"), problems)]
    parts += ["## Codes of refused windows", _table(("code", "meaning"), [(f"`{c}`", m) for c, m in REFUSALS.items()])]
    return _page(parts)


def python() -> str:
    """Return the public functions of ``felicity``, with the results they return."""
    import felicity

    parts = ["# Python API", "Every name at the top of `felicity`. [From Python](../python.md) shows them in use."]
    for name in felicity.__all__:
        value = getattr(felicity, name)
        if callable(value):
            parts += _described(f"felicity.{name}", value, level=2)
    return _page(parts)


def licences() -> str:
    """Return the licences of what Felicity is installed with."""
    from scripts import sbom

    rows = [(name, each.version, sbom.licence_of(each)) for name, each in sbom.packages().items()]
    lead = (
        "Felicity is licensed under Apache-2.0 and contains no code of others. It depends on these packages, which "
        "`pip` installs from their own sources, here in the versions that this page was built with. `make sbom` writes "
        "them as a bill of materials (CycloneDX)."
    )
    return _page(
        [
            "# Licences and third-party notices",
            lead,
            _table(("package", "version", "licence"), rows),
            "## Data",
            NOTICES,
        ]
    )


def metrics() -> str:
    """Return the definitions of all metrics."""
    from felicity import metrics as room

    parts = ["# Metrics", "One definition each, used by training, tuning and evaluation alike."]
    for info in sorted(pkgutil.iter_modules(room.__path__), key=lambda m: m.name):
        module = importlib.import_module(f"{room.__name__}.{info.name}")
        parts += [f"## {info.name}", _prose(module.__doc__)]
        for name, value in vars(module).items():
            own = getattr(value, "__module__", None) == module.__name__
            if own and not name.startswith("_") and (inspect.isfunction(value) or inspect.isclass(value)):
                parts += _described(name, value, level=3)
    return _page(parts)


class _Bare(str):
    """An annotation as it is written in the code, without quotation marks."""

    def __repr__(self) -> str:
        return re.sub(r"\bfelicity(\.\w+)*\.", "", self)


def _described(name: str, value: Any, *, level: int) -> list[str]:
    signature = inspect.signature(value)
    parameters = [p.replace(annotation=_bare(p.annotation)) for p in signature.parameters.values()]
    shown = str(signature.replace(parameters=parameters, return_annotation=_bare(signature.return_annotation)))
    if len(shown) > 90:
        one_each = ",".join(f"\n    {line}" for line in _arguments(shown))
        shown = f"({one_each},\n){shown[shown.rindex(')') + 1 :]}"
    return [f"{'#' * level} {name}", f"```python\n{name.split('.')[-1]}{shown}\n```", _prose(value.__doc__)]


def _bare(annotation: Any) -> Any:
    return _Bare(annotation) if isinstance(annotation, str) else annotation


def _arguments(signature: str) -> list[str]:
    """Split a signature at the commas that stand between parameters, not inside brackets."""
    found, depth = [""], 0
    for sign in signature[1 : signature.rindex(")")]:
        depth += (sign in "([{") - (sign in ")]}")
        if sign == "," and depth == 0:
            found.append("")
        else:
            found[-1] += sign
    return [part.strip() for part in found]


def _keys(node: Schema, root: Schema, prefix: str = "", seen: tuple[str, ...] = ()) -> Iterator[tuple[str, str, str]]:
    inner = _inner(node, root)
    if inner.get("type") == "array":
        yield from _keys(inner.get("items", {}), root, f"{prefix}[].", seen)
        return
    for key, value in inner.get("properties", {}).items():
        yield f"`{prefix}{key}`", _type(value, root), value.get("description", "")
        below = _inner(value, root)
        below = _inner(below.get("items", {}), root) if below.get("type") == "array" else below
        title = str(below.get("title", ""))
        if "properties" in below and title not in seen:
            many = _inner(value, root).get("type") == "array"
            yield from _keys(below, root, f"{prefix}{key}{'[]' if many else ''}.", (*seen, title))


def _inner(node: Schema, root: Schema) -> Schema:
    """Return what ``node`` is where it is not null."""
    node = _resolved(node, root)
    ways = [_resolved(way, root) for way in node.get("anyOf", ()) if way.get("type") != "null"]
    return ways[0] if len(ways) == 1 else node


def _resolved(node: Schema, root: Schema) -> Schema:
    return root["$defs"][node["$ref"].rsplit("/", 1)[1]] if "$ref" in node else node


def _type(node: Schema, root: Schema) -> str:
    if "anyOf" in node:
        return " or ".join(dict.fromkeys(_type(way, root) for way in node["anyOf"]))
    node = _resolved(node, root)
    if "enum" in node or "const" in node:
        return ", ".join(f"`{value}`" for value in node.get("enum", [node.get("const")]))
    if node.get("type") == "array":
        items = node.get("items")
        return f"list of {_type(items, root)}" if items else "list"
    kind = str(node.get("type", "any"))
    low, high = node.get("minimum", node.get("exclusiveMinimum")), node.get("maximum", node.get("exclusiveMaximum"))
    bounds = f" from {low}" * (low is not None) + f" to {high}" * (high is not None)
    return kind + bounds


def _first(text: str | None) -> str:
    return " ".join((text or "").strip().split("\n\n")[0].split())


def _prose(text: str | None) -> str:
    """Return a docstring or a help text as Markdown: its paragraphs, and double backquotes as single ones."""
    return re.sub(r"``([^`]+)``", r"`\1`", inspect.cleandoc(text or ""))


def _table(heads: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    cells = [[" ".join(str(cell or "").split()).replace("|", "\\|") for cell in line] for line in lines]
    return "\n".join("| " + " | ".join(line) + " |" for line in cells)


def _toctree(names: Iterable[str]) -> str:
    return "\n".join(["```{toctree}", ":hidden:", "", *names, "```"])


def _page(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"
