"""Is this machine well: does what is installed compute right, and can what is computed be kept."""
