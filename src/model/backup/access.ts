/**
 * model: what a backup role may not read of a database, in words and as the SQL that mends it. Asks no server, grants nothing. Pure.
 */
import { Failure } from '../errors.js';
import { identifier } from '../quote.js';
import { countOf } from '../units.js';

/** Something whose content a dump needs and the role does not get; `hidden`: row security would hide rows of it. */
export interface Unreadable {
  readonly kind: 'schema' | 'table' | 'sequence' | 'hidden';
  readonly schema: string;
  /** Of a schema null. */
  readonly name: string | null;
}

export interface Access {
  readonly role: string;
  readonly serverMajor: number;
  readonly unreadable: readonly Unreadable[];
  /** Large objects that the role may not read: how many, and the first of them. */
  readonly largeObjects: { readonly count: number; readonly first: readonly string[] };
}

/** Named one by one; a line of the ledger has to hold them. */
const named = 100;
/** Since then one role reads everything, and whatever is made tomorrow. */
const readAllData = 14;

const lists = { schema: 'schema', table: 'table', sequence: 'sequence' } as const;
const plain = (name: string): string => (/^[a-z_][a-z0-9_$]*$/.test(name) ? name : identifier(name));
const shown = ({ schema, name }: Unreadable): string => plain(schema) + (name === null ? '' : `.${plain(name)}`);
const quoted = ({ schema, name }: Unreadable): string => identifier(schema) + (name === null ? '' : `.${identifier(name)}`);

/** Everything that is in the way, a phrase each; empty when the role reads all that a dump needs. */
function phrases({ unreadable, largeObjects }: Access): string[] {
  const some = unreadable.slice(0, named);
  const of = (kind: Unreadable['kind']) => some.filter((one) => one.kind === kind).map(shown);
  const denied = Object.entries(lists).flatMap(([kind, noun]) => {
    const names = of(kind as keyof typeof lists);
    return names.length === 0 ? [] : [`${noun}${names.length > 1 ? 's' : ''} ${names.join(', ')}`];
  });
  const { count, first } = largeObjects;
  const objects = count === 0 ? [] : [`${countOf(count, 'large object')} (${first.join(', ')}${count > first.length ? ', ...' : ''})`];
  const reading = [...denied, ...objects];
  const hidden = of('hidden');
  const more = unreadable.length - some.length;
  return [
    ...(reading.length > 0 ? [`may not read ${reading.join('; ')}`] : []),
    ...(hidden.length > 0 ? [`would not see all rows of ${hidden.join(', ')}, for row security`] : []),
    ...(more > 0 ? [`lacks ${more} more`] : []),
  ];
}

const grantObjects = (role: string): string =>
  "DO $$DECLARE o oid; BEGIN FOR o IN SELECT oid FROM pg_largeobject_metadata LOOP EXECUTE 'GRANT SELECT ON LARGE OBJECT '||o||" +
  `' TO ${role.replaceAll("'", "''")}'; END LOOP; END$$;`;

/** Schema by schema, where there is no role that reads everything. */
function grantSchemas(role: string, unreadable: readonly Unreadable[]): string[] {
  const all = (kind: Unreadable['kind']) => unreadable.filter((one) => one.kind === kind);
  const schemasOf = (kind: Unreadable['kind']) => [...new Set(all(kind).map(({ schema }) => identifier(schema)))].join(', ');
  return [
    ...(all('schema').length > 0 ? [`GRANT USAGE ON SCHEMA ${schemasOf('schema')} TO ${role};`] : []),
    ...(all('table').length > 0 ? [`GRANT SELECT ON ALL TABLES IN SCHEMA ${schemasOf('table')} TO ${role};`] : []),
    ...(all('sequence').length > 0 ? [`GRANT SELECT ON ALL SEQUENCES IN SCHEMA ${schemasOf('sequence')} TO ${role};`] : []),
  ];
}

/** The SQL by which the role may read what it lacks, a statement each, for a superuser of that database; as few rights as do it. */
export function grantsFor({ role: name, serverMajor, unreadable, largeObjects }: Access): string[] {
  const role = identifier(name);
  const denied = unreadable.filter(({ kind }) => kind !== 'hidden');
  const reading = serverMajor >= readAllData ? [`GRANT pg_read_all_data TO ${role};`] : grantSchemas(role, denied);
  return [
    ...(denied.length > 0 ? reading : []),
    ...(largeObjects.count > 0 ? [grantObjects(role)] : []),
    ...(denied.length < unreadable.length ? [`ALTER ROLE ${role} BYPASSRLS;`] : []),
  ];
}

/** Just what is missing now, one by one; null when these are too many to type, or no fewer rights. */
function leastGrants({ role: name, serverMajor, unreadable }: Access): string | null {
  const denied = unreadable.filter(({ kind }) => kind !== 'hidden');
  if (serverMajor < readAllData || denied.length === 0 || denied.length > 5) return null;
  const verb = { schema: 'USAGE ON SCHEMA', table: 'SELECT ON', sequence: 'SELECT ON SEQUENCE', hidden: '' };
  return denied.map((one) => `GRANT ${verb[one.kind]} ${quoted(one)} TO ${identifier(name)};`).join(' ');
}

/** Why a dump by this role would fail, or not be whole; null: nothing is in the way. Code `permission`. */
export function refusal(database: string, access: Access): Failure | null {
  const found = phrases(access);
  if (found.length === 0) return null;
  const least = leastGrants(access);
  return new Failure('permission', `${database}: the role ${JSON.stringify(access.role)} ${found.join('; and it ')}`, {
    hint: `as a superuser of that database: ${grantsFor(access).join(' ')}${least === null ? '' : ` (or, for what there is now: ${least})`}`,
  });
}
