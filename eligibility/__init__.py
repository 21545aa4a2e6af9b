"""How eligibility is judged: facts, rules, three-valued verdicts; pure, no I/O."""
