/**
 * test: what a target lacks is told, with SQL in which a name is only ever a name.
 */
import { describe, expect, it } from 'vitest';
import type { TargetSurvey } from '../../../src/model/roles/engine/load.js';
import { identifier, literal } from '../../../src/model/quote.js';
import { planRestore, unfitness, type RestoreWish } from '../../../src/model/restore/plan.js';

const wish: RestoreWish = {
  manifest: { databaseName: 'shop', systemIdentifier: '1', serverVersion: '15.4', databaseSize: 1000 },
  details: {
    roles: ['app'],
    extensions: [{ name: 'citext', version: '1.6', schema: 'public' }],
    tablespaces: [],
    encoding: 'UTF8',
    collate: 'de_DE.utf8',
    ctype: 'de_DE.utf8',
  },
  create: false,
  noOwner: false,
};
const ready: TargetSurvey = {
  place: 'there',
  databaseName: 'copy',
  systemIdentifier: '2',
  objects: 0,
  serverVersion: '16.1',
  serverMajor: 16,
  user: { name: 'me', superuser: true, createdb: true, memberOf: ['me', 'app'] },
  roles: ['me', 'app'],
  tablespaces: ['pg_default', 'pg_global'],
  extensions: [{ name: 'citext', versions: ['1.5', '1.6'], defaultVersion: '1.6', installed: null, trusted: true }],
  knowsLocale: true,
  encoding: 'UTF8',
  collate: 'de_DE.utf8',
  ctype: 'de_DE.utf8',
  connections: 0,
  freeBytes: 1000,
  noProgram: null,
  properties: null,
};
const unprivileged = { name: 'me', superuser: false, createdb: false, memberOf: ['me', 'app'] };
const details = (more: Partial<RestoreWish['details']>): Partial<RestoreWish> => ({ details: { ...wish.details, ...more } });
const kinds = (wanted: Partial<RestoreWish>, target: Partial<TargetSurvey>) =>
  planRestore({ ...wish, ...wanted }, { ...ready, ...target }).missing.map(({ kind }) => kind);

it('G10: a server older than the source, or without room, is unfit; nothing else is', () => {
  expect(unfitness(wish, { ...ready, roles: [], extensions: [], connections: 3, noProgram: 'none' })).toEqual([]);
  expect(unfitness(wish, { ...ready, freeBytes: null })).toEqual([]);
  expect(unfitness(wish, { ...ready, freeBytes: 999 })).toEqual(['the source took 1.0 kB, the server has 999 B free']);
  expect(unfitness(wish, { ...ready, serverMajor: 14, serverVersion: '14.9' })).toEqual([expect.stringContaining('14.9') as string]);
});

describe('a restore plan', () => {
  it('is empty when nothing is missing', () => {
    expect(planRestore(wish, ready)).toEqual({ missing: [], sql: [], afterwards: [], warnings: [] });
  });

  it.each<[string, Partial<RestoreWish>, Partial<TargetSurvey>, string[]]>([
    ['a role', {}, { roles: ['me'] }, ['role']],
    ['no role where owners are left out', { noOwner: true }, { roles: ['me'] }, []],
    ['the role that --role names', { role: 'owner' }, {}, ['role']],
    ['the right to become it', { role: 'app' }, { user: { ...unprivileged, memberOf: ['me'] } }, ['right']],
    ['an extension', {}, { extensions: [] }, ['extension']],
    [
      'an extension for superusers',
      {},
      { user: unprivileged, extensions: ready.extensions.map((one) => ({ ...one, trusted: false })) },
      ['extension'],
    ],
    ['a tablespace', details({ tablespaces: ['fast'] }), {}, ['tablespace']],
    ['an older server', {}, { serverMajor: 14 }, ['version']],
    ['the program', {}, { noProgram: 'no pg_restore' }, ['program']],
    ['room', {}, { freeBytes: 999 }, ['disk']],
    ['the database', {}, { objects: null }, ['database']],
    ['no database with --create', { create: true }, { objects: null }, []],
    ['the right to make it', { create: true }, { objects: null, user: unprivileged }, ['right']],
    ['the locale for it', { create: true }, { objects: null, knowsLocale: false }, ['locale']],
    ['an empty target', {}, { objects: 3 }, ['target']],
    ['another target than the source', {}, { systemIdentifier: '1', databaseName: 'shop' }, ['target']],
    ['nothing when it is named again', { forceTarget: 'copy' }, { objects: 3 }, []],
    ['a target that is not there yet', { create: true }, {}, ['target']],
    ['the encoding', {}, { encoding: 'LATIN1' }, ['encoding']],
    ['no encoding when it is UTF8', details({ encoding: 'LATIN1' }), {}, []],
    ['UTF8 for texts of any encoding', details({ encoding: 'SQL_ASCII' }), {}, ['encoding']],
  ])('tells of %s', (_what, wanted, target, expected) => {
    expect(kinds(wanted, target)).toEqual(expected);
  });

  it.each<[Partial<RestoreWish>, Partial<TargetSurvey>, RegExp]>([
    [{}, { connections: 2 }, /2 other sessions are connected/],
    [{}, { freeBytes: null }, /room for 1.0 kB .*cannot be told/],
    [{}, { collate: 'C' }, /sorts by C/],
    [{}, { extensions: ready.extensions.map((one) => ({ ...one, installed: '1.5' })) }, /version 1.5 there, 1.6 in the source$/],
    [{}, { user: { ...unprivileged, memberOf: ['me'] } }, /GRANT "app" TO "me";/],
    [{ noOwner: true }, { roles: [] }, /policies that name the roles "app"/],
  ])('warns of what stops nothing: %j %j', (wanted, target, warning) => {
    const plan = planRestore({ ...wish, ...wanted }, { ...ready, ...target });
    expect(plan.missing).toEqual([]);
    expect(plan.warnings).toEqual([expect.stringMatching(warning)]);
  });

  it('mends with SQL, roles before the database before extensions', () => {
    const untrusted = ready.extensions.map((one) => ({ ...one, trusted: false }));
    const plan = planRestore(wish, {
      ...ready,
      objects: null,
      roles: ['me'],
      extensions: untrusted,
      user: { ...unprivileged, createdb: true },
    });
    expect(plan.sql).toEqual([
      'CREATE ROLE "app" NOLOGIN;',
      `CREATE DATABASE "copy" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'de_DE.utf8' LC_CTYPE 'de_DE.utf8';`,
      `CREATE SCHEMA IF NOT EXISTS "public"; CREATE EXTENSION IF NOT EXISTS "citext" WITH SCHEMA "public" VERSION '1.6';`,
    ]);
  });

  it('quotes', () => {
    expect(identifier('a"; DROP ROLE x; --')).toBe('"a""; DROP ROLE x; --"');
    expect(literal("it's")).toBe("'it''s'");
    expect(literal("\\'; x")).toBe("E'\\\\''; x'");
    const evil = 'x"; DROP DATABASE shop; --\n';
    expect(planRestore({ ...wish, details: { ...wish.details, roles: [evil] } }, ready).sql).toEqual([
      `CREATE ROLE ${identifier(evil)} NOLOGIN;`,
    ]);
  });
});
