# What the rules of the geometry of representations share.
REPRESENTATIONS = STUDY.representations
PLANE_TASKS = list(REPRESENTATIONS.planes.tasks()) if REPRESENTATIONS.planes else []
PLANE_TABLES = list(step_named("plane_tables")[1].tables)
PLANE_PART = f"{RESULTS}/representations/{{table}}-{{plane_task}}.csv"
SURVEYED = {c.id: c for c in REPRESENTATIONS.configurations(STUDY)}


wildcard_constraints:
    plane_task="|".join(PLANE_TASKS),


def planes_json(task):
    """The settings that determine what happens to a task."""
    others = {"xor", "sinusoid"} - {task}
    section = REPRESENTATIONS.planes.model_dump(mode="json", exclude=others)
    return canonical_json(section)
