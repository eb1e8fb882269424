"""Several studies side by side; begin with `hyperribbon.compare_studies`."""
