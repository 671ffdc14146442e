"""From a file of numbers over time to judged forecasts, a run folder, and the next values."""
