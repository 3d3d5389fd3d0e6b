/**
 * engines: what a database holds and pg_dump leaves behind without a word, named by its catalogue. Reads only.
 *
 * What was done to an extension after it was made is told by the transactions that wrote its rows in the catalogue: an object that joined
 * later, a function or a column written later. After pg_upgrade all were written later, and then nothing is said.
 */
import type { Session } from '../../../system/postgres/postgres.js';

/** Members `d` of extensions `e`, as they were made with it or by its last update. */
const members = `pg_catalog.pg_extension e JOIN pg_catalog.pg_depend d
  ON d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.refobjid = e.oid AND d.deptype = 'e'`;
const original = 'pg_catalog.age(d.xmin) >= pg_catalog.age(e.xmin)';
const later = (row: string): string => `pg_catalog.age(${row}.xmin) < pg_catalog.age(e.xmin)`;
const describe = 'pg_catalog.pg_describe_object(d.classid, d.objid, 0)';
const memberOf = (catalogue: string, oid: string): string =>
  `EXISTS (SELECT FROM pg_catalog.pg_depend x WHERE x.classid = 'pg_catalog.${catalogue}'::pg_catalog.regclass AND x.objid = ${oid} AND x.deptype = 'e')`;
/** Of a table and of arrays, which come with what they are of; since version 17 the extension has these, too. */
const derived = `EXISTS (SELECT FROM pg_catalog.pg_type t WHERE d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND t.oid = d.objid AND (
  EXISTS (SELECT FROM pg_catalog.pg_type i WHERE i.typarray = t.oid) OR EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid AND c.relkind <> 'c')))`;
const users = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";
const here = '(SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())';

interface Leftover {
  /** The sentence; `: ` and the names follow. */
  readonly what: string;
  /** Yields `name`. */
  readonly names: string;
}

const leftovers: readonly Leftover[] = [
  {
    what: 'not in the dump, because they were added to an extension after it was made',
    names: `SELECT e.extname || ' has ' || ${describe} AS name FROM ${members} WHERE ${later('d')} AND NOT ${derived}
      AND EXISTS (SELECT FROM pg_catalog.pg_depend o WHERE o.refclassid = d.refclassid AND o.refobjid = e.oid AND o.deptype = 'e' AND pg_catalog.age(o.xmin) >= pg_catalog.age(e.xmin))`,
  },
  {
    what: 'changed after their extension was made, of which the dump holds at most the privileges',
    names: `SELECT ${describe} || ' of ' || e.extname AS name FROM ${members} WHERE ${original} AND (
        EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND p.oid = d.objid AND ${later('p')})
        OR d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND (
          EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = d.objid AND a.attnum > 0 AND ${later('a')})
          OR EXISTS (SELECT FROM pg_catalog.pg_rewrite r WHERE r.ev_class = d.objid AND ${later('r')})
          OR EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = d.objid AND NOT t.tgisinternal AND ${later('t')})
          OR EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = d.objid AND ${later('i')})))`,
  },
  {
    what: 'not in the dump, because they were made in a schema of the server itself',
    names: `SELECT pg_catalog.pg_describe_object(o.classid, o.oid, 0) AS name FROM (
        SELECT 'pg_catalog.pg_class'::pg_catalog.regclass AS classid, oid, relnamespace AS namespace FROM pg_catalog.pg_class WHERE relkind IN ('r', 'v', 'm', 'S', 'p', 'f') AND NOT ${memberOf('pg_class', 'pg_class.oid')}
        UNION ALL SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, oid, pronamespace FROM pg_catalog.pg_proc WHERE NOT ${memberOf('pg_proc', 'pg_proc.oid')}
        UNION ALL SELECT 'pg_catalog.pg_operator'::pg_catalog.regclass, oid, oprnamespace FROM pg_catalog.pg_operator WHERE NOT ${memberOf('pg_operator', 'pg_operator.oid')}) o
      JOIN pg_catalog.pg_namespace n ON n.oid = o.namespace WHERE o.oid >= 16384 AND n.nspname IN ('pg_catalog', 'information_schema')`,
  },
  {
    what: "privileges that were changed on what is the server's own, which no dump holds",
    names: `SELECT 'language ' || l.lanname AS name FROM pg_catalog.pg_language l
      LEFT JOIN pg_catalog.pg_init_privs i ON i.classoid = 'pg_catalog.pg_language'::pg_catalog.regclass AND i.objoid = l.oid
      WHERE l.oid < 16384 AND NOT ${memberOf('pg_language', 'l.oid')}
        AND coalesce(l.lanacl, pg_catalog.acldefault('l', l.lanowner)) <> coalesce(i.initprivs, pg_catalog.acldefault('l', l.lanowner))
      UNION ALL SELECT 'schema ' || nspname FROM pg_catalog.pg_namespace n WHERE nspname = 'information_schema'
        AND NOT EXISTS (SELECT FROM pg_catalog.aclexplode(n.nspacl) a WHERE a.grantee = 0 AND a.privilege_type = 'USAGE')`,
  },
  {
    what: 'not in the dump, because they are not valid',
    names: `SELECT 'index ' || pg_catalog.format('%I.%I', n.nspname, c.relname) AS name FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE NOT i.indisvalid AND c.relkind = 'i' AND ${users}`,
  },
  {
    what: 'languages that no restore can make, because their handler is in no dump',
    names: `SELECT l.lanname::text AS name FROM pg_catalog.pg_language l WHERE l.oid >= 16384 AND NOT ${memberOf('pg_language', 'l.oid')}
      AND (l.lanplcallfoid < 16384 OR ${memberOf('pg_proc', 'l.lanplcallfoid')})`,
  },
  {
    what: 'foreign tables, whose rows are elsewhere',
    names: `SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'f' AND ${users}`,
  },
  {
    what: 'unlogged tables, whose rows a standby cannot read',
    names: `SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' AND c.relpersistence = 'u' AND pg_catalog.pg_is_in_recovery()`,
  },
  {
    what: 'prepared transactions, whose changes are in no dump before they are committed',
    names: 'SELECT gid AS name FROM pg_catalog.pg_prepared_xacts WHERE database = pg_catalog.current_database()',
  },
  {
    what: 'replication slots of this database',
    names: 'SELECT slot_name::text AS name FROM pg_catalog.pg_replication_slots WHERE database = pg_catalog.current_database()',
  },
  {
    what: 'subscriptions, which come back disabled and without a connection',
    names: `SELECT subname::text AS name FROM pg_catalog.pg_subscription WHERE subdbid = ${here}`,
  },
  {
    // by the statistics, so that no lock is waited for
    what: 'tables of extensions, whose rows these do not ask to have dumped',
    names: `SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name FROM ${members}
      JOIN pg_catalog.pg_class c ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND c.oid = d.objid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' AND NOT c.oid = ANY (coalesce(e.extconfig, '{}')) AND (c.reltuples > 0 OR pg_catalog.pg_stat_get_live_tuples(c.oid) > 0)`,
  },
];

/** Names told of one kind. */
const most = 10;

const sentence = (what: string, names: readonly string[]): string[] => {
  const rest = names.length - most;
  return names.length === 0 ? [] : [`${what}: ${names.slice(0, most).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`];
};

/** A sentence for each kind of thing that will not come back. */
export async function readLeftovers(session: Session): Promise<string[]> {
  const list = async (query: string) => (await session.query<{ name: string }>(`${query} ORDER BY 1`)).map(({ name }) => name);
  const found: string[] = [];
  for (const { what, names } of leftovers) found.push(...sentence(what, await list(names)));
  return found;
}
