"""The README's table of transformations is made from the rows that the tests check."""

import re
from pathlib import Path

from tests.transformations.matrix import ROWS
from tests.transformations.table import COLUMNS, table

README = Path(__file__).parents[2] / "README.md"


def test_every_row_is_in_a_column():
    columns = [how for hows in COLUMNS.values() for how in hows]
    assert len(columns) == len(set(columns))
    assert set(columns) == {row.transformation for row in ROWS}


def test_the_readme_shows_the_table():
    marks = r"<!-- transformations -->\n(.*?)\n<!-- /transformations -->"
    (shown,) = re.findall(marks, README.read_text(encoding="utf-8"), re.S)
    assert shown == table(ROWS), "write tests.transformations.table.table(ROWS) between the marks"
