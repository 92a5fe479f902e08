"""What a build becomes for other trainers: rows in the published format of FTRL, and what verl
needs. `toolc.train` makes the rows of TRL."""
