"""What is done with finished runs: they are listed, compared, judged on new rows, and trained on."""
