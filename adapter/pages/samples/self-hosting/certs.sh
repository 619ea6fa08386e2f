.venv/bin/clearcanvas certs certs --caller shop    # prints the three settings of each program
