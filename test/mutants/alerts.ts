/**
 * test: mutants of alerts: who is told, that it is told, and what is said when it cannot be.
 */
import type { Mutant } from './mutant.js';

const untold = 'an alert is lost, and nobody knows';
const tests = ['core/notify/notify.test.ts'];

export const alerts: readonly Mutant[] = [
  {
    name: 'delivered before it was sent',
    file: 'core/notify/send.ts',
    edits: [
      [
        '    const record = await sendWithin(',
        "    await context.ledger.appendFact({ ...recordOf(entry, channel.name), ok: true, dead: false, detail: '', notBefore: null });\n    const record = await sendWithin(",
      ],
    ],
    breaks: untold,
    tests,
  },
  {
    name: 'refused taken for delivered',
    file: 'core/notify/send.ts',
    edits: [['return { ...recordOf(entry, name), ok: false, dead, detail', 'return { ...recordOf(entry, name), ok: true, dead, detail']],
    breaks: untold,
    tests,
  },
  {
    name: 'a delivery not written down',
    file: 'core/notify/send.ts',
    edits: [
      [
        '    await context.ledger.appendFact(record);\n    deliveries.push({ record, message });',
        '    deliveries.push({ record, message });',
      ],
    ],
    breaks: 'the same alert comes again and again',
    tests,
  },
  {
    name: 'given up at the first refusal',
    file: 'core/notify/send.ts',
    edits: [["failure.class === 'permanent' || isGivenUp(", "failure.class !== 'busy' || isGivenUp("]],
    breaks: untold,
    tests,
  },
  {
    name: 'never given up',
    file: 'model/alert/owed.ts',
    edits: [
      ['now.getTime() - Date.parse(entry.at) >= giveUpAfter * hour', 'now.getTime() - Date.parse(entry.at) >= Infinity * giveUpAfter'],
    ],
    breaks: 'nobody hears that the channels have been down for days',
    tests,
  },
  {
    name: 'what was given up said to nobody else',
    file: 'model/alert/fold.ts',
    edits: [["if (entry?.alert.kind !== 'undelivered') report(", "if (entry?.alert.kind === 'undelivered') report("]],
    breaks: untold,
    tests,
  },
  {
    name: 'waits between tries without bound',
    file: 'model/alert/owed.ts',
    edits: [['Math.min(hour, msPerMinute * 2 ** Math.min(tries - 1, 10))', 'msPerMinute * 2 ** (tries - 1)']],
    breaks: 'a channel that is back is told days later',
    tests: ['model/alert/owed.test.ts'],
  },
  {
    name: 'Retry-After ignored',
    file: 'core/notify/send.ts',
    edits: [['failure.retryAfter ?? 0', '0']],
    breaks: 'a receiver that asks to be left alone is not',
    tests,
  },
  {
    name: 'the last word first',
    file: 'model/alert/owed.ts',
    edits: [["if (alert.kind !== 'recovered') return false;", "if (alert.kind !== 'recovered' || problem !== '') return false;"]],
    breaks: 'a recovery is told before the problem',
    tests,
  },
  {
    name: 'a fall-back never asked',
    file: 'model/alert/owed.ts',
    edits: [
      [
        'return !route.fallback || entry.channels !== null || isRefused(state, routes, entry);',
        'return !route.fallback || entry.channels !== null;',
      ],
    ],
    breaks: untold,
    tests,
  },
  {
    name: 'a flood not gathered',
    file: 'model/alert/owed.ts',
    edits: [['recent.length + gathered.length <= digestAbove', 'recent.length + gathered.length <= digestAbove * 1000']],
    breaks: 'a thousand failures are a thousand messages',
    tests,
  },
  {
    name: 'a lasting problem not reminded of',
    file: 'model/alert/due.ts',
    edits: [['isOlder(toldAt, age, facts.now) &&', 'isOlder(toldAt, age * 1000, facts.now) &&']],
    breaks: 'a problem that lasts is forgotten',
    tests,
  },
  {
    name: 'two processes tell at once',
    file: 'core/notify.ts',
    edits: [['const lock = await context.locks.claimAlerts(Math.floor(options.budget / 3000));', 'const lock = { release: () => {} };']],
    breaks: 'an alert is told twice',
    tests,
  },
  {
    name: 'a full state directory told to nobody',
    file: 'core/notify/direct.ts',
    edits: [["if (failure.code === 'ledger') await tellDirectly", "if (failure.code === 'internal') await tellDirectly"]],
    breaks: untold,
    tests: ['core/notify/direct.test.ts'],
  },
  {
    name: 'a failing alert is exit 0',
    file: 'core/notify.ts',
    edits: [['failure: done.failure ?? untold }', 'failure: untold === null ? done.failure : done.failure }']],
    breaks: untold,
    tests: ['faults/alerts.test.ts'],
  },
  {
    name: 'a redirect taken for an answer',
    file: 'channels/post.ts',
    edits: [
      [
        'if (answer.status >= 200 && answer.status < 300) return answer;',
        'if (answer.status >= 200 && answer.status < 400) return answer;',
      ],
    ],
    breaks: 'an alert with its secrets goes to another host, or nowhere',
    tests: ['channels/webhook.test.ts'],
  },
  {
    name: "Slack's 200 with an error taken for good",
    file: 'channels/slack.ts',
    edits: [["if (body.trim() === 'ok') return", 'if (status === 200) return']],
    breaks: untold,
    tests: ['channels/slack.test.ts', 'channels/hosted.test.ts'],
  },
  {
    name: 'what a channel left running not ended',
    file: 'system/programs/exec.ts',
    edits: [["if (options.alone) child.once('exit', end);", '']],
    breaks: 'what a command of an alert starts piles up',
    tests: ['channels/command.test.ts'],
  },
];
