/**
 * system: the places that hosts, addresses and ports stand for, looked up by name where they must be. Never connects.
 */
import { lookup } from 'node:dns/promises';
import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { Failure } from '../../model/errors.js';
import type { Parameters } from './keywords.js';
import { socketFolders } from './passfile.js';

export interface Place {
  readonly host: string;
  readonly hostaddr: string | null;
  readonly port: number;
}

/** Hosts, addresses and ports side by side; as many ports as hosts, or one. */
export function placesOf(parameters: Parameters): Place[] {
  const hosts = parameters.host?.split(',') ?? [];
  const addresses = parameters.hostaddr?.split(',') ?? [];
  const ports = parameters.port?.split(',') ?? [];
  const count = Math.max(hosts.length, addresses.length, 1);
  const uneven = (list: readonly string[], least: number): boolean => list.length > least && list.length !== count;
  if (uneven(hosts, 0) || uneven(addresses, 0) || uneven(ports, 1))
    throw new Failure('configuration', `${hosts.length} hosts, ${addresses.length} addresses and ${ports.length} ports do not match`);
  return Array.from({ length: count }, (_, at) => {
    const port = Number((ports.length === 1 ? ports[0] : ports[at]) || 5432);
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      throw new Failure('configuration', `the port "${ports[at] ?? ports[0]}" is not a number from 1 to 65535`);
    const hostaddr = addresses[at] || null;
    return { host: hosts[at] || (hostaddr ?? defaultHost(port)), hostaddr, port };
  });
}

function defaultHost(port: number): string {
  return socketFolders.find((folder) => existsSync(`${folder}/.s.PGSQL.${port}`)) ?? '/var/run/postgresql';
}

/** Numeric addresses of a place in the order of the resolver; the folder of a socket is its own. Throws `connection`. */
export async function addressesOf({ host, hostaddr, port }: Place): Promise<readonly string[]> {
  if (hostaddr !== null) return [hostaddr];
  if (host.startsWith('/') || isIP(host)) return [host];
  const found = await lookup(host, { all: true, verbatim: true }).catch((error: unknown) => {
    throw new Failure('connection', `the host "${host}" (port ${port}) was not found: ${(error as Error).message}`, { cause: error });
  });
  return found.map(({ address }) => address);
}
