"""`limbeck bench`: files measured on targets, in scenarios, and held against each other."""
