/**
 * model: the RestorePlan, what a target lacks for a restore to go well, and the SQL that mends it. Pure: it changes nothing.
 */
import type { BackupDetails, Manifest } from '../backup/backup.js';
import type { TargetSurvey } from '../roles/engine/load.js';
import { amendments, beyondMending, localeClauses } from '../backup/properties.js';
import { identifier, literal } from '../quote.js';
import { countOf, formatBytes } from '../units.js';

/** One thing that a restore would fail for, or not bring back as it was. */
export interface Missing {
  readonly kind:
    | 'target'
    | 'database'
    | 'right'
    | 'program'
    | 'version'
    | 'role'
    | 'tablespace'
    | 'extension'
    | 'encoding'
    | 'locale'
    | 'disk';
  readonly name: string;
  /** A sentence: what is wrong, and what to do where no SQL mends it. */
  readonly detail: string;
}

export interface RestorePlan {
  readonly missing: readonly Missing[];
  /** Statements that mend it, in the order in which to run them. */
  readonly sql: readonly string[];
  /** Statements that, after the restore, give the target the database's own properties: owner, settings, privileges and the like. */
  readonly afterwards: readonly string[];
  /** What is worth knowing and stops nothing. */
  readonly warnings: readonly string[];
}

/** What is to be restored, and how. */
export interface RestoreWish {
  readonly manifest: Pick<Manifest, 'databaseName' | 'systemIdentifier' | 'serverVersion' | 'databaseSize'>;
  readonly details: Pick<BackupDetails, 'roles' | 'extensions' | 'tablespaces' | 'encoding' | 'collate' | 'ctype' | 'properties'>;
  readonly create: boolean;
  readonly noOwner: boolean;
  /** pg_restore's --role. */
  readonly role?: string | undefined;
  readonly forceTarget?: string | undefined;
}

interface Finding {
  readonly missing?: Missing;
  readonly sql?: string;
  readonly warning?: string;
}

const lacking = (kind: Missing['kind'], name: string, detail: string, sql?: string): Finding => ({
  missing: { kind, name, detail },
  ...(sql === undefined ? {} : { sql }),
});
const shown = (name: string): string => JSON.stringify(name);

/** Whether the target is the very database that the backup was taken from. */
export const isSource = (manifest: RestoreWish['manifest'], target: Pick<TargetSurvey, 'systemIdentifier' | 'databaseName'>): boolean =>
  target.systemIdentifier !== null &&
  target.systemIdentifier === manifest.systemIdentifier &&
  target.databaseName === manifest.databaseName;

function database({ manifest, details, create, forceTarget }: RestoreWish, target: TargetSurvey): Finding[] {
  const { databaseName: name, objects } = target;
  if (objects === null) {
    const locale = target.knowsLocale ? localeClauses(details, target.serverMajor) : '';
    const sql = `CREATE DATABASE ${identifier(name)} TEMPLATE template0 ENCODING ${literal(details.encoding)}${locale};`;
    return create ? [] : [lacking('database', name, `the database ${shown(name)} does not exist; --create makes it`, sql)];
  }
  const findings: Finding[] = [];
  if (create && forceTarget === undefined)
    findings.push(lacking('target', name, `the database ${shown(name)} exists already; leave --create out, or name another`));
  const source = isSource(manifest, target);
  if (!source && objects === 0) return findings;
  const what = source ? 'is the database that the backup was taken from' : `is not empty: it holds ${countOf(objects, 'object')}`;
  if (forceTarget === name) findings.push({ warning: `${shown(name)} ${what}; its tables of the same names will be replaced` });
  else findings.push(lacking('target', name, `${shown(name)} ${what}; name a new one with --create, or add --force-target ${shown(name)}`));
  return findings;
}

function rights({ details, create, noOwner, role }: RestoreWish, target: TargetSurvey): Finding[] {
  const { name, superuser, createdb, memberOf } = target.user;
  if (superuser) return [];
  const strangers = noOwner ? [] : details.roles.filter((one) => !memberOf.includes(one));
  const grants = strangers.map((one) => `GRANT ${identifier(one)} TO ${identifier(name)};`).join(' ');
  const unable = strangers.length > 0 && {
    warning: `${shown(name)} is no member of ${strangers.map(shown).join(', ')} and cannot give them what they own; --no-owner leaves owners out, else: ${grants}`,
  };
  const mayNotSet = role !== undefined && target.roles.includes(role) && !memberOf.includes(role);
  return [
    ...(create && target.objects === null && !createdb
      ? [lacking('right', name, `the role ${shown(name)} may not create databases`, `ALTER ROLE ${identifier(name)} CREATEDB;`)]
      : []),
    ...(mayNotSet
      ? [lacking('right', name, `${shown(name)} is no member of ${shown(role)}, which --role names`, `GRANT ${identifier(role)} TO ${identifier(name)};`)] // prettier-ignore
      : []),
    ...(unable ? [unable] : []),
  ];
}

function roles({ details, noOwner, role }: RestoreWish, target: TargetSurvey): Finding[] {
  const absent = (names: readonly string[]) => names.filter((name) => !target.roles.includes(name));
  const wanted = absent([...new Set([...(noOwner ? [] : details.roles), ...(role === undefined ? [] : [role])])]);
  const named = noOwner ? absent(details.roles).filter((name) => !wanted.includes(name)) : [];
  return [
    ...wanted.map((name) =>
      lacking(
        'role',
        name,
        `the role ${shown(name)} does not exist; --globals brings it with its attributes`,
        `CREATE ROLE ${identifier(name)} NOLOGIN;`,
      ),
    ),
    ...(named.length > 0 ? [{ warning: `policies that name the roles ${named.map(shown).join(', ')} will fail: they do not exist` }] : []),
  ];
}

