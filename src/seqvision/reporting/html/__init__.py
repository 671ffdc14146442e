"""report.html: one page a run, with style, script and data in itself."""
