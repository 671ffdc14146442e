"""From files and tables in memory to columns of numbers and dates."""
