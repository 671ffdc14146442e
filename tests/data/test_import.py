import subprocess
import sys


def test_the_room_loads_no_table_plot_or_download_library():
    code = (
        "import sys, seqvision.data;"
        "heavy = {'pandas', 'matplotlib', 'sklearn', 'scipy.stats', 'pooch', 'requests', 'flax', 'optax', 'orbax'};"
        "print(*sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""
