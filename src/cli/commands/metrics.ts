/**
 * cli: `metrics`: the state of all backups as Prometheus reads it, on stdout or in a file. It writes nothing else.
 */
import type { Command } from 'commander';
import type { Family } from '../../model/metrics/exposition.js';
import { addCommand, run } from '../command.js';
import type { GlobalOptions, Outcome } from '../render.js';

/** JSON has neither NaN nor Inf. */
const documentOf = ({ samples, ...family }: Family) => ({
  ...family,
  samples: samples.map((sample) => ({ ...sample, value: Number.isFinite(sample.value) ? sample.value : null })),
});

async function metrics(options: GlobalOptions & { readonly output?: string }): Promise<Outcome> {
  const [{ makeContext }, { openMetrics }, { exposition }, { writeReport }] = await Promise.all([
    import('../../wire.js'),
    import('../../core/metrics.js'),
    import('../../model/metrics/exposition.js'),
    import('../../wire/report.js'),
  ]);
  const { context } = await makeContext(options);
  const families = await openMetrics(context).families();
  const text = exposition(families);
  const file = options.output === undefined ? null : writeReport(options.output, text);
  return { document: { metrics: families.map(documentOf), file }, text: () => (file === null ? text : '') };
}

export function metricsCommand(program: Command): void {
  addCommand(program, 'metrics', 'print the state of all backups for Prometheus', {
    examples: [
      ['metrics', 'every metric in the text format of Prometheus'],
      [
        'metrics --output /var/lib/prometheus/node-exporter/backup-automation.prom',
        'for the textfile collector of node_exporter, each minute',
      ],
      ['metrics --json', 'the same for a program: name, type, help and samples, null for NaN'],
    ],
    exits: { 2: 'the file cannot be written', 10: 'configuration', 74: 'the ledger cannot be read' },
  })
    .option('--output <file>', 'write it to this file, in one step, for everybody to read')
    .action(run(metrics));
}
