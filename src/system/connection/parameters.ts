/**
 * system: libpq's parameters and where they come from: the entry, the service file, the environment, in that order. Never connects.
 *
 * Source: PostgreSQL's documentation, "Parameter Key Words", "Environment Variables", "The Connection Service File".
 */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseEntry } from '../../model/settings/connection.js';
import { Failure } from '../../model/errors.js';
import { isReference } from '../../model/settings/reference.js';
import { registerSecret } from '../../model/redact.js';
import { isKeyword, variables, type Parameters } from './keywords.js';
import { parseUrl } from './url.js';

export interface Given {
  readonly env: NodeJS.ProcessEnv;
  /** What a reference ("env:NAME", "file:PATH", "command:...") stands for. */
  secret(reference: string): Promise<string>;
  readonly signal?: AbortSignal;
}

export const homeOf = (env: NodeJS.ProcessEnv): string => env['HOME'] || homedir();

const present = (parameters: Readonly<Record<string, string | number | undefined>>): Parameters =>
  Object.fromEntries(
    Object.entries(parameters).flatMap(([key, value]) => (value === undefined || value === '' ? [] : [[key, `${value}`]])),
  );

async function fromEntry(entry: DatabaseEntry, given: Given): Promise<Parameters> {
  const url = entry.url !== undefined && isReference(entry.url) ? await given.secret(entry.url) : entry.url;
  const password =
    entry.passwordFile === undefined ? entry.password && (await given.secret(entry.password)) : await firstLine(entry.passwordFile);
  return {
    ...(url === undefined ? {} : parseUrl(url)),
    ...present({
      service: entry.service,
      host: entry.host,
      hostaddr: entry.hostaddr,
      port: entry.port,
      user: entry.user,
      dbname: entry.database,
      password,
      sslmode: entry.sslmode,
      sslrootcert: entry.sslrootcert,
      sslcert: entry.sslcert,
      sslkey: entry.sslkey,
      target_session_attrs: entry.targetSessionAttrs,
      connect_timeout: entry.connectTimeout,
    }),
  };
}

async function firstLine(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new Failure('configuration', `the password file ${file} cannot be read: ${(error as Error).message}`, { cause: error });
  });
  return text.split(/\r?\n/, 1)[0] ?? '';
}

/** One section of a service file, null where the file or the section is missing. */
async function serviceIn(file: string, name: string): Promise<Parameters | null> {
  const text = await readFile(file, 'utf8').catch(() => null);
  const lines = (text ?? '').split('\n').map((line) => line.trim());
  const start = lines.indexOf(`[${name}]`);
  if (start < 0) return null;
  const end = lines.findIndex((line, at) => at > start && line.startsWith('['));
  const found: Record<string, string> = {};
  for (const line of lines.slice(start + 1, end < 0 ? undefined : end).filter((line) => line !== '' && !line.startsWith('#'))) {
    const equals = line.indexOf('=');
    const key = line.slice(0, Math.max(equals, 0));
    if (equals < 0 || key === 'service' || !isKeyword(key))
      throw new Failure(
        'configuration',
        `service "${name}" in ${file}: "${key || 'a line without ='}" is not a parameter that may stand there`,
      );
    found[key] ??= line.slice(equals + 1);
  }
  return found;
}

async function fromService(name: string, env: NodeJS.ProcessEnv): Promise<Parameters> {
  const folders = env['PGSYSCONFDIR'] ? [env['PGSYSCONFDIR']] : ['/etc/postgresql-common', '/etc/sysconfig/pgsql', '/usr/local/pgsql/etc'];
  const files = [
    env['PGSERVICEFILE'] || join(homeOf(env), '.pg_service.conf'),
    ...folders.map((folder) => join(folder, 'pg_service.conf')),
  ];
  for (const file of files) {
    const found = await serviceIn(file, name);
    if (found) return found;
  }
  throw new Failure('configuration', `the service "${name}" is not defined in ${files.join(', ')}`, {
    hint: 'check PGSERVICE, PGSERVICEFILE and the name of the section',
  });
}

/** Everything that is said about a connection, the entry winning over the service file over the environment; nothing is defaulted. */
export async function gatherParameters(entry: DatabaseEntry, given: Given): Promise<Parameters> {
  const explicit = await fromEntry(entry, given);
  const environment = present(Object.fromEntries(Object.entries(variables).map(([key, name]) => [key, given.env[name]])));
  const service = explicit.service ?? environment.service;
  const gathered = { ...environment, ...(service === undefined ? {} : await fromService(service, given.env)), ...explicit };
  if (gathered.password) registerSecret(gathered.password);
  return gathered;
}
