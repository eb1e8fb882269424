"""Networks trained on synthetic sloppy data (2.5.5, 4.7.1); begin with `part`."""
