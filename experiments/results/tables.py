"""Write what was measured into the headers of the experiments and the tables of both README files.

The files *.json beside this one are the only source of every figure; an experiment writes its own with
`--record experiments/results`. Everything else is made from them:

    python experiments/results/tables.py          # writes
    python experiments/results/tables.py --check  # changes nothing; says what differs, and fails if anything does
"""

import ast
import json
import re
import sys
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent
ROOT = RESULTS.parents[1]
PEERS = {"keras-jax": "Keras on JAX", "keras-tf": "Keras on TF"}
BLOCK = re.compile(r"^Measured \(.*?(?=\n\n|\n*\"\"\")", re.M | re.S)  # in a header, up to its next blank line
MARKED = re.compile(r"(<!-- results: (\w+) -->\n).*?(<!-- /results -->)", re.S)  # in a README

Run = dict[str, Any]
Result = dict[str, Any]


def main(check: bool) -> int:
    """Write every file whose tables are old, or with check name them; return how many there are."""
    old = [(path, text) for path, text in wanted().items() if path.read_text(encoding="utf-8") != text]
    for path, text in old:
        print(f"{path.relative_to(ROOT)} {'is not what the results say' if check else 'written'}")
        if not check:
            path.write_text(text, encoding="utf-8")
    if check and old:
        print("python experiments/results/tables.py writes them")
    return len(old)


def wanted() -> dict[Path, str]:
    """Return the whole text that each file with results should have."""
    runs = {path.stem: json.loads(path.read_text(encoding="utf-8"))["runs"] for path in sorted(RESULTS.glob("*.json"))}
    texts = {source(name): with_header(name, each) for name, each in runs.items()}
    for readme in (ROOT / "README.md", RESULTS.parent / "README.md"):
        tables = {"short": short_table(runs), "speed": speed_table(runs), "experiments": long_table(runs)}
        tables |= {name: grids(each) for name, each in runs.items() if is_benchmark(name)}
        text = readme.read_text(encoding="utf-8")
        texts[readme] = MARKED.sub(lambda found, t=tables: f"{found[1]}{t[found[2]]}\n{found[3]}", text)
    return texts


def source(name: str) -> Path:
    """Return the file of an experiment or a benchmark."""
    path = RESULTS.parent / f"{name}.py"
    return path if path.exists() else RESULTS.parent / "benchmarks" / path.name


def is_benchmark(name: str) -> bool:
    """Tell whether the results are times of several frameworks."""
    return source(name).parent.name == "benchmarks"


def title(name: str) -> str:
    """Return the first line of an experiment's header, without its full stop."""
    header = ast.get_docstring(ast.parse(source(name).read_text(encoding="utf-8"))) or ""
    return header.splitlines()[0].rstrip(".")


# Numbers and lines ------------------------------------------------------------------------------------------------


def number(value: float | None, digits: str) -> str:
    """Return a value in its format, a dash where there is none; exponents without padding."""
    return "–" if value is None else re.sub(r"e([+-])0*(\d)", r"e\1\2", format(value, digits)).rstrip(".")


def entry(name: str, row: dict[str, Any], result: Result, ends: bool, seeds: bool) -> str:
    """Return a name with its value, spread and ends."""
    digits, value = row.get("digits", result["digits"]), row["value"]
    text = number(value, digits)
    if row["spread"] is not None and value is not None:
        decimals = len(text.partition(".")[2]) if "e" not in text else None
        text += f" ± {number(row['spread'], digits if decimals is None else f'.{decimals}f')}"
    if ends and row.get("low") is not None:
        low, high = (number(row[end], digits) for end in ("low", "high"))
        text = f"{low} to {high}" if value is None else f"{text} [{low}, {high}]"
    return f"{PEERS.get(name, name)} {text}" + (f" ({count(row['seeds'])})" if seeds and row["seeds"] else "")


def count(seeds: int) -> str:
    """Return how many seeds in words."""
    return "1 seed" if seeds == 1 else f"{seeds} seeds"


def line(result: Result, notes: bool = True) -> str:
    """Return one metric as a line: models, then what is naive, then ratios; with notes how many seeds, and ends."""
    seeds = {row["seeds"] for row in result["rows"].values()}
    same = next(iter(seeds)) if len(seeds) == 1 else None
    ends = result["ends"] and ("" if None in {row["value"] for row in result["rows"].values()} else "in brackets ")
    note = "; ".join(filter(None, (same and count(same), result["ends"] and ends + result["ends"])))
    head = ", ".join(filter(None, (result["metric"], result["of"], result["unit"])))
    models = [entry(name, row, result, notes, same is None) for name, row in result["rows"].items()]
    naive = [f"{PEERS.get(name, name)} {number(v, result['digits'])}" for name, v in result["baselines"].items()]
    if naive and models:
        naive[0] = f"against {naive[0]}"
    ratios = [f"{name} {ratio:.3g}" for name, ratio in result["ratios"].items()]
    return f"{head}{f' ({note})' if note and notes else ''}: {'; '.join([*models, *naive, *ratios])}"


def duration(seconds: float) -> str:
    """Return seconds as people say them."""
    return f"{seconds:.0f} s" if seconds < 60 else f"{seconds / 60:.2g} min"


def sentence(note: str | None) -> str:
    """Return a note as a sentence that follows another."""
    return f" {note[0].upper()}{note[1:]}." if note else ""


def machine(run: Run) -> str:
    """Return on what a run was measured."""
    processor, cores = run["machine"]["processor"], run["machine"]["cores"]
    return f"{cores} cores" + (f", {processor}" if processor else "")


# Headers ----------------------------------------------------------------------------------------------------------