const tablespaces = ({ details }: RestoreWish, target: TargetSurvey): Finding[] =>
  details.tablespaces
    .filter((name) => name !== 'pg_default' && !target.tablespaces.includes(name))
    .map((name) =>
      lacking(
        'tablespace',
        name,
        `the tablespace ${shown(name)} does not exist`,
        `CREATE TABLESPACE ${identifier(name)} LOCATION '/PATH/OF/AN/EMPTY/FOLDER'; -- put a folder of the server's own there`,
      ),
    );

function extension(wanted: RestoreWish['details']['extensions'][number], target: TargetSurvey): Finding[] {
  const { name, version, schema } = wanted;
  const there = target.extensions.find((one) => one.name === name);
  const what = `the extension ${shown(name)}`;
  if (!there) return [lacking('extension', name, `${what} ${version} is not available: install its package on the server`)];
  const gets = there.installed ?? there.defaultVersion;
  const known = there.versions.includes(version);
  const differs = gets !== version && {
    warning: `${what} has version ${gets ?? 'unknown'} there, ${version} in the source${known ? '' : ', which is not available'}`,
  };
  const namespace = schema === 'pg_catalog' ? '' : `CREATE SCHEMA IF NOT EXISTS ${identifier(schema)}; `;
  const create = `${namespace}CREATE EXTENSION IF NOT EXISTS ${identifier(name)} WITH SCHEMA ${identifier(schema)}${known ? ` VERSION ${literal(version)}` : ''};`;
  const mayNot = there.installed === null && !there.trusted && !target.user.superuser;
  return [
    ...(mayNot
      ? [lacking('extension', name, `${what} can be made by a superuser only: have it made in ${shown(target.databaseName)} first`, create)]
      : []),
    ...(differs ? [differs] : []),
  ];
}

/** Every text fits into UTF8 but one whose encoding nobody knows. */
function texts({ details }: RestoreWish, target: TargetSurvey): Finding[] {
  const { encoding, collate, ctype } = details;
  const locale = `${collate ?? '?'}, ${ctype ?? '?'}`;
  if (target.objects === null)
    return target.knowsLocale
      ? []
      : [lacking('locale', locale, `the server does not know the locale ${locale}: --create takes its own, and texts sort differently`)];
  if (target.encoding !== encoding) {
    const detail = `the target has the encoding ${target.encoding ?? '?'}, the source ${encoding}`;
    if (target.encoding === 'UTF8' && encoding !== 'SQL_ASCII') return [{ warning: detail }];
    return [lacking('encoding', encoding, `${detail}: texts may not fit; make the database anew with --create`)];
  }
  if (target.collate === collate && target.ctype === ctype) return [];
  return [{ warning: `the target sorts by ${target.collate ?? '?'}, ${target.ctype ?? '?'}, the source by ${locale}` }];
}

function room({ manifest }: Pick<RestoreWish, 'manifest'>, { freeBytes }: TargetSurvey): Finding[] {
  const { databaseSize } = manifest;
  if (databaseSize === null || freeBytes === null)
    return [
      {
        warning: `whether there is room${databaseSize === null ? '' : ` for ${formatBytes(databaseSize)}`} on the server cannot be told from here`,
      },
    ];
  if (freeBytes >= databaseSize) return [];
  return [
    lacking(
      'disk',
      formatBytes(databaseSize),
      `the source took ${formatBytes(databaseSize)}, the server has ${formatBytes(freeBytes)} free`,
    ),
  ];
}

function server({ manifest }: Pick<RestoreWish, 'manifest'>, target: TargetSurvey): Finding[] {
  const from = Number.parseInt(manifest.serverVersion, 10);
  const sessions = target.connections ?? 0;
  return [
    ...(target.noProgram === null ? [] : [lacking('program', 'pg_restore', target.noProgram)]),
    ...(target.serverMajor < from
      ? [lacking('version', manifest.serverVersion, `the server is PostgreSQL ${target.serverVersion}, the backup of ${manifest.serverVersion}: use one of ${from} or newer`)] // prettier-ignore
      : []),
    ...(sessions > 0 ? [{ warning: `${countOf(sessions, 'other session is', 'other sessions are')} connected to the target` }] : []),
  ];
}

/** With --create the restore does it. Of a target that is not there yet nothing is known. */
function afterwards(
  { details, create, noOwner }: RestoreWish,
  { properties, databaseName }: TargetSurvey,
): Pick<RestorePlan, 'afterwards' | 'warnings'> {
  if (!details.properties || !properties) return { afterwards: [], warnings: [] };
  return {
    afterwards: create ? [] : amendments(details.properties, properties, { databaseName, noOwner }),
    warnings: beyondMending(details.properties, properties),
  };
}

/** Looks at everything, in the order in which the SQL is to be run. */
export function planRestore(wish: RestoreWish, target: TargetSurvey): RestorePlan {
  const extensions = (): Finding[] => wish.details.extensions.flatMap((one) => extension(one, target));
  const findings = [roles, rights, tablespaces, database, extensions, texts, server, room].flatMap((look) => look(wish, target));
  const after = afterwards(wish, target);
  return {
    missing: findings.flatMap(({ missing }) => missing ?? []),
    sql: findings.flatMap(({ sql }) => sql ?? []),
    afterwards: after.afterwards,
    warnings: [...findings.flatMap(({ warning }) => warning ?? []), ...after.warnings],
  };
}

/** Why a whole restore would end badly after much work: too little room, a server older than the source's. A sentence each. */
export const unfitness = (wish: Pick<RestoreWish, 'manifest'>, target: TargetSurvey): string[] =>
  [...room(wish, target), ...server(wish, target)].flatMap(({ missing }) =>
    missing?.kind === 'disk' || missing?.kind === 'version' ? missing.detail : [],
  );
