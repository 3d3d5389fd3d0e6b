/**
 * system: a PostgreSQL URL taken apart as libpq does it. Never quotes a piece of the URL in an error: it may be the password.
 *
 * Source: PostgreSQL's documentation, "Connection URIs", and `conninfo_uri_parse_options` of libpq.
 */
import { Failure } from '../../model/errors.js';
import { isKeyword, type Parameters } from './keywords.js';

/** Parameters that other tools put into the same URL; they say nothing about how the server is reached. */
const foreign = new Set([
  'schema',
  'connection_limit',
  'pool_timeout',
  'pgbouncer',
  'socket_timeout',
  'statement_cache_size',
  'uselibpqcompat',
]);

const invalid = (what: string): Failure =>
  new Failure('configuration', `the PostgreSQL URL ${what}`, {
    hint: 'write postgresql://user@host:port/database?sslmode=require; in user and password write % @ : / ? # as %25 %40 %3A %2F %3F %23',
  });

function decode(text: string): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(text);
  } catch {
    throw invalid('holds a broken percent-encoding');
  }
  if (decoded.includes('\0')) throw invalid('holds %00');
  return decoded;
}

/** `[::1]:5433`, `db1`, `%2Fvar%2Frun` -> host and port, both may be empty. */
function splitHost(text: string): readonly [host: string, port: string] {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]*))(?::([^:]*))?$/.exec(text);
  if (!match) throw invalid('has a host that cannot be read');
  const port = decode(match[3] ?? '');
  if (!/^\d*$/.test(port)) throw invalid('has a port that is not a number');
  return [decode(match[1] ?? match[2] ?? ''), port];
}

function queryParameters(query: string): Parameters {
  const found: Record<string, string> = {};
  for (const pair of query.split('&').filter(Boolean)) {
    const [key = '', value, ...rest] = pair.split('=').map(decode);
    if (value === undefined || rest.length > 0) throw invalid('has a query parameter that is not key=value');
    if (foreign.has(key)) continue;
    if (key === 'ssl' && value === 'true') found['sslmode'] = 'require';
    else if (isKeyword(key)) found[key] = value;
    else throw invalid(`has the unknown query parameter "${key.slice(0, 40)}"`);
  }
  return found;
}

/** `postgresql://` or `postgres://` with several hosts, sockets, IPv6 and query parameters. Throws Failure `configuration`. */
export function parseUrl(url: string): Parameters {
  const match = /^postgres(?:ql)?:\/\/(?:([^@/]*)@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(url.trim());
  if (!match) throw invalid('does not start with postgresql:// or cannot be read');
  const [, credentials = '', hosts = '', database = '', query = ''] = match;
  const colon = credentials.indexOf(':');
  const places = hosts === '' ? [] : hosts.split(',').map(splitHost);
  const parts = {
    user: decode(colon < 0 ? credentials : credentials.slice(0, colon)),
    password: colon < 0 ? '' : decode(credentials.slice(colon + 1)),
    host: places.map(([host]) => host).join(','),
    port: places.some(([, port]) => port) ? places.map(([, port]) => port).join(',') : '',
    dbname: decode(database),
  };
  const given = Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== ''));
  return { ...given, ...queryParameters(query) };
}
