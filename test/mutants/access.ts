/**
 * test: mutants of the REST API: who may come in, who may do what, what is told, what is written down.
 */
import type { Mutant } from './mutant.js';

const access = ['api/access.test.ts'];
const open = 'who has no right gets in';

export const api: readonly Mutant[] = [
  {
    name: 'a token compared by its beginning',
    file: 'core/tokens.ts',
    edits: [["createHash('sha256').update(token).digest()", "createHash('sha256').update(token.slice(0, 24)).digest()"]],
    breaks: open,
    tests: ['core/tokens.test.ts'],
  },
  {
    name: 'a token compared without regard to case',
    file: 'core/tokens.ts',
    edits: [["createHash('sha256').update(token).digest()", "createHash('sha256').update(token.toLowerCase()).digest()"]],
    breaks: open,
    tests: ['core/tokens.test.ts'],
  },
  {
    name: 'a token that is over still good',
    file: 'core/tokens.ts',
    edits: [['return found && !isExpired(found, now) ? found : null;', 'return found && now ? found : null;']],
    breaks: open,
    tests: ['core/tokens.test.ts'],
  },
  {
    name: 'a token kept as itself',
    file: 'core/tokens.ts',
    edits: [
      ['const kept: Token = { id: newId(), name, role,', 'const kept: Token & { token: string } = { token, id: newId(), name, role,'],
    ],
    breaks: 'who reads the file of tokens has them',
    tests: access,
  },
  {
    name: 'roles ignored',
    file: 'api/door/access.ts',
    edits: [['if (mayDo(caller.role, role)) return;', 'if (mayDo(caller.role, role) || role !== null) return;']],
    breaks: open,
    tests: access,
  },
  {
    name: 'a role may do what the next one may',
    file: 'model/access/token.ts',
    edits: [['roles.indexOf(has) >= roles.indexOf(needed)', 'roles.indexOf(has) + 1 >= roles.indexOf(needed)']],
    breaks: open,
    tests: access,
  },
  {
    name: 'the Host header not checked',
    file: 'api/door/access.ts',
    edits: [['if (!isOurs(settings, request, request.host)) throw new Refusal(421);', '']],
    breaks: "a foreign page reaches the API under its own name in an operator's browser",
    tests: access,
  },
  {
    name: 'a name taken by its beginning',
    file: 'api/door/hosts.ts',
    edits: [['names.some((one) => one.toLowerCase() === name)', 'names.some((one) => name.startsWith(one.toLowerCase()))']],
    breaks: "a foreign page reaches the API under its own name in an operator's browser",
    tests: access,
  },
  {
    name: 'the Origin not checked',
    file: 'api/door/access.ts',
    edits: [["if (!['GET', 'HEAD', 'OPTIONS'].includes(request.method) && isForeign(settings, request)) throw new Refusal(403);", '']],
    breaks: 'a foreign page changes something',
    tests: access,
  },
  {
    name: 'guesses not counted',
    file: 'api/door/access.ts',
    edits: [['await slowGuesses(request, reply);', 'void slowGuesses;']],
    breaks: 'tokens can be guessed as fast as the server answers',
    tests: access,
  },
  {
    name: 'guesses counted for all together',
    file: 'api/door/access.ts',
    edits: [
      [
        'const slowGuesses = counter(app, mostGuesses, ({ ip }) => `guess ${ip}`);',
        "const slowGuesses = counter(app, mostGuesses, () => 'guess');",
      ],
    ],
    breaks: 'who guesses locks others out',
    tests: access,
  },
  {
    name: 'X-Forwarded-For of anybody believed',
    file: 'api/server.ts',
    edits: [
      [
        'settings.trustedProxy.length > 0 ? settings.trustedProxy : false',
        'settings.trustedProxy.length > 0 ? settings.trustedProxy : true',
      ],
    ],
    breaks: 'who guesses is another one each time, and the audit trail names whom he likes',
    tests: access,
  },
  {
    name: 'prune over the API without being allowed',
    file: 'api/routes/backups.ts',
    edits: [["if (!tools.settings.allowPrune) throw new Refusal(403, { detail: 'api.allowPrune is not set' });", '']],
    breaks: 'a stolen token removes backups',
    tests: access,
  },
  {
    name: 'any key of the configuration writable over the API',
    file: 'api/routes/config.ts',
    edits: [['const configuration = z.strictObject(configurationShape);', 'const configuration = z.looseObject(configurationShape);']],
    breaks: 'a token leads alerts and backups wherever its holder likes',
    tests: access,
  },
  {
    name: 'a change of the configuration not in the audit trail',
    file: 'api/routes/config.ts',
    edits: [
      [
        "          await context.ledger.appendFact({ record: 'configuration', key, by: caller.by, address: caller.address });",
        '          void [context, key];',
      ],
    ],
    breaks: 'nobody knows who did it',
    tests: access,
  },
  {
    name: 'a new token not in the audit trail',
    file: 'core/tokens.ts',
    edits: [
      ["  await ledger.appendFact({ record: 'audit', ...actor, action: 'token create', target: `${name} (${role})`, ok: true });", ''],
    ],
    breaks: 'nobody knows who did it',
    tests: ['core/tokens.test.ts'],
  },
  {
    name: 'a key that was used opens another event',
    file: 'api/routes/execute.ts',
    edits: [['return known.length > 0 ? known : begin(', 'return known.length > 1000 ? known : begin(']],
    breaks: 'a request that is repeated backs up twice',
    tests: ['api/runs.test.ts'],
  },
  {
    name: 'a key taken for another request too',
    file: 'api/routes/execute.ts',
    edits: [['if (events.some(({ requestKey }) => requestKey !== `${own}.${content}`))', 'if (events.length > 1000)']],
    breaks: 'a request is answered with what another one did',
    tests: ['api/runs.test.ts'],
  },
  {
    name: 'an error of the server told as it is',
    file: 'api/problem.ts',
    edits: [["const told = status < 500 || failure.code === 'configuration';", 'const told = status < 600;']],
    breaks: 'names of hosts and users are told to whoever asks',
    tests: ['api/problem.test.ts'],
  },
  {
    name: 'paths of this machine told',
    file: 'api/problem.ts',
    edits: [["harmless(redact(text)).replace(path, '…')", 'harmless(redact(text))']],
    breaks: 'where things lie on the machine is told to whoever asks',
    tests: ['api/problem.test.ts'],
  },
  {
    name: 'connections without end',
    file: 'api/door/connections.ts',
    edits: [['if (lines.size >= most && !makeRoom())', 'if (lines.size >= most * 1000 && !makeRoom())']],
    breaks: 'idle connections keep everybody out',
    tests: ['api/limits.test.ts'],
  },
  {
    name: 'a head that does not end waited for',
    file: 'api/server.ts',
    edits: [['const headTime = 10_000;', 'const headTime = 30_000;']],
    breaks: 'slow connections keep everybody out',
    tests: ['api/limits.test.ts'],
  },
];
