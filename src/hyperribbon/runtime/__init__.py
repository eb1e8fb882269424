"""Where and how jobs run.

`cluster` runs tasks in threads or on a Dask cluster, `device` and `gpus` choose a device,
`cached_pieces` keeps finished pieces of a long job, and `work` names the folders of trainings in
progress.
"""
