/**
 * test: of the globals only what makes a role that is missing is taken, and nothing else that a text may hold.
 */
import { expect, it } from 'vitest';
import { missingRoles } from '../../../src/model/restore/globals.js';

const text = `--
SET standard_conforming_strings = on;
CREATE ROLE postgres;
ALTER ROLE postgres WITH SUPERUSER INHERIT CREATEROLE CREATEDB LOGIN REPLICATION BYPASSRLS PASSWORD 'SCRAM-SHA-256$4096:new';
CREATE ROLE app;
ALTER ROLE app WITH NOSUPERUSER INHERIT NOCREATEROLE NOCREATEDB LOGIN NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 5 PASSWORD 'SCRAM-SHA-256$4096:a==$b:c' VALID UNTIL '2030-01-01 00:00:00+00';
CREATE ROLE "odd ""role""; DROP";
ALTER ROLE "odd ""role""; DROP" WITH NOLOGIN;
GRANT app TO "odd ""role""; DROP" WITH ADMIN OPTION GRANTED BY postgres;
GRANT app TO postgres WITH ADMIN OPTION, INHERIT TRUE GRANTED BY postgres;
GRANT pg_monitor TO postgres GRANTED BY postgres;
ALTER ROLE app SET search_path TO 'x';
CREATE TABLESPACE fast OWNER postgres LOCATION '/mnt';
`;

it('makes the missing ones whole, and leaves the others as they are', () => {
  const { created, statements } = missingRoles(text, new Set(['postgres']));
  expect(created).toEqual(['app', 'odd "role"; DROP']);
  expect(statements).toEqual([
    'CREATE ROLE app;',
    expect.stringMatching(/^ALTER ROLE app WITH NOSUPERUSER .* PASSWORD 'SCRAM.*VALID UNTIL/),
    'CREATE ROLE "odd ""role""; DROP";',
    'ALTER ROLE "odd ""role""; DROP" WITH NOLOGIN;',
    'GRANT app TO "odd ""role""; DROP" WITH ADMIN OPTION;',
    'GRANT app TO postgres WITH ADMIN OPTION, INHERIT TRUE;',
  ]);
  expect(missingRoles(text, new Set(['postgres', 'app', 'odd "role"; DROP']))).toEqual({ created: [], statements: [] });
});

it.each([
  'CREATE ROLE a; DROP DATABASE shop;',
  'CREATE ROLE a SUPERUSER;',
  'CREATE ROLE "a"; --";',
  "ALTER ROLE a WITH LOGIN PASSWORD 'x'; DROP TABLE y; --';",
  "ALTER ROLE postgres WITH PASSWORD 'mine';",
  'GRANT pg_execute_server_program TO postgres;',
  'DO $$ BEGIN END $$;',
  '\\! touch /tmp/x',
])('nothing of: %s', (line) => {
  expect(missingRoles(`${line}\n`, new Set(['postgres'])).statements).toEqual([]);
});
