"""When the rows after the last one come: found from the dates themselves, or said."""
