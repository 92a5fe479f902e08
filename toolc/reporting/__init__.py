"""What people look at after an evaluation: reports of runs, comparisons, differences of builds."""
