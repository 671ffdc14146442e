"""Read a page as strictly as no browser does."""

from html.parser import HTMLParser

VOID = {"meta", "link", "img", "br", "input", "hr"}


class Page(HTMLParser):
    """The elements of a page, its tables, and what is wrong with it.

    Attributes:
      problems: tags that do not fit, attributes given twice, ids given twice, references to nothing.
      addresses: all that an element points to.
      tables: caption -> row name -> [(text, value or None)].
      images: (source, alternative text).
      charts: the JSON beside each chart.
    """

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.problems, self.addresses, self.images, self.charts, self.headings = [], [], [], [], []
        self.tables, self._open, self._ids, self._wanted = {}, [], [], []
        self._caption = self._row = self._cell = None
        self.text = ""
        self.feed(text)
        self.close()
        self.problems += [f"never closed: {tag}" for tag in self._open]
        self.problems += [f"twice: {name}" for name in set(self._ids) if self._ids.count(name) > 1]
        self.problems += [f"points to nothing: {name}" for name in self._wanted if name not in self._ids]

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if len(given) != len(attrs):
            self.problems.append(f"an attribute twice: {attrs}")
        if any(name.startswith("on") for name in given):
            self.problems.append(f"acts by itself: {attrs}")
        if tag not in VOID:
            self._open.append(tag)
        self._ids += [given["id"]] if "id" in given else []
        for name in ("href", "src", "action", "data", "poster", "srcset"):
            if name in given:
                self.addresses.append(given[name])
                self._wanted += [given[name][1:]] if given[name].startswith("#") else []
        self._wanted += given.get("aria-labelledby", "").split()
        if tag == "img":
            self.images.append((given["src"], given.get("alt", "")))
        elif tag == "table":
            self._caption, self._rows = "", {}
        elif tag == "th" and "scope" not in given:
            self.problems.append("a heading of a table without scope")
        elif tag == "tr":
            self._row, self._cells = "", []
        elif tag == "td":
            self._cell = ("", given.get("data-value"))
        self._script = given.get("type") if tag == "script" else None

    def handle_endtag(self, tag):
        if not self._open or self._open.pop() != tag:
            self.problems.append(f"closed without being open: {tag}")
        if tag == "td":
            text, value = self._cell
            self._cells.append((text.strip(), None if value is None else float(value)))
            self._cell = None
        elif tag == "tr" and self._cells:
            self._rows[self._row.strip()] = self._cells
        elif tag == "table":
            self.tables[self._caption.strip()] = self._rows

    def handle_data(self, data):
        if self._open[-1:] == ["script"]:
            if self._script == "application/json":
                self.charts.append(data)
            return
        if self._open[-1:] == ["style"]:
            return
        self.text += data
        if self._cell is not None:
            self._cell = (self._cell[0] + data, self._cell[1])
        elif "caption" in self._open:
            self._caption += data
        elif self._open[-1:] == ["th"]:
            self._row += data
        elif self._open[-1:] == ["h2"]:
            self.headings.append(data)
