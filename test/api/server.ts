/**
 * test: a real server in a process of its own on loopback, its tokens, and requests to it, well formed and not.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { ChildProcess } from 'node:child_process';
import { lab, type Lab, type Settings } from '../fixtures/lab.js';
import { startCli } from '../fixtures/cli.js';

export const base = '/api/backup-automation';

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Undefined where it is no JSON. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

export interface AskOptions {
  readonly token?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TestServer {
  readonly project: Lab;
  readonly url: string;
  readonly port: number;
  readonly tokens: Readonly<Record<'read' | 'operate' | 'admin', string>>;
  readonly child: ChildProcess;
  /** What it said on stderr. */
  said(): string;
  /** Below the base of the API when it does not begin with `/`; as admin. */
  ask(method: string, path: string, options?: AskOptions): Promise<Answered>;
  /** Sends bytes as they are; resolves to all that came back until the other side closed or was silent for `patience` ms. */
  raw(bytes: string | Buffer, patience?: number): Promise<{ text: string; closed: boolean }>;
  /** Ends it by a signal; resolves to its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** A token by the command line. */
async function tokenFor(project: Lab, role: string): Promise<string> {
  const { document } = await project.json(['token', 'create', '--name', `the-${role}`, '--role', role]);
  return String(document['token']);
}

export interface ServerOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export async function startServer(project: Lab, options: ServerOptions = {}, known?: TestServer['tokens']): Promise<TestServer> {
  const tokens = known ?? {
    read: await tokenFor(project, 'read'),
    operate: await tokenFor(project, 'operate'),
    admin: await tokenFor(project, 'admin'),
  };
  const { child, done } = startCli(['serve', ...(options.args ?? [])], { cwd: project.directory, env: { ...project.env, ...options.env } });
  let said = '';
  child.stderr?.on('data', (text: string) => (said += text));
  const early = done.then(({ exitCode, stderr }) => {
    if (!/listening on/.test(said)) throw new Error(`it did not start: ${exitCode} ${stderr}`);
  });
  early.catch(() => {});
  while (!/listening on \S+/.test(said)) await Promise.race([once(child.stderr ?? child, 'data'), early]);
  const url = /listening on ([^\s,]+)/.exec(said)?.[1] ?? '';
  const port = Number(new URL(url).port);
  return {
    project,
    url,
    port,
    tokens,
    child,
    said: () => said,
    async ask(method, path, { token = tokens.admin, body, headers = {} } = {}) {
      const target = `${url}${path.startsWith('/') ? path : `${base}/${path}`}`;
      const given = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
      const all = new Headers(body === undefined ? {} : { 'content-type': 'application/json' });
      if (token !== '') all.set('authorization', `Bearer ${token}`);
      for (const [name, value] of Object.entries(headers)) all.set(name, value);
      const response = await fetch(target, { method, headers: all, ...given, redirect: 'manual' });
      const text = await response.text();
      const json = /json/.test(response.headers.get('content-type') ?? '');
      return { status: response.status, headers: response.headers, text, body: json ? (JSON.parse(text) as Answered['body']) : undefined };
    },
    raw: (bytes, patience = 2000) =>
      new Promise((resolve) => {
        const socket = connect(port, '127.0.0.1');
        let text = '';
        const end = (closed: boolean) => {
          socket.destroy();
          resolve({ text, closed });
        };
        socket.setTimeout(patience, () => end(false));
        socket.setEncoding('latin1').on('data', (more: string) => (text += more));
        socket.on('error', () => end(true)).on('close', () => end(true));
        socket.write(bytes);
      }),
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return (await done).exitCode;
    },
  };
}

/** A project whose database is not there: what does not need one works all the same. */
export const bareLab = (more: Settings = {}): Lab =>
  lab(
    { shop: { host: '/nowhere', user: 'nobody', database: 'shop' } },
    {
      stateDirectory: './state',
      schedules: { nightly: { cron: '0 2 * * *' } },
      ...more,
      api: { port: 0, rateLimit: 1_000_000, ...more.api },
    },
  );
