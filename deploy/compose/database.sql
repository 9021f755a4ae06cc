-- The role and the database of docs/operations/postgresql.md, once, when PostgreSQL makes its own.
\getenv password DATABASE_PASSWORD
CREATE ROLE trent LOGIN PASSWORD :'password' NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;
CREATE DATABASE trent OWNER trent ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE trent FROM PUBLIC;
\connect trent
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO trent;
GRANT pg_read_all_stats TO trent;
