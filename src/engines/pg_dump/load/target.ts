/**
 * engines: the database that a restore is meant for: where it is, what is in it, and what its server offers. Reads only.
 */
import type { BackupDetails } from '../../../model/backup/backup.js';
import type { Installed } from '../../../model/backup/client-choice.js';
import { asFailure, Failure } from '../../../model/errors.js';
import type { TargetState, TargetSurvey } from '../../../model/roles/engine/load.js';
import { during, type Connection } from '../connection.js';
import { countObjects, readIdentity } from '../look/catalogue.js';
import { surveyDatabase, surveyServer } from '../look/needs.js';

const describe = ({ host, port, user, databaseName }: { host: string; port: number; user: string; databaseName: string }): string =>
  `database ${JSON.stringify(databaseName)} at ${host}:${port} as user ${JSON.stringify(user)}`;

export async function inspectTarget(connection: Connection): Promise<TargetState> {
  const databaseName = await connection.databaseName();
  try {
    const server = await connection.settle();
    return await connection.use(async (session) => ({
      place: describe(server.address),
      databaseName,
      systemIdentifier: await readIdentity(session),
      objects: await countObjects(session),
    }));
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'no-database') throw error;
    const { address } = await connection.maintenance();
    return { place: describe({ ...address, databaseName }), databaseName, systemIdentifier: null, objects: null };
  }
}

const nowhere = { encoding: null, collate: null, ctype: null, connections: null, properties: null };

/** `client` rejects where no program can read the archive: the survey says so, and goes on. */
export async function surveyTarget(connection: Connection, client: Promise<Installed>, details: BackupDetails): Promise<TargetSurvey> {
  const noProgram = client.then(
    () => null,
    (error: unknown) => asFailure(error).message,
  );
  const state = await inspectTarget(connection);
  const server = await (state.objects === null ? connection.maintenance() : connection.server());
  return during(server, async (session) => {
    const database = state.objects === null ? nowhere : await surveyDatabase(session);
    return { ...state, ...(await surveyServer(session, server.address.host, details)), ...database, noProgram: await noProgram };
  });
}
