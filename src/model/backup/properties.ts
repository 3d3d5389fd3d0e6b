/**
 * model: what belongs to a database itself and stands in no archive: owner, privileges, settings, comment, limit, locale. Pure.
 */
import * as z from 'zod';
import { identifier, literal } from '../quote.js';

export const propertiesSchema = z.object({
  owner: z.string(),
  /** Null: those of a new database. */
  acl: z.array(z.object({ grantor: z.string(), grantee: z.string().nullable(), privilege: z.string(), grantable: z.boolean() })).nullable(),
  /** By ALTER DATABASE SET, and of a role in this database; values as the catalogue has them. */
  settings: z.array(z.object({ role: z.string().nullable(), name: z.string(), value: z.string() })),
  comment: z.string().nullable(),
  connectionLimit: z.int(),
  isTemplate: z.boolean(),
  tablespace: z.string(),
  labels: z.array(z.object({ provider: z.string(), label: z.string() })),
  /** Who sorts and folds texts: `libc`, `icu`, `builtin`; `locale` and `rules` are of the latter two. */
  provider: z.enum(['libc', 'icu', 'builtin']),
  locale: z.string().nullable(),
  rules: z.string().nullable(),
  /** Of the library that sorted the source's indexes; null where none is known. */
  collationVersion: z.string().nullable(),
});
export type DatabaseProperties = z.infer<typeof propertiesSchema>;

/** How texts of a new database are stored, sorted and folded. */
export interface Texts {
  readonly encoding: string;
  readonly collate: string | null;
  readonly ctype: string | null;
  readonly properties?: Pick<DatabaseProperties, 'provider' | 'locale' | 'rules'> | undefined;
}

/** The options of CREATE DATABASE for these texts, on a server of this major; the words that older servers do not know left out. */
export function localeClauses({ collate, ctype, properties }: Texts, serverMajor: number): string {
  const { provider = 'libc', locale = null, rules = null } = properties ?? {};
  const named = locale === null ? '' : ` ${provider === 'icu' ? 'ICU_LOCALE' : 'BUILTIN_LOCALE'} ${literal(locale)}`;
  return [
    collate && ctype ? ` LC_COLLATE ${literal(collate)} LC_CTYPE ${literal(ctype)}` : '',
    serverMajor >= 15 && properties ? ` LOCALE_PROVIDER ${provider}${named}` : '',
    serverMajor >= 16 && rules !== null ? ` ICU_RULES ${literal(rules)}` : '',
  ].join('');
}

/** Their values are lists of names, each quoted by itself; as pg_dump knows them. */
const lists = new Set(
  'local_preload_libraries,search_path,session_preload_libraries,shared_preload_libraries,temp_tablespaces,unix_socket_directories'.split(
    ',',
  ),
);

