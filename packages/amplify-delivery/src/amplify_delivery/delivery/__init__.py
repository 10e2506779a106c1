"""What the commands do, one room per part: engine, account, project, planning, pipeline, teardown."""
