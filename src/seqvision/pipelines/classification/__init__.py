"""From images to judged classifiers and a run folder."""
