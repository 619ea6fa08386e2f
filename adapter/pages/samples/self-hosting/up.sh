# Sets up what is missing, starts the stack, and keeps it until Ctrl-C.
make up
