# The same, and two local chains on which it is paid.
make up ARGS=--devnet
