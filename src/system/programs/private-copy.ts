/**
 * system: a private copy of the distribution's PostgreSQL and zstd, in a cache folder of our own. Installs nothing, needs no
 * root, and leaves the system's package state as it is.
 */
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../../model/errors.js';
import { capture } from './exec.js';
import { everyoneMayEnter, isTrusted, look, mayWrite, ourUid, upwards } from '../files/folders.js';
import { onPath } from '../files/path.js';

const command = 'sudo apt-get install postgresql zstd';
const packages = ['postgresql', 'zstd'];
/** Fetched as dependencies, used by nothing that we run: the largest of them is LLVM, for a compiler that stays off. */
const unneeded = /^(libllvm|libclang|perl|libperl|postgresql-common|ssl-cert|locales|tzdata|libgdbm|netbase|ucf|sensible-utils)/;
const patience = 15 * 60_000;

/** `debian-12-x64`: a copy serves the release that it was fetched for. */
function release(): string {
  try {
    const text = readFileSync('/etc/os-release', 'utf8');
    const value = (key: string) => new RegExp(`^${key}="?([\\w.-]+)"?$`, 'm').exec(text)?.[1] ?? '';
    return [value('ID') || 'linux', value('VERSION_ID') || value('VERSION_CODENAME'), process.arch].filter(Boolean).join('-');
  } catch {
    return `${process.platform}-${process.arch}`;
  }
}

const temporary = (env: NodeJS.ProcessEnv): string => env['TMPDIR'] ?? tmpdir();

/** Where a copy may lie, best first. Root's must be open to the unprivileged account that the server runs under. */
function candidates(env: NodeJS.ProcessEnv): string[] {
  const { HOME: home, XDG_CACHE_HOME: named } = env;
  const usual = [home && join(home, '.cache'), ourUid() === 0 ? '/var/cache' : undefined];
  const bases = (named ? [named] : usual).filter((base): base is string => base?.startsWith('/') === true);
  return [...bases.map((base) => join(base, 'backup-automation')), join(temporary(env), `backup-automation-${ourUid()}`)];
}

/** Whether a folder can be made there that is ours from then on. */
function isUsable(folder: string, env: NodeJS.ProcessEnv): boolean {
  if (ourUid() === 0 && !everyoneMayEnter(folder)) return false;
  if (look(folder)) return isTrusted(folder) && mayWrite(folder);
  const above = [...upwards(folder)].find((each) => look(each) !== null);
  const found = above === undefined ? null : look(above);
  // below a home folder that is somebody else's nothing of ours is made; the temp folder is everybody's
  return above !== undefined && mayWrite(above) && (found?.uid === ourUid() || above === temporary(env));
}

/** The folders of programs of copies that were fetched before. */
export function privateDirectories(env: NodeJS.ProcessEnv): string[] {
  return candidates(env)
    .filter((folder) => isTrusted(folder))
    .map((folder) => join(folder, release(), 'bin'))
    .filter((bin) => look(bin)?.isDirectory() === true);
}

const impossible = (reason: string): Failure =>
  new Failure('server-missing', `PostgreSQL was not found, and a private copy cannot be had: ${reason}`, {
    hint: `type \`${command}\`, then repeat`,
  });

/** Every folder that apt writes to is ours; what it knows of installed packages is the system's. Hooks of the system stay out. */
const aptConfiguration = (work: string): string => `
Dir::State "${work}/state";
Dir::State::lists "${work}/state/lists";
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "${work}/cache";
Dir::Cache::archives "${work}/cache/archives";
Dir::Log "${work}";
Debug::NoLocking "true";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::Retries "2";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Pre-Install-Pkgs;
#clear DPkg::Post-Invoke;
`;

export interface FetchRequest {
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** Hears what takes long, a line each. */
  readonly say: (line: string) => void;
}

/** Returns what the program complained about; throws when it failed, with that and the `earlier` complaints. */
async function must(
  file: string,
  args: readonly string[],
  { env, signal }: FetchRequest,
  earlier: readonly string[] = [],
): Promise<string[]> {
  signal.throwIfAborted();
  const passed = Object.entries(env).filter(([name]) => /^((https?|ftp|no|all)_proxy|APT_CONFIG)$/i.test(name));
  const own = Object.fromEntries(passed.map(([name, value]) => [name, value ?? '']));
  const { exitCode, stdout, stderr } = await capture(file, args, { env: own, signal, timeoutMs: patience });
  signal.throwIfAborted();
  const complaints = [...earlier, ...`${stderr}\n${stdout}`.split('\n').filter((line) => /^([EW]:|dpkg|tar)/.test(line))];
  if (exitCode !== 0) throw impossible([`${file} ended with ${exitCode ?? 'a signal'}`, ...complaints.slice(0, 3)].join(', '));
  return complaints;
}

