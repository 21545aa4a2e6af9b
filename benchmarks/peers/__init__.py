"""The hub beside what a team would pick instead: same data, same questions, same machine."""
