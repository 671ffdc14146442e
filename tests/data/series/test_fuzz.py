"""Whatever bytes come in: a series of finite numbers, or an error in our own words."""

import bz2
import gzip
import io
import lzma
import random
import warnings
import zipfile

import numpy as np
import pandas as pd
import pytest

from seqvision.data import read_series

QUICK, MANY = 300, 100_000


def _packed():
    text = b"date,v,w\n2020-01-01,1.5,a\n2020-01-02,2.5,b\n2020-01-03,3.5,c\n"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.csv", text)
    made = [gzip.compress(text), bz2.compress(text), lzma.compress(text), archive.getvalue()]
    frame = pd.DataFrame({"date": pd.date_range("2020", periods=3), "v": [1.5, 2.5, 3.5]})
    for write in ("to_parquet", "to_excel"):
        file = io.BytesIO()
        try:
            getattr(frame, write)(file, index=False)
        except ImportError:
            continue
        made.append(file.getvalue())
    return made


TEXTS = [
    '"Ngày","Lần cuối","KL"\n"31/05/2022","1,292.68","591.09K"\n"30/05/2022","1,293.92",""\n'.encode(),
    b"Datum;Zeit;Preis\r\n31.05.2022;10:00;1,89\r\n01.06.2022;11:00;1.959,5\r\n",
    b"date,v\n14-01-01,1\n14-01-02,2\n14-01-03,3\n14-02-01,4\n15-01-01,5\n16-01-01,6\n16-02-01,7\n16-03-01,8\n",
    b"# a remark\nyear month v\n2020 1 5\n2020 2 6\n2020 3 (7.5)\n",
    b"Country,Year,Value\nA,2000,1\nA,2001,2\nB,2000,3\nB,2001,4\n",
    b"V1,V2,V3,V4,V5,V6,V7,V8,V9,V10\nH1,1,2,3,4,5,6,7,8,9\nH2,1,2,3,4,5,6,7,,\n",
    b"Price,Close,High\nTicker,AAPL,AAPL\nDate,,\n2020-01-02,72.7,72.8\n2020-01-03,72.0,72.8\n",
    b"sep=;\nDate;v\n2020-Q1;5 kWh\n2020-Q2;6 kWh\nSource: x\n",
    "日期,收盘\n2022年5月31日,3186.43\n2022年5月30日,1,2万\n".encode("gb18030"),
    "timestamp\tv\n1580428800\t$1.5\n1580515200\t%5\n".encode("utf-16"),
    b",0\n0,0.1257\n1,-0.132\n2,nan\n",
    b"Tue, May 31, 2022|1\nWed, Jun 1, 2022|2\n",
]
PIECES = [
    b"\n", b"\r", b",", b";", b"\t", b'"', b"'", b" ", b"-", b"/", b".", b":", b"#", b"\0", b"\xff", b"\xef\xbb\xbf",
    b"0", b"1", b"99999999999999999999", b"1e400", b"1e-400", b"nan", b"inf", b"true", b"ND", b"2020-02-30", b"24:00",
    b"31/12/99", b"\xe5\xb9\xb4", b"%", b"(", b")", b"K", b"1,000", b"1.000", b"AM", b"+25:00", b"W54", b"Q5", b"sep=",
    b"date", b"Year", b"\x1f\x8b", b"PK\x03\x04", b"PAR1", b"-9223372036854775808", b"9223372036854775807", b"1_0",
]  # fmt: skip
OPTIONS = {
    "date": [None, None, None, False, 0, "date", ["date", "v"], [0, 1], True],
    "date_format": [None, None, None, None, "%Y-%m-%d", "s", "excel", "quarter", "%d/%m/%y"],
    "dayfirst": [None, None, True, False],
    "yearfirst": [None, None, None, True, False],
    "duplicates": ["error", "first", "last", "mean"],
    "gaps": ["keep", "keep", "keep", "fill", "error"],
    "series_id": [None, None, None, None, 0, "Country", "V1"],
    "blanks": ["error", "drop", "ffill", "interpolate", "zero"],
    "missing": [(), (), ("ND", -1), 0],
    "encoding": [None, None, None, "utf-8", "utf-16", "latin-1"],
    "separator": [None, None, None, ",", " ", ";"],
    "decimal": [None, None, ".", ","],
    "header": [None, None, None, True, False, 2],
    "skip_rows": [0, 0, 0, 1, 5],
    "skip_footer": [0, 0, 0, 1, 5],
    "comment": [None, None, None, "#", ";"],
    "columns": [None, None, "all", 0, (0, 1)],
}


def mutated(data, chance):
    data = bytearray(data)
    for _ in range(chance.choice([0, 1, 1, 2, 3, 8])):
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(6)
        if kind == 0:
            data[at : at + chance.choice([1, 1, 2, 10, 1000])] = b""
        elif kind == 1:
            data[at:at] = chance.choice(PIECES)
        elif kind == 2:
            data[at : at + 1] = bytes([chance.randrange(256)])
        elif kind == 3:
            data[at : at + 3] = chance.choice(PIECES)
        elif kind == 4:
            begin = chance.randrange(len(data) + 1)
            data[at:at] = data[begin : begin + chance.choice([3, 20, 200])]
        else:
            data[at : at + 1] = chance.choice(PIECES) * chance.choice([1, 2, 50])
    return bytes(data)


def attack(count, seed):
    chance, seen, foreign = random.Random(seed), {"read": 0, "refused": 0}, []
    sources = TEXTS + _packed()
    for trial in range(count):
        data = mutated(chance.choice(sources if trial % 3 else TEXTS), chance)
        options = {name: chance.choice(values) for name, values in OPTIONS.items() if chance.random() < 0.15}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                series = read_series(io.BytesIO(data), **options)
        except Exception as error:
            if type(error) is ValueError and str(error):
                seen["refused"] += 1
            else:
                foreign.append(f"{type(error).__name__} ({error}) for {data!r:.1000} with {options}")
        else:
            assert np.isfinite(series.values).all()
            assert len(series), (data, options)
            seen["read"] += 1
    print(seen, len(foreign))
    assert not foreign, "\n".join(foreign[:20])
    return seen


def test_any_bytes_are_read_or_refused_in_our_words():
    seen = attack(QUICK, seed=1)
    assert seen["read"] > QUICK / 10
    assert seen["refused"] > QUICK / 10


@pytest.mark.slow
def test_very_many_bytes_are_read_or_refused_in_our_words():
    assert sum(attack(MANY, seed=2).values()) == MANY
