# Before a run: is there a place for the results, and is anyone at work?
from hyperribbon.studies.housekeeping import (
    check_writable,
    found,
    leave_name,
    remove_copied_work,
    remove_stale_locks,
)

try:
    check_writable(RESULTS)
except StoreError as error:
    raise WorkflowError(str(error)) from None
remove_stale_locks()
leave_name()
