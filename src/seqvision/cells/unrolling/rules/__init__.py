"""The steps of cells in parts, and the transpose of each part, for the loops that are not `lax.scan` over ``step``."""
