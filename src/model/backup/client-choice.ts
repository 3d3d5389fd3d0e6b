/**
 * model: which of the PostgreSQL programs found on a machine suit a server. Decides only; it never looks for them.
 */
import { Failure } from '../errors.js';

/** One folder of PostgreSQL programs, of one version. */
export interface Installed {
  readonly directory: string;
  readonly major: number;
  /** As the program says it: `15.14`, `18beta1`. */
  readonly version: string;
  /** The absolute path of a program of this version: `file('pg_restore')`. */
  file(program: string): string;
}

/** The first of the lowest major that is at least `major`. */
function lowestFrom(installed: readonly Installed[], major: number): Installed | undefined {
  const fitting = installed.filter((each) => each.major >= major);
  const lowest = Math.min(...fitting.map((each) => each.major));
  return fitting.find((each) => each.major === lowest);
}

const newestOf = (installed: readonly Installed[]): Installed | undefined =>
  installed.reduce<Installed | undefined>((best, each) => (best && best.major >= each.major ? best : each), undefined);

const becauseOf = (passedOver: readonly string[]): string => (passedOver.length > 0 ? `; passed over: ${passedOver.join('; ')}` : '');

/**
 * The client for a server, or for an archive: the lowest major that is at least its own, the first found (PATH) winning ties. `what`: why
 * no older one will do. Throws `client-missing` when there is none, `client-too-old` when all are older. `passedOver`: what was found but cannot be used, and why.
 */
export function chooseClient(
  installed: readonly Installed[],
  major: number,
  passedOver: readonly string[] = [],
  what = `the server is PostgreSQL ${major}`,
): Installed {
  const chosen = lowestFrom(installed, major);
  if (chosen) return chosen;
  const wanted = `postgresql-client-${major}`;
  const newest = newestOf(installed);
  if (!newest)
    throw new Failure('client-missing', `no PostgreSQL client programs (pg_dump) were found${becauseOf(passedOver)}`, {
      hint: `install them, e.g. \`apt-get install ${wanted}\`, or set clientDirectory`,
    });
  throw new Failure(
    'client-too-old',
    `${what}, the newest client found is pg_dump ${newest.version} in ${newest.directory}${becauseOf(passedOver)}`,
    {
      hint: `install a client of that version: \`apt-get install ${wanted}\` (from apt.postgresql.org where your distribution is older)`,
    },
  );
}

/** The server programs to restore a backup of a server of `serverMajor` into. Throws `server-missing`. */
export function chooseServer(installed: readonly Installed[], serverMajor: number, passedOver: readonly string[] = []): Installed {
  const chosen = lowestFrom(installed, serverMajor);
  if (chosen) return chosen;
  const newest = newestOf(installed);
  const found = newest ? `the newest found is ${newest.version} in ${newest.directory}` : 'none were found';
  throw new Failure(
    'server-missing',
    `no PostgreSQL server programs of version ${serverMajor} or newer; ${found}${becauseOf(passedOver)}`,
    {
      hint: `install them, e.g. \`sudo apt-get install postgresql${newest ? `-${serverMajor}` : ''}\`, or set verify.server`,
    },
  );
}