def with_header(name: str, runs: Sequence[Run]) -> str:
    """Return the text of an experiment with what was measured in its header."""
    path = source(name)
    text = path.read_text(encoding="utf-8")
    if len(BLOCK.findall(text)) != 1:
        raise ValueError(f"{path} must have one block of lines that begins with 'Measured (' in its header")
    lines = [f"Measured (from results/{name}.json by results/tables.py):"]
    for run in runs:
        lines += fold(f"{run['command']} ({run['date']}, {machine(run)})", 4, 8)
        lines += (is_benchmark(name) and grid_lines(run)) or [x for r in run["results"] for x in fold(line(r), 8, 12)]
        lines += fold(sentence(run["note"]).strip(), 8, 8) if is_benchmark(name) else []
    times = [
        duration(run["seconds"]) + (f" ({run['note']})" if run["note"] and not is_benchmark(name) else "")
        for run in runs
        if run["seconds"]
    ]
    lines += fold(f"Running time: {'; '.join(times)}.", 0, 4)
    block = "\n".join(lines)
    return BLOCK.sub(lambda _: block, text)


def fold(text: str, first: int, rest: int) -> list[str]:
    """Return text as lines of at most 120 characters."""
    options = {"width": 120, "break_long_words": False, "break_on_hyphens": False}
    return textwrap.wrap(text, initial_indent=" " * first, subsequent_indent=" " * rest, **options)


def grid_lines(run: Run) -> list[str]:
    """Return a benchmark's run as aligned columns without the others' times; nothing if that is too wide."""
    lines = []
    for head, *rows in tables_of(run, others=False):
        widths = [max(len(row[n]) for row in [head, *rows]) for n in range(len(head))]
        for row in [head, *rows]:
            cells = [row[0].ljust(widths[0]), *(cell.rjust(n) for cell, n in zip(row[1:], widths[1:], strict=True))]
            lines.append(" " * 8 + "  ".join(cells).rstrip())
    return [] if any(len(text) > 120 for text in lines) else lines


# Tables -----------------------------------------------------------------------------------------------------------


def tables_of(run: Run, others: bool = True) -> Iterable[list[list[str]]]:
    """Yield a table for each metric of a run: heads, then a row for each thing that was measured."""
    kinds = dict.fromkeys((result["metric"], result["unit"]) for result in run["results"])
    for metric, unit in kinds:
        results = [result for result in run["results"] if (result["metric"], result["unit"]) == (metric, unit)]
        names = dict.fromkeys(name for r in results for name in (*r["rows"], *(r["baselines"] if others else ())))
        ratios = dict.fromkeys(name for r in results for name in r["ratios"])
        body = []
        for r in results:
            values = {name: row["value"] for name, row in r["rows"].items()} | r["baselines"]
            cells = [number(values.get(name), r["digits"]) for name in names]
            body.append([r["of"], *cells, *(number(r["ratios"].get(name), ".3g") for name in ratios)])
        yield [[f"{metric}, {unit}", *(PEERS.get(name, name) for name in names), *ratios], *body]


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))


def short_table(runs: dict[str, list[Run]]) -> str:
    """Return one row an experiment, with the results that answer its question."""
    rows = []
    for name, each in runs.items():
        shown = [(run, result) for run in each for result in run["results"] if result["headline"]]
        if not is_benchmark(name):
            times = dict.fromkeys(duration(run["seconds"]) for run, _ in shown)
            lines = [line(result, notes=False) for _, result in shown]
            rows.append([f"`{name}.py`", "<br>".join(lines), "<br>".join(times)])
    return markdown(["experiment", "measured, against what is naive on the same rows", "time"], rows)


def long_table(runs: dict[str, list[Run]]) -> str:
    """Return one row a run of an experiment, with all its results."""
    rows = []
    for name, each in runs.items():
        for n, run in enumerate([] if is_benchmark(name) else each):
            time = duration(run["seconds"]) if run["seconds"] else ""
            what = title(name) if n == 0 else ""
            cells = [f"`{run['command']}`", what, "<br>".join(line(result) for result in run["results"]), time]
            rows.append([*cells, f"{run['date']}, {machine(run)}"])
    return markdown(["command", "what", "measured; what is naive on the same rows", "time", "when, on what"], rows)


def grids(runs: Sequence[Run]) -> str:
    """Return all tables of a benchmark."""
    parts = []
    for run in runs:
        parts.append(f"`{run['command']}`, {run['date']}, {machine(run)}.{sentence(run['note'])}")
        parts += [markdown(head, rows) for head, *rows in tables_of(run)]
    return "\n\n".join(parts)


def speed_table(runs: dict[str, list[Run]]) -> str:
    """Return one row a measurement of speed: ours, and the fastest other's."""
    rows = []
    for name in filter(is_benchmark, runs):
        for run in runs[name]:
            for r in filter(lambda r: r["headline"], run["results"]):
                ours = next(iter(r["rows"].values()))["value"]
                others = {peer: value for peer, value in r["baselines"].items() if peer != "floor"}
                ratios = {peer: ratio for peer, ratio in r["ratios"].items() if peer.endswith("/ ours")}
                best = min(others, key=lambda peer: others[peer]) if others else min(ratios, key=ratios.__getitem__)
                peer = best.removesuffix(" / ours")
                time = f" {number(others[best], r['digits'])}" if others else ""
                what = f"{name}, {r['of']}: {r['metric']}, {r['unit']}"
                cells = [number(ours, r["digits"]), f"{PEERS.get(peer, peer)}{time}", f"{min(ratios.values()):.2f}"]
                rows.append([what, *cells, run["machine"]["processor"]])
    return markdown(["measured", "seqvision", "fastest other", "fastest other / ours", "two cores of"], rows)


if __name__ == "__main__":
    checks = "--check" in sys.argv[1:]
    sys.exit(main(checks) > 0 and checks)
