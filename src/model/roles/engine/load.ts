/**
 * model: the other half of the Engine role, a database put back: what is asked, what is given, and where it may go.
 */
import type { ArchiveForm, BackupDetails, Fingerprint, TableCount } from '../../backup/backup.js';
import type { DatabaseProperties } from '../../backup/properties.js';
import type { Stage } from '../flow.js';
import type { Database } from './dump.js';

export interface LoadRequest {
  readonly eventId: string;
  readonly details: BackupDetails;
  readonly create: boolean;
  readonly noOwner: boolean;
  /** Makes the roles that the archive names and the target lacks; only for a scratch server. */
  readonly createRoles: boolean;
  /** For proof alone: everything into the target's own tablespace. */
  readonly noTablespaces?: boolean | undefined;
  /** Major version of the program that wrote the archive. */
  readonly archiveMajor: number;
  readonly form: ArchiveForm;
  /** Drops what the archive holds before it is made anew, all in one transaction: on failure the target is as it was. */
  readonly replace: boolean;
  /** These tables, in these schemas, or all of these schemas, with what belongs to them; else everything. */
  readonly parts?: { readonly tables: readonly string[]; readonly schemas: readonly string[] } | undefined;
  /** Connections that load at once; 1 when left out. */
  readonly jobs?: number | undefined;
  /** Does everything as this role. */
  readonly role?: string | undefined;
  /** What the decoded archive may take on the disk, bytes, where it must be kept for `parts` or `jobs`, or as a directory; null when unknown. */
  readonly expectedSize?: number | null;
  readonly signal: AbortSignal;
}

export interface CheckRequest {
  /** Of a claimed run, whose private folder may be used. */
  readonly eventId: string;
  readonly kind: 'database' | 'globals';
  readonly form: ArchiveForm;
  /** As for a load. */
  readonly expectedSize: number | null;
}

export interface Load {
  /** They take the archive in to its end. Fill the target with it, or keep it for `finish`. */
  readonly stages: readonly Stage[];
  /** Fills the target with what was kept, if so. Resolves to those of the fingerprint's tables that parts filled; null: everything. */
  finish(): Promise<readonly TableCount[] | null>;
  /** Takes away what `finish` filled the target with, and fills it once more, by one connection. Resolves to the same as `finish`. */
  again(): Promise<readonly TableCount[] | null>;
  /** What was counted in the target after all that ended well; of parts only their tables. */
  fingerprint(): Promise<Fingerprint>;
  close(): Promise<void>;
}

export interface TargetState {
  /** Host, port, user and database in words, without a secret. */
  readonly place: string;
  readonly databaseName: string;
  readonly systemIdentifier: string | null;
  /** Relations and the like that a user made; null: the database does not exist. */
  readonly objects: number | null;
}

/** Everything that a restore needs to be there. */
export interface TargetSurvey extends TargetState {
  readonly serverVersion: string;
  readonly serverMajor: number;
  readonly user: { readonly name: string; readonly superuser: boolean; readonly createdb: boolean; readonly memberOf: readonly string[] };
  readonly roles: readonly string[];
  readonly tablespaces: readonly string[];
  /** Those that the server can make; `installed` in the target, where that exists. */
  readonly extensions: readonly {
    readonly name: string;
    readonly versions: readonly string[];
    readonly defaultVersion: string | null;
    readonly installed: string | null;
    /** Not only a superuser may make it. */
    readonly trusted: boolean;
  }[];
  /** Whether the server knows the collation and character type of the backup. */
  readonly knowsLocale: boolean;
  /** Of the target; null where it does not exist. */
  readonly encoding: string | null;
  readonly collate: string | null;
  readonly ctype: string | null;
  /** Sessions of others in the target. */
  readonly connections: number | null;
  /** Its own; null where it does not exist. */
  readonly properties: DatabaseProperties | null;
  /** Where the server keeps its data; null where that cannot be seen from here. */
  readonly freeBytes: number | null;
  /** Why there is no program that restores the archive, in words; null: there is. */
  readonly noProgram: string | null;
}

/** An empty database to restore into for proof. */
export interface Scratch {
  readonly database: Database;
  /** Its whole server goes with it: roles may be made there. */
  readonly throwaway: boolean;
  /** Why commands that the database may hold are not kept from running; null: they are, or it is not our server. */
  readonly uncaged: string | null;
  close(): Promise<void>;
}
