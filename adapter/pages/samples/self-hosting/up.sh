make demo    # sets everything up, and cuts out a photo through the whole stack
make up      # starts the stack and keeps it, until Ctrl-C
