/**
 * test: mutants of what keeps secrets in: where they are registered, where they are hidden, who may read them.
 */
import type { Mutant } from './mutant.js';

const out = 'a password stands in a log, an error or the ledger';

export const secrets: readonly Mutant[] = [
  {
    name: 'a secret that was read not registered',
    file: 'system/secrets.ts',
    edits: [['function registerAll(value: string): void {\n  registerSecret(value);', 'function registerAll(value: string): void {']],
    breaks: out,
    tests: ['system/secrets.test.ts'],
  },
  {
    name: 'the password inside a URL not registered by itself',
    file: 'system/secrets.ts',
    edits: [['  if (!password) return;', '  if (!password || value) return;']],
    breaks: out,
    tests: ['system/secrets.test.ts'],
  },
  {
    name: 'a line of a file of keys not registered',
    file: 'system/secrets.ts',
    edits: [["if (!line.startsWith('#')) registerAll(line.trim());", 'if (line === text) registerAll(line.trim());']],
    breaks: 'a private key stands in a log or an error',
    tests: ['system/secrets.test.ts'],
  },
  {
    name: 'the password of a passfile not registered',
    file: 'system/connection/passfile.ts',
    edits: [['registerSecret(password);', '']],
    breaks: out,
    tests: ['system/connection/parameters.test.ts'],
  },
  {
    name: "a secret in JSON's escapes not hidden",
    file: 'model/redact.ts',
    edits: [['    json,\n', '']],
    breaks: out,
    tests: ['model/redact.test.ts'],
  },
  {
    name: "a secret in a URL's escapes not hidden",
    file: 'model/redact.ts',
    edits: [['...urls.flatMap((url) => [url, ', '...urls.flatMap((url) => [']],
    breaks: out,
    tests: ['model/redact.test.ts'],
  },
  {
    name: 'a rest of a secret left beside the stars of another',
    file: 'model/redact.ts',
    edits: [['if (last && from < last[1]) last[1] = Math.max(last[1], to);', 'if (last && from < last[1]) last[1] = last[1];']],
    breaks: out,
    tests: ['model/redact.test.ts'],
  },
  {
    name: 'an unknown password in a URL not hidden',
    file: 'model/redact.ts',
    edits: [['.replace(userinfo, `$1${mark}@`)', '']],
    breaks: out,
    tests: ['model/redact.test.ts'],
  },
  {
    name: 'the cause of an error not redacted in the log',
    file: 'system/log.ts',
    edits: [
      [
        'return value instanceof Error ? redact(value.message) : value;',
        'return value instanceof Error ? { said: new String(value.message) } : value;',
      ],
    ],
    breaks: out,
    tests: ['system/log.test.ts'],
  },
  {
    name: 'facts of a line of the log not redacted',
    file: 'system/log.ts',
    edits: [["if (typeof value === 'string') return redact(value);", "if (typeof value === 'string') return value;"]],
    breaks: out,
    tests: ['system/log.test.ts'],
  },
  {
    name: 'what a program says not redacted',
    file: 'system/programs/exec.ts',
    edits: [["const said = redact(tail.toString('utf8').trim());", "const said = tail.toString('utf8').trim();"]],
    breaks: out,
    tests: ['system/programs/flow.test.ts', 'system/programs/programs.test.ts'],
  },
  {
    name: 'what a channel answers not redacted',
    file: 'core/notify/send.ts',
    edits: [['redact(text).slice(0, longestDetail)', 'text.slice(0, longestDetail)']],
    breaks: out,
    tests: ['core/notify/notify.test.ts'],
  },
  {
    name: 'our whole environment handed to every program',
    file: 'system/programs/exec.ts',
    edits: [['for (const name of passedOn) {', 'for (const name of [...passedOn, ...Object.keys(process.env)]) {']],
    breaks: 'a secret of ours stands in the environment of unrelated programs',
    tests: ['system/programs/flow.test.ts', 'system/programs/programs.test.ts'],
  },
  {
    name: 'a file with a secret that others may read taken',
    file: 'system/secrets.ts',
    edits: [['if (stats.mode & 0o077 && !keptByOthers(file))', 'if (stats.mode & 0o002 && !keptByOthers(file))']],
    breaks: 'a secret that everybody may read is used without a word',
    tests: ['system/secrets.test.ts'],
  },
  {
    name: 'a passfile that others may read taken',
    file: 'system/connection/passfile.ts',
    edits: [['if ((found.mode & 0o077) !== 0)', 'if ((found.mode & 0o007) !== 0 && file === null)']],
    breaks: 'a secret that everybody may read is used without a word',
    tests: ['system/connection/parameters.test.ts'],
  },
  {
    name: "tokens' hashes that others may read taken",
    file: 'system/files/tokens.ts',
    edits: [['if ((mode & 0o077) !== 0) refuse', 'if ((mode & 0o077) < 0) refuse']],
    breaks: 'others read or write who may do what',
    tests: ['system/files/tokens.test.ts'],
  },
  {
    name: 'a replaced file readable by others',
    file: 'system/files/files.ts',
    edits: [
      [
        'const fd = openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);',
        'const fd = openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);',
      ],
      ['      fchmodSync(fd, mode);\n', ''],
    ],
    breaks: 'others read the signing key',
    tests: ['system/files/files.test.ts'],
  },
];
