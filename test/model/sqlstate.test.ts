/** model/sqlstate: what servers and programs of PostgreSQL say, as codes of our own. */
import { describe, expect, it } from 'vitest';
import { classifyServerMessage, codeOfSqlstate } from '../../src/model/sqlstate.js';

describe('codeOfSqlstate', () => {
  it.each([
    ['28P01', 'authentication'],
    ['3D000', 'no-database'],
    ['42501', 'permission'],
    ['53300', 'server-busy'],
    ['55P03', 'lock-timeout'],
    ['57P03', 'connection'],
    ['08006', 'connection'],
    ['XX001', 'damaged-source'],
    ['42601', null],
  ])('%s is %s', (state, code) => expect(codeOfSqlstate(state)).toBe(code));
});

describe('classifyServerMessage', () => {
  const prefix = 'pg_dump: error: connection to server at "db1" (10.0.0.1), port 5432 failed: ';
  it.each([
    [`${prefix}FATAL:  password authentication failed for user "backup"`, 'authentication'],
    [`${prefix}fe_sendauth: no password supplied`, 'authentication'],
    [`${prefix}FATAL:  no pg_hba.conf entry for host "10.0.0.2", user "u", database "d", SSL off`, 'authentication'],
    [`${prefix}FATAL:  role "nobody" does not exist`, 'authentication'],
    [`${prefix}FATAL:  database "sh"op" does not exist`, 'no-database'],
    [`${prefix}FATAL:  sorry, too many clients already`, 'server-busy'],
    [`${prefix}FATAL:  too many connections for role "backup"`, 'server-busy'],
    [`${prefix}FATAL:  remaining connection slots are reserved for non-replication superuser connections`, 'server-busy'],
    [`${prefix}Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?`, 'connection'],
    [`${prefix}FATAL:  the database system is starting up`, 'connection'],
    [`${prefix}server does not support SSL, but SSL was required`, 'tls'],
    [`${prefix}SSL error: certificate verify failed`, 'tls'],
    ['pg_dump: error: could not translate host name "db9" to address: Name or service not known', 'connection'],
    ['pg_dump: error: query failed: ERROR:  canceling statement due to lock timeout', 'lock-timeout'],
    ['pg_dump: error: query failed: ERROR:  permission denied for table customers', 'permission'],
    [
      'pg_dump: error: server version: 17.1; pg_dump version: 15.2\npg_dump: error: aborting because of server version mismatch',
      'client-too-old',
    ],
    [
      'pg_dump: error: Dumping the contents of table "a" failed: PQgetResult() failed.\nError message from server: ERROR:  invalid page in block 3 of relation base/5/16384',
      'damaged-source',
    ],
    ['pg_dump: error: Error message from server: SSL SYSCALL error: EOF detected\nserver closed the connection unexpectedly', 'connection'],
    ['FATAL:  terminating connection due to administrator command\nSSL connection has been closed unexpectedly', 'connection'],
    ['pg_dump: error: could not write to output file: No space left on device', 'no-space'],
    [
      'pg_dump: error: query failed: ERROR:  canceling statement due to statement timeout\npg_dump: detail: Query was: LOCK TABLE public.a IN ACCESS SHARE MODE',
      'lock-timeout',
    ],
    ['pg_dump: error: could not write to output file: Broken pipe', null],
    ['pg_dump: error: something nobody has seen', null],
  ])('%s', (text, code) => expect(classifyServerMessage(text)).toBe(code));
});
