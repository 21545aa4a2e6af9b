"""What is meant: gather, ask, judge, answer."""
