#!/bin/sh
# Runs once, when PostgreSQL's folder is made: a database and a user for each program. The server never sees the money's.
set -eu
for program in server adapter; do
  case $program in
    server) password=$SERVER_PASSWORD ;;
    adapter) password=$ADAPTER_PASSWORD ;;
  esac
  psql --set ON_ERROR_STOP=1 --set "name=$program" --set "password=$password" --username "$POSTGRES_USER" <<'SQL'
CREATE USER :"name" PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
done
