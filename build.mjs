/**
 * build: bundles src/ into dist/. It judges nothing: `npm run check` does.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { build } from 'esbuild';

const [out, version] = process.argv.slice(2);

const shared = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  define: { VERSION: JSON.stringify(version) },
  logLevel: 'warning',
};

/** pg asks whether it runs at Cloudflare by making a `Response`, for which Node 20 loads all of its fetch: 40 ms of each command that connects. */
const notAtCloudflare = {
  name: 'not-at-cloudflare',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/pg\/lib\/stream\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace("typeof Response === 'function'", 'false'),
    })),
};

/** The whole program, in pieces that are loaded when they are needed. */
const whole = {
  ...shared,
  entryPoints: ['src/cli/main.ts', 'src/index.ts'],
  outbase: 'src',
  outdir: out,
  format: 'esm',
  splitting: true,
  plugins: [notAtCloudflare],
  external: ['pg-native', 'cosmiconfig'],
  banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
};

/** What a command imports when it works, left out where it only says what it is. */
const described = {
  name: 'described',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^\./ }, ({ kind, path, importer }) => {
      const works = /\/cli\/(?:commands\/|work\.ts$)|\/config\/load\.ts$/.test(importer);
      const isLight = ['events.ts', 'audit.ts', 'active.ts', 'statistics.ts'].includes(basename(importer));
      return kind === 'dynamic-import' && works && !isLight ? { path, external: true } : undefined;
    }),
};

/** Node's own that cost milliseconds, loaded when something of them is first asked for. */
const later = {
  name: 'later',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(node:)?(child_process|crypto|zlib|os|tty|readline|net|timers\/promises)$/ }, ({ path, namespace }) =>
      namespace === 'later' ? undefined : { path, namespace: 'later' },
    );
    // chalk is told what the terminal can: it need not find out
    onResolve({ filter: /^#supports-color$/ }, ({ path }) => ({ path, namespace: 'later' }));
    onLoad({ filter: /^#supports-color$/, namespace: 'later' }, () => ({ contents: 'export default { stdout: false, stderr: false }' }));
    // esbuild's import of a module without keys of its own asks its prototype
    onLoad({ filter: /./, namespace: 'later' }, ({ path }) => ({
      contents: `let loaded; module.exports = Object.create(new Proxy({}, { get: (_, name) => Reflect.get((loaded ??= require('${path}')), name) }))`,
    }));
  },
};

/** One file each for what must start at once; `require` reads one in a fraction of the time of an import, and Node's own modules too. */
const quick = ['quick', 'light'].map((name) => ({
  ...shared,
  entryPoints: [name === 'light' ? 'src/cli/main.ts' : 'src/cli/quick.ts'],
  outfile: `${out}/cli/${name}.cjs`,
  format: 'cjs',
  plugins: [described, later],
  external: ['cosmiconfig', 'ora'],
}));

await Promise.all([whole, ...quick].map((options) => build(options)));
