"""The picture while networks train: recordings are read as they grow, placed, and served as a page.

`recordings` finds trainings and their checkpoints in folders, `samples` compares what they were
recorded on, `picture` holds distances and coordinates, `watcher` brings the three together, and
`server` shows them in a browser. Begin with `watcher`. Everything here only reads recordings.
"""
