collect_ignore = ["golden"]  # a script that needs torch and Keras, not a test
