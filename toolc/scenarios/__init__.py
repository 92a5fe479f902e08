"""Running scenarios at compile time: the plan is the ground truth of every task."""
