collect_ignore = ["golden"]  # a script that needs torch, not a test
