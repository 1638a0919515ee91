-- Runs at each start, so each statement bears repetition; a changed password needs only a restart.
\set ON_ERROR_STOP on
\set owner_password `cat /run/secrets/database_owner_password`
\set app_password `cat /run/secrets/database_app_password`

-- The passwords must reach neither the log nor the statistics.
SET log_min_duration_statement = -1;
SET log_min_error_statement = panic;
SET pg_stat_statements.track = 'none';

SELECT 'CREATE ROLE owner' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'owner') \gexec
ALTER ROLE owner LOGIN PASSWORD :'owner_password';
-- A migration that waits for a lock makes everybody queue behind it.
ALTER ROLE owner SET lock_timeout = '5s';

SELECT 'CREATE ROLE app' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'app') \gexec
ALTER ROLE app LOGIN PASSWORD :'app_password';
ALTER ROLE app SET statement_timeout = '30s';
ALTER ROLE app SET lock_timeout = '5s';
ALTER ROLE app SET idle_in_transaction_session_timeout = '60s';

SELECT 'CREATE DATABASE app OWNER owner' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'app') \gexec
REVOKE ALL ON DATABASE app FROM PUBLIC;
GRANT CONNECT ON DATABASE app TO app;

\connect app
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
-- The schema `public` belongs to the database's owner; others may use it, not create in it (PostgreSQL's default since 15).
ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO app;
ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA public GRANT SELECT, USAGE ON SEQUENCES TO app;
