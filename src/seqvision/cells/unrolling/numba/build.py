"""Make the compiled kernels that the package brings along: ``python -m seqvision.cells.unrolling.numba.build``.

Run it under Linux on x86-64 after each change in ``kernels``; it needs numba, and a C compiler as a linker.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from importlib.metadata import version
from pathlib import Path

from .kernels.signatures import HANDLERS
from .processor import ENVIRONMENT
from .shipped import BITCODE, FOLDER, LIBRARIES, MANIFEST, digest

TRIPLE = "x86_64-unknown-linux-gnu"
LINK = ["cc", "-shared", "-nostdlib", "-s", "-Wl,-z,now,-z,relro,-z,noexecstack,--gc-sections,--build-id=none"]


def _pack(path: Path) -> None:
    """Write the bitcode of all handlers, for the lanes of this process."""
    from .targets import from_sources

    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as pack:
        for handler in HANDLERS:
            pack.writestr(zipfile.ZipInfo(handler.name), from_sources(handler), zipfile.ZIP_DEFLATED, 9)


def _link(pack: Path, processor: str, library: Path) -> None:
    from .machine_code import object_code

    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(pack) as bitcode:
        objects = [Path(folder, f"{name}.o") for name in bitcode.namelist()]
        for path in objects:
            path.write_bytes(object_code(bitcode.read(path.stem), TRIPLE, processor))
        subprocess.run([*LINK, "-o", library, *objects], check=True)


def build() -> None:
    """Make all files anew."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        packs = {name: Path(folder, f"lanes-{lanes}.zip") for name, (lanes, _) in LIBRARIES.items()}
        running = [  # a process each, since a process has its lanes for good
            subprocess.Popen(
                [sys.executable, "-m", f"{__package__}.build", packs[name]],
                env=os.environ | {ENVIRONMENT: str(lanes)},
            )
            for name, (lanes, _) in LIBRARIES.items()
        ]
        if any(process.wait() for process in running):
            raise SystemExit("nothing was made: see above")
        for name, pack in packs.items():
            _link(pack, Path(name).stem, FOLDER / name)
        (FOLDER / BITCODE).write_bytes(Path(folder, BITCODE).read_bytes())
    manifest = {
        "sources": digest(),
        "sha256": {name: hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() for name in (*LIBRARIES, BITCODE)},
        "made with": {name: version(name) for name in ("numba", "llvmlite")},
    }
    (FOLDER / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:]:
        _pack(Path(sys.argv[1]))
    else:
        build()
