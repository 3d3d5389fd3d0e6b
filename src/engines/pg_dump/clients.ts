/**
 * engines: the PostgreSQL programs of this machine, looked for once, and what they can. It runs none of them on a database.
 */
import { chooseClient, type Installed } from '../../model/backup/client-choice.js';
import { capture } from '../../system/programs/exec.js';
import { findClients } from '../../system/programs/programs.js';

/** The first major whose pg_dump takes `--compress=METHOD:LEVEL`, where it was built with the method. */
const sinceMethods = 16;

/** pg_dump refuses a method that it lacks before it looks for the server, which here is nowhere. */
async function compressesZstd(client: Installed): Promise<boolean> {
  if (client.major < sinceMethods) return false;
  const args = ['--format=custom', '--compress=zstd', '--no-password', '--host=/dev/null', '--file=/dev/null'];
  const { stderr } = await capture(client.file('pg_dump'), args);
  return /\/dev\/null/.test(stderr) && !/compress/.test(stderr);
}

export interface ClientsGiven {
  readonly clientDirectory: string | undefined;
  readonly env: NodeJS.ProcessEnv;
}

export class Clients {
  readonly #given: ClientsGiven;
  #installed: Promise<Installed[]> | undefined;
  readonly #passedOver: string[] = [];
  readonly #zstd = new Map<Installed, Promise<boolean>>();

  constructor(given: ClientsGiven) {
    this.#given = given;
  }

  #all(): Promise<Installed[]> {
    const { clientDirectory, env } = this.#given;
    this.#installed ??= findClients({ clientDirectory, env, passOver: (reason) => this.#passedOver.push(reason) });
    return this.#installed;
  }

  async forServer(major: number): Promise<Installed> {
    return chooseClient(await this.#all(), major, this.#passedOver);
  }

  /** What a newer pg_dump wrote an older pg_restore cannot read, whatever compresses it. */
  async forArchive(major: number): Promise<Installed> {
    return chooseClient(await this.#all(), major, this.#passedOver, `the archive was written by pg_dump ${major}`);
  }

  /** The newest there is: it reads every older archive. */
  async newest(): Promise<Installed> {
    return this.forServer(Math.max(0, ...(await this.#all()).map(({ major }) => major)));
  }

  compressesZstd(client: Installed): Promise<boolean> {
    const known = this.#zstd.get(client) ?? compressesZstd(client);
    this.#zstd.set(client, known);
    return known;
  }
}