function settingValue(name: string, value: string): string {
  if (!lists.has(name.toLowerCase())) return literal(value);
  const names = [...value.matchAll(/"((?:[^"]|"")*)"|([^\s,"]+)/g)].map(([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare ?? '');
  return names.length > 0 ? names.map(literal).join(', ') : "''";
}

function privileges(wanted: NonNullable<DatabaseProperties['acl']>, owner: string, database: string): string[] {
  const grants = wanted
    .toSorted((a, b) => Number(a.grantor !== owner) - Number(b.grantor !== owner))
    .flatMap(({ grantor, grantee, privilege, grantable }) => {
      const grant = `GRANT ${privilege} ON DATABASE ${database} TO ${grantee === null ? 'PUBLIC' : identifier(grantee)}${grantable ? ' WITH GRANT OPTION' : ''};`;
      return grantor === owner ? [grant] : [`SET ROLE ${identifier(grantor)};`, grant, 'RESET ROLE;'];
    });
  return [`REVOKE ALL ON DATABASE ${database} FROM PUBLIC;`, `REVOKE ALL ON DATABASE ${database} FROM ${identifier(owner)};`, ...grants];
}

type Setting = DatabaseProperties['settings'][number];

function settings(wanted: readonly Setting[], present: readonly Setting[], database: string): string[] {
  const of = ({ role }: Setting) =>
    role === null ? `ALTER DATABASE ${database}` : `ALTER ROLE ${identifier(role)} IN DATABASE ${database}`;
  const is = (a: Setting) => (b: Setting) => a.role === b.role && a.name === b.name;
  const parameter = (name: string) => name.split('.').map(identifier).join('.');
  return [
    ...present.filter((one) => !wanted.some(is(one))).map((one) => `${of(one)} RESET ${parameter(one.name)};`),
    ...wanted
      .filter((one) => present.find(is(one))?.value !== one.value)
      .map((one) => `${of(one)} SET ${parameter(one.name)} TO ${settingValue(one.name, one.value)};`),
  ];
}

export interface Amendment {
  /** The target's own name. */
  readonly databaseName: string;
  /** Without what names roles. */
  readonly noOwner: boolean;
}

const inOrder = ({ acl }: DatabaseProperties): string => JSON.stringify(acl?.map((item) => JSON.stringify(item)).toSorted());
const sameAcl = (a: DatabaseProperties, b: DatabaseProperties): boolean =>
  inOrder(a) === inOrder(b) && (a.owner === b.owner || a.acl === null);

/** The statements that make a database's properties what they were, in order; none where they are. Its locale cannot be changed any more. */
export function amendments(wanted: DatabaseProperties, present: DatabaseProperties, { databaseName, noOwner }: Amendment): string[] {
  const database = identifier(databaseName);
  const kept = ({ role }: Setting) => role === null || !noOwner;
  const labels = wanted.labels.filter(
    ({ provider, label }) => !present.labels.some((one) => one.provider === provider && one.label === label),
  );
  return [
    ...(noOwner || wanted.owner === present.owner ? [] : [`ALTER DATABASE ${database} OWNER TO ${identifier(wanted.owner)};`]),
    ...(noOwner || wanted.acl === null || sameAcl(wanted, present) ? [] : privileges(wanted.acl, wanted.owner, database)),
    ...(wanted.comment === present.comment
      ? []
      : [`COMMENT ON DATABASE ${database} IS ${wanted.comment === null ? 'NULL' : literal(wanted.comment)};`]),
    ...labels.map(({ provider, label }) => `SECURITY LABEL FOR ${identifier(provider)} ON DATABASE ${database} IS ${literal(label)};`),
    ...settings(wanted.settings.filter(kept), present.settings.filter(kept), database),
    ...(wanted.isTemplate === present.isTemplate ? [] : [`ALTER DATABASE ${database} IS_TEMPLATE ${wanted.isTemplate};`]),
    ...(wanted.connectionLimit === present.connectionLimit
      ? []
      : [`ALTER DATABASE ${database} CONNECTION LIMIT ${wanted.connectionLimit};`]),
  ];
}

/** What cannot be brought back, a sentence each. */
export function beyondMending(wanted: DatabaseProperties, present: DatabaseProperties): string[] {
  const sorts = ({ provider, locale }: DatabaseProperties) => (locale === null ? provider : `${provider} ${locale}`);
  const versions = [wanted.collationVersion, present.collationVersion];
  return [
    ...(sorts(wanted) === sorts(present) ? [] : [`the target sorts texts by ${sorts(present)}, the source by ${sorts(wanted)}`]),
    ...(sorts(wanted) !== sorts(present) || versions.includes(null) || versions[0] === versions[1]
      ? []
      : [`the collation has version ${versions[1]} in the target, ${versions[0]} in the source: texts may sort differently`]),
    ...(wanted.tablespace === present.tablespace
      ? []
      : [`the target lies in the tablespace "${present.tablespace}", the source in "${wanted.tablespace}"`]),
  ];
}
