/**
 * core: reads the table of contents from the beginning of an artifact while it is stored, before anything seals it. It holds nothing up, and
 * keeps no more of the bytes than what waits to be decoded.
 */
import { PassThrough } from 'node:stream';
import type { Codec } from '../../model/roles/codec.js';
import { incompleteness, type Contents } from '../../model/backup/objects.js';
import type { ArtifactSource, Dump } from '../../model/roles/engine/dump.js';
import { asFailure, Failure } from '../../model/errors.js';
import type { Context } from '../context.js';
import { decodersOf, type Tap } from './transfer.js';

/** Encoded bytes that may wait: a table of contents is at the very front, and decoded faster than it is dumped. */
const patience = 64 * 1024 * 1024;

/** Listens to an artifact as its codecs leave it. */
export class ContentsTap implements Tap {
  readonly #input = new PassThrough();
  readonly #contents: Promise<Contents | null>;
  #over = false;

  constructor(context: Pick<Context, 'run'>, read: NonNullable<ArtifactSource['contents']>, codecs: readonly Codec[]) {
    const decoders = decodersOf(codecs);
    const flow = decoders.length > 0 ? context.run(decoders, { input: this.#input }) : null;
    this.#contents = read(flow?.output ?? this.#input).finally(() => {
      this.#over = true;
      flow?.stop(new Failure('interrupted', 'the table of contents was read'));
      this.#input.destroy();
    });
    this.#contents.catch(() => {});
  }

  take(data: Buffer): void {
    if (this.#over) return;
    if (this.#input.writableLength > patience) this.#input.destroy(new Failure('archive', 'the table of contents is not read in time'));
    else this.#input.write(data);
  }

  end(): void {
    this.#input.end();
  }

  /** What was in it. Rejects with `archive` when it cannot be read. */
  async contents(): Promise<Contents | null> {
    return this.#contents.catch((error: unknown) => {
      throw asFailure(error, 'archive');
    });
  }
}

const untold = 'what the dump holds could not be compared with the catalogue: this version of the archive is not known';

/** Throws `incomplete` when the snapshot has what the dump has not. Resolves to the contents, where they can be told. */
export async function assureWhole(
  database: string,
  dump: Dump,
  tap: ContentsTap | null,
  warn: (message: string) => void,
): Promise<Contents | null> {
  if (!tap) return null;
  const contents = await tap.contents();
  if (contents === null) {
    warn(untold);
    return null;
  }
  const failure = incompleteness(database, await dump.inventory(), contents);
  if (failure) throw failure;
  return contents;
}
