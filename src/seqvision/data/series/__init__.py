"""Series: delimited text to columns of numbers and dates, synthetic ones, and windows split by time without a leak."""
