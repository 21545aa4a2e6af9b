"""Partner systems to develop against: real protocols on loopback, with faults on demand."""
