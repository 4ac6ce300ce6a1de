"""Plain pytest becomes a conformance run: the plugin is loaded here, and what is no case is not looked at as one."""

pytest_plugins = ("harness.plugin", "harness.tests.peers.required")

collect_ignore = ["cases/table"]  # rows and clauses: `step_06.py` there is no file of cases
