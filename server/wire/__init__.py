"""The service's own values and the wire's messages, and the way between them."""
