"""The rows of the matrix as a table in Markdown, for the README."""

COLUMNS = {
    "grad": ("jit, grad",),
    "jvp, hessian": ("jvp", "grad of jvp, jvp of grad"),
    "vmap": ("vmap",),
    "scan, remat": ("scan", "checkpoint, remat"),
    "jax.export": ("export, serialize",),
    "x64, bfloat16, float16": ("x64", "bfloat16", "float16"),
    "strict promotion": ("strict promotion",),
    "no jit, debug_nans, debug_infs": ("disable_jit", "debug_nans", "debug_infs"),
    "shard_map": ("shard_map", "shard_map, check_vma=False"),
    "split batch, Auto and Explicit": ("NamedSharding, Auto", "NamedSharding, Explicit"),
    "split members": ("NamedSharding over vmap",),
}


def table(rows):
    """One line for all functions with the same cells: ✓, — for no, a number for a note, nothing where none was tried.

    Variants of a function, "conv, depthwise", are in its line, and those of `unroll`, its methods, have their own.
    """
    lines: dict = {}
    notes: dict = {}
    for name in dict.fromkeys(_shown(row.function) for row in rows):
        own = [row for row in rows if _shown(row.function) == name]
        cells = tuple(_cell(own, hows, notes) for hows in COLUMNS.values())
        lines.setdefault(cells, []).append(name)
    head = ["| | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    body = [
        "|" + "|".join(f" {text} " if text else " " for text in (", ".join(names), *cells)) + "|"
        for cells, names in lines.items()
    ]
    below = [
        f"{number}. {'; '.join(f'{name} under {_listed(hows)}' for name, hows in about.items())}: {verdict}."
        for verdict, (number, about) in notes.items()
    ]
    return "\n".join([*head, *body, "", *below])


def _shown(function):
    name, *variant = function.split(", ")
    return f"`{name}` by {variant[0]}" if name == "unroll" else " and ".join(f"`{one}`" for one in name.split(" and "))


def _listed(names):
    return ", ".join(names)


def _cell(rows, hows, notes):
    marks, rows = [], [row for row in rows if row.transformation in hows]
    tried = {row.transformation for row in rows}
    for row in rows:
        if row.verdict != "yes":
            number, about = notes.setdefault(row.verdict, (len(notes) + 1, {}))
            about.setdefault(row.function, []).append(row.transformation)
            marks.append(f"({number})")
    if not rows:
        return ""
    held = any(row.verdict == "yes" or row.verdict.startswith("right") for row in rows)
    some = [_listed(how for how in hows if how in tried)] if len(tried) < len(hows) else []
    return " ".join(["✓" if held else "—", *some, *dict.fromkeys(marks)])
