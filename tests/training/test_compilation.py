"""Programs kept on disk: found by the next process, and nothing else of jax's is changed."""

import subprocess
import sys
from contextlib import contextmanager

import jax
import pytest

from seqvision import _compilation as compilation
from seqvision.training import enable_compilation_cache

CACHE_SCRIPT = """
import sys, jax, jax.monitoring, numpy as np, optax
from seqvision.data import Windows
from seqvision.models import MLP
from seqvision.training import enable_compilation_cache, fit
enable_compilation_cache(sys.argv[1])
events = []
jax.monitoring.register_event_listener(lambda name, **kw: events.append(name))
fit(MLP((4,)), Windows(np.arange(40.0), 6), loss="mse", optimizer=optax.sgd(0.1), epochs=1, batch_size=8,
    key=jax.random.key(0), progress=False)
print(events.count("/jax/compilation_cache/cache_hits"), events.count("/jax/compilation_cache/cache_misses"))
"""


def test_a_second_process_finds_every_program_in_the_cache(tmp_path):
    def hits_and_misses():
        done = subprocess.run(
            [sys.executable, "-c", CACHE_SCRIPT, str(tmp_path / "xla")], capture_output=True, text=True, check=True
        )
        return [int(n) for n in done.stdout.split()]

    hits, misses = hits_and_misses()
    assert hits == 0
    assert misses > 0
    assert hits_and_misses() == [misses, 0]


def test_a_cache_folder_that_others_can_write_is_refused(tmp_path):
    tmp_path.chmod(0o777)
    with pytest.raises(PermissionError, match="chmod go-w"):
        enable_compilation_cache(tmp_path)


def test_a_folder_of_the_users_that_others_can_write_is_a_warning(tmp_path, monkeypatch):
    tmp_path.chmod(0o777)
    monkeypatch.setattr(compilation, "_set_flags", lambda flags: None)
    with jax_flag("jax_compilation_cache_dir", str(tmp_path)):
        with pytest.warns(UserWarning, match="can be written by others.*chmod go-w"):
            assert enable_compilation_cache() == tmp_path
        with pytest.warns(UserWarning, match="chmod go-w"), compilation.kept_on_disk():
            pass


def test_our_own_folder_that_others_can_write_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "seqvision" / "xla").mkdir(parents=True)
    (tmp_path / "seqvision" / "xla").chmod(0o777)
    told = pytest.warns(UserWarning, match="programs are not kept.*chmod go-w")
    with jax_flag("jax_compilation_cache_dir", None), told, compilation.kept_on_disk():
        assert jax.config.jax_compilation_cache_dir is None


@contextmanager
def jax_flag(name, value):
    before = getattr(jax.config, name)
    jax.config.update(name, value)
    try:
        yield
    finally:
        jax.config.update(name, before)


SMALL_SCRIPT = """
import sys
import seqvision, jax, jax.numpy as jnp
from seqvision.training import enable_compilation_cache
enable_compilation_cache(sys.argv[1])
print(float(jax.jit(lambda x: jnp.sin(x) @ x)(jnp.ones((8, 8)))[0, 0]))
"""


def test_damaged_programs_are_compiled_anew(tmp_path):
    def run():
        done = subprocess.run(
            [sys.executable, "-c", SMALL_SCRIPT, str(tmp_path / "xla")], capture_output=True, text=True, check=True
        )
        return float(done.stdout), done.stderr

    expected, _ = run()
    for path in (tmp_path / "xla").glob("*-cache"):
        path.write_bytes(path.read_bytes()[:40])
    got, words = run()
    assert got == expected
    assert "Error reading persistent compilation cache" in words


FLAGS_SCRIPT = """
import os, sys, pathlib, jax, jax.monitoring, jax.numpy as jnp, numpy as np, optax
from seqvision.data import Stream, Windows
from seqvision.models import MLP
from seqvision.training import fit
ours, theirs, early = pathlib.Path(os.environ["XDG_CACHE_HOME"]) / "seqvision/xla", sys.argv[1], sys.argv[2] == "early"
# Their own programs would be kept, small as they are, if only there were a folder.
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
if early:
    jax.config.update("jax_compilation_cache_dir", theirs)
jax.jit(lambda x: x + 1)(jnp.ones(3))
events = []
jax.monitoring.register_event_listener(lambda name, **kw: events.append(name))
flags = dict(jax.config.values)
x, y = np.ones((20, 3), np.float32), np.zeros((20, 1), np.float32)
args = {"loss": "mse", "optimizer": optax.sgd(0.1), "epochs": 1, "key": jax.random.key(0), "progress": False}
fit(MLP((4,)), Windows(np.arange(40.0), 6), batch_size=8, **args)
fit(MLP((4,)), Stream(x[:, None], y[:, None]), batch_size=8, validation=Stream(x[:, None], y[:, None]), **args)
try:
    fit(MLP((4,)), Stream(lambda: 1 / 0), batch_size=8, **args)
except RuntimeError:
    pass
assert dict(jax.config.values) == flags, {k: v for k, v in jax.config.values.items() if flags[k] != v}
hits, misses = (events.count(f"/jax/compilation_cache/cache_{name}") for name in ("hits", "misses"))
kept = set(os.listdir(theirs if early else ours))
jax.jit(lambda x: jnp.sin(x) * 3)(jnp.ones(3))
assert not early or hits or set(os.listdir(theirs)) > kept
assert early or set(os.listdir(ours)) == kept
if not early:
    jax.config.update("jax_compilation_cache_dir", theirs)
    jax.jit(lambda x: jnp.cos(x) * 3)(jnp.ones(3))
    assert os.listdir(theirs)
    assert set(os.listdir(ours)) == kept
print(hits, misses)
"""


@pytest.mark.parametrize("when", ["early", "late"])
def test_fit_keeps_its_programs_and_leaves_the_rest_of_jax_as_it_was(when, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "theirs").mkdir(mode=0o700)

    def hits_and_misses():
        command = [sys.executable, "-c", FLAGS_SCRIPT, str(tmp_path / "theirs"), when]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr.splitlines()[-3:]
        return [int(n) for n in done.stdout.split()]

    hits, misses = hits_and_misses()
    assert misses > 4
    assert hits_and_misses() == [hits + misses, 0]
    assert (tmp_path / "cache").exists() == (when == "late")
