"""A zigpy radio library in a process of its own, spoken to by lines. `line` is for both ends; all else runs in the child only.

Nothing here imports Scapy or `dissectors`: zigpy and its radio libraries are GPL-3.0 and share no process with them.
"""
