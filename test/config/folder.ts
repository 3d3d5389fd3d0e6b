/**
 * test: a folder of the test's own with a configuration file in it, loaded without anything of this machine's environment.
 */
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { loadConfig, type LoadedConfig } from '../../src/config/load.js';
import { ConfigurationFailure, type Problem } from '../../src/config/problem.js';

/** Removed when the test is over. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'backup-automation-config-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes the file (0600) and returns its path. */
export function write(folder: string, content: string | Buffer | object, name = 'backup-automation.config.json'): string {
  const file = join(folder, name);
  const whole = typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content);
  writeFileSync(file, whole, { mode: 0o600 });
  return file;
}

export interface Layers {
  readonly file?: string | Buffer | object;
  readonly env?: NodeJS.ProcessEnv;
  readonly set?: readonly string[];
}

/** The configuration of a new folder that holds `file`. */
export function load({ file, env = {}, set = [] }: Layers): Promise<LoadedConfig> {
  const cwd = temporaryFolder();
  if (file !== undefined) write(cwd, file);
  return loadConfig({ set }, { env, cwd });
}

/** What is wrong; fails the test when nothing is, or when it is no configuration failure. */
export async function problems(layers: Layers): Promise<readonly Problem[]> {
  try {
    await load(layers);
  } catch (error) {
    if (error instanceof ConfigurationFailure) return error.problems;
    throw error;
  }
  throw new Error('the configuration was taken');
}
