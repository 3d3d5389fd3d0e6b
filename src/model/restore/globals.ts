/**
 * model: the roles in the text of `pg_dumpall --globals-only`. Only statements of the few known forms are taken, so that a text that
 * somebody tampered with runs nothing else. Pure.
 */

const name = String.raw`(?:[a-z_][a-z0-9_$]*|"(?:[^"\n]|"")+")`;
const text = String.raw`'(?:[^'\n]|'')*'`;
const flag = '(?:NO)?(?:SUPERUSER|INHERIT|CREATEROLE|CREATEDB|LOGIN|REPLICATION|BYPASSRLS)';
const attribute = String.raw`(?:${flag}|CONNECTION LIMIT -?\d+|PASSWORD ${text}|VALID UNTIL ${text})`;
const createRole = new RegExp(`^CREATE ROLE (${name});$`);
const alterRole = new RegExp(`^ALTER ROLE (${name}) WITH (${attribute}(?: ${attribute})*);$`);
const membership = new RegExp(`^GRANT (${name}) TO (${name})( WITH [A-Z]+(?:,? [A-Z]+)*)?(?: GRANTED BY ${name})?;$`);

const bare = (quoted: string): string => (quoted.startsWith('"') ? quoted.slice(1, -1).replaceAll('""', '"') : quoted);

/** What makes the roles that are not `there`, in order, with their attributes and memberships; of those that are there nothing. */
export function missingRoles(globals: string, there: ReadonlySet<string>): { readonly created: string[]; readonly statements: string[] } {
  const created = new Set<string>();
  const statements: string[] = [];
  for (const line of globals.split('\n')) {
    const [, role] = createRole.exec(line) ?? [];
    const [, altered] = alterRole.exec(line) ?? [];
    const [, group, member, how = ''] = membership.exec(line) ?? [];
    if (role !== undefined && !there.has(bare(role))) {
      created.add(bare(role));
      statements.push(line);
    } else if (altered !== undefined && created.has(bare(altered))) statements.push(line);
    else if (group !== undefined && member !== undefined && (created.has(bare(group)) || created.has(bare(member))))
      statements.push(`GRANT ${group} TO ${member}${how};`);
  }
  return { created: [...created], statements };
}
