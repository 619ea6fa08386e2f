"""Paying for one request: what is asked, the two ways to pay it, and the sending that never pays twice."""
