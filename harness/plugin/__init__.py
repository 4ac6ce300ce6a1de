"""The pytest plugin: plain pytest becomes a conformance run. One module a subject; none of them knows the body of a case.

`options` reads the bench file, `collection` ties cases to devices and clauses, `operating` says who answers prompts, `fixtures`
gives cases their bench, `verdicts` turns what happened into results, `withholding` keeps keys out of what is shown, `closing` ends
the run with files and exit code; `terminal`, `progress` and `allure_results` show it.
"""

pytest_plugins = (
    "harness.plugin.options",
    "harness.plugin.collection",
    "harness.plugin.operating",
    "harness.plugin.fixtures",
    "harness.plugin.verdicts",
    "harness.plugin.withholding",
    "harness.plugin.closing",
    "harness.plugin.terminal",
    "harness.plugin.progress",
    "harness.plugin.allure_results",
)
