"""The subcommands of `hanproof`, one module each: `add(subparsers)` declares it, `run(arguments)` returns the exit code.

A module imports what its command needs only when it runs, so that `hanproof key` does not wait for a stack to load.
"""
