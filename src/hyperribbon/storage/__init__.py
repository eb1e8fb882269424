"""Stores on disk: Zarr v3, labelled, published atomically, with manifests of checksums.

`dataset` writes and opens stores, `predictions` has the layout of predictions stores, and `models`
reads all of a study as one set of models; begin there. `manifest`, `loose_files` and `verification`
hold and compare checksums. `files`, `locks` and `digest` are what all of them are built on,
`provenance` what a result records about its origin, `tables` reads and writes CSV, and `study_file`
reads YAML.
"""
