"""Selling over HTTP: what is offered where, and the way of a paid request over the gate."""