/** Downloads the packages that are missing here; returns their files. */
async function download(work: string, request: FetchRequest): Promise<string[]> {
  const apt = onPath('apt-get', request.env);
  if (!apt) throw impossible('there is no apt-get');
  const archives = join(work, 'cache', 'archives');
  await mkdir(join(archives, 'partial'), { recursive: true });
  await mkdir(join(work, 'state', 'lists', 'partial'), { recursive: true });
  const file = join(work, 'apt.conf');
  await writeFile(file, aptConfiguration(work));
  request.say('reading the list of packages (apt-get update, in a folder of our own)');
  const complaints = await must(apt, ['-c', file, '-qq', 'update'], request);
  request.say(`downloading ${packages.join(' and ')} (nothing is installed)`);
  await must(apt, ['-c', file, '-qq', '--yes', '--download-only', 'install', ...packages], request, complaints);
  const names = (await readdir(archives)).filter((name) => name.endsWith('.deb') && !unneeded.test(name));
  return names.map((name) => join(archives, name));
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** A small script for each program: its libraries are in the copy too. `home` is where the copy will lie. */
async function writeWrappers(copy: string, home: string): Promise<void> {
  const list = async (folder: string) => (await readdir(join(copy, folder)).catch(() => [])).map((name) => join(folder, name));
  const libraries = [...(await list('usr/lib')), ...(await list('lib'))].filter((path) => /-linux-[^/]*$/.test(path));
  const versions = await list('usr/lib/postgresql');
  const programs = [...(await Promise.all(versions.map((version) => list(`${version}/bin`)))).flat(), 'usr/bin/zstd'];
  const path = libraries.map((library) => join(home, library)).join(':');
  await mkdir(join(copy, 'bin'));
  await chmod(join(copy, 'bin'), 0o755);
  for (const program of programs.filter((each) => look(join(copy, each)) !== null)) {
    const script = `#!/bin/sh\nLD_LIBRARY_PATH=${quoted(path)}\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}\nexport LD_LIBRARY_PATH\nexec ${quoted(join(home, program))} "$@"\n`;
    const file = join(copy, 'bin', program.slice(program.lastIndexOf('/') + 1));
    await writeFile(file, script);
    await chmod(file, 0o755);
  }
}

const works = async (bin: string): Promise<boolean> =>
  (await capture(join(bin, 'postgres'), ['--version'], { timeoutMs: 10_000 })).exitCode === 0;

/** Puts the copy in its place by one rename. Whoever comes second keeps what the first one put there, if that works. */
async function settle(copy: string, home: string): Promise<void> {
  try {
    await rename(copy, home);
  } catch {
    if (await works(join(home, 'bin'))) return;
    await rename(home, `${copy}-old`);
    await rename(copy, home);
    await rm(`${copy}-old`, { recursive: true, force: true });
  }
}

/**
 * Fetches the copy and returns its folder of programs. Safe when two processes do it at once. Throws `server-missing` with the one
 * command to type where it is impossible: no apt-get, no network, nowhere to write.
 */
export async function fetchPrivateCopy(request: FetchRequest): Promise<string> {
  const { env } = request;
  const folder = candidates(env).find((each) => isUsable(each, env));
  if (!folder) throw impossible(`no cache folder can be written (${candidates(env).join(', ')})`);
  const dpkg = onPath('dpkg', env);
  if (!dpkg) throw impossible('there is no dpkg');
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o755);
  if (!isTrusted(folder)) throw impossible(`others may write ${folder}`);
  const home = join(folder, release());
  const work = await mkdtemp(join(temporary(env), 'backup-automation-fetch-'));
  const copy = await mkdtemp(`${home}-`);
  try {
    for (const file of await download(work, request)) await must(dpkg, ['-x', file, copy], request);
    await chmod(copy, 0o755);
    await writeWrappers(copy, home);
    await settle(copy, home);
  } finally {
    await rm(work, { recursive: true, force: true });
    await rm(copy, { recursive: true, force: true });
  }
  const bin = join(home, 'bin');
  if (!(await works(bin))) throw impossible(`what was fetched to ${home} does not run here`);
  return bin;
}
