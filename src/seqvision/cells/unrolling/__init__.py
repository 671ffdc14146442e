"""How steps become a sequence: ``unroll`` and the ways in which it is executed."""
