/**
 * cli: `events audit`: who did what, from where. It writes nothing, and `events clear` hides nothing of it.
 */
import { Argument, type Command } from 'commander';
import { addCommand, positive, run } from '../../command.js';
import { width, type GlobalOptions, type Outcome } from '../../render.js';

async function audit(options: GlobalOptions, count = 20): Promise<Outcome> {
  const [{ openSight }, { listAudit }, { table }, { localTime, localZone }] = await Promise.all([
    import('../../../wire/sight.js'),
    import('../../../core/history/audit.js'),
    import('../../show/table.js'),
    import('../../../model/moment/here.js'),
  ]);
  const lines = await listAudit(await openSight(options), count);
  return {
    document: { audit: lines },
    text: (paint) => {
      if (lines.length === 0) return 'nobody has done anything yet';
      const head = [`AT (${localZone(lines.map(({ at }) => at))})`, 'WHO', 'FROM', 'DID', 'WITH'];
      const rows = lines.map(({ at, by, address, action, target, ok }) => [
        localTime(at),
        by,
        address,
        ok ? action : paint.red(`${action}: failed`),
        target,
      ]);
      return table(head, rows, { width: width(), paint });
    },
  };
}

/** Adds it to `events`. */
export function auditCommand(events: Command): void {
  addCommand(events, 'audit', 'who did what, from where: by the command line and by the API', {
    examples: [
      ['events audit', 'the newest twenty deeds'],
      ['events audit 500 --json', 'more of them, for a program'],
    ],
    exits: { 74: 'the ledger cannot be read' },
  })
    .addArgument(new Argument('[count]', 'how many').argParser(positive))
    .action(run(audit));
}
