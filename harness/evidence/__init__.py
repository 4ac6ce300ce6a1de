"""What a run leaves behind: the run folder, verdicts.json, junit.xml and the evidence of every scenario. Knows no case."""
