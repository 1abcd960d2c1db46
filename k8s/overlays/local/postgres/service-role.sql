-- Run once, when the volume is empty, by the role that owns everything (postgres), in the service's database. What the service does needs
-- these rights and no others; tables that migrations make later get them by themselves.
\getenv password SERVICE_PASSWORD
CREATE ROLE chart LOGIN PASSWORD :'password';
REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"DBNAME" TO chart;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE ON TABLES TO chart;
