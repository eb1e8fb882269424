# What the rules of tasks share.
from hyperribbon.studies.tasks.plan import TaskPlan

TASKS = STUDY.tasks
TASK_PLAN = TaskPlan.of(TASKS, STUDY)
TASK_MEANS = [f"{RESULTS}/task_means/{split}.json" for split in TASK_PLAN.splits]  # manifests
