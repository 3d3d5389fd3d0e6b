/**
 * model: samples as text, exactly by Prometheus' text format 0.0.4: one group a metric, its help and type before it. Measures nothing.
 */
import { metrics, prefix, type LabelsOf, type MetricName } from './names.js';

/** One line: `name` is whole, with `_bucket` and the like. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric with all its samples. */
export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** Durations counted in classes. */
export interface Histogram {
  /** How many lie in each class of `bounds`, and at last above them all. */
  readonly counts: readonly number[];
  readonly sum: number;
}

const nameOf = (name: MetricName): string => `${prefix}${name}`;

/** Collects samples; the order of the metrics is that of their table. */
export class Page {
  private readonly samples = new Map<MetricName, Sample[]>();

  add<N extends MetricName>(name: N, labels: LabelsOf<N>, value: number): void {
    this.put(name, { name: nameOf(name), labels, value });
  }

  /** `counts` are made to add up, as the format asks for. */
  addHistogram<N extends MetricName>(name: N, labels: LabelsOf<N>, bounds: readonly number[], { counts, sum }: Histogram): void {
    let total = 0;
    for (const [index, bound] of [...bounds, Infinity].entries()) {
      total += counts[index] ?? 0;
      this.put(name, { name: `${nameOf(name)}_bucket`, labels: { ...labels, le: numberText(bound) }, value: total });
    }
    this.put(name, { name: `${nameOf(name)}_sum`, labels, value: sum });
    this.put(name, { name: `${nameOf(name)}_count`, labels, value: total });
  }

  /** Every metric of the table, also those without a sample. */
  families(): Family[] {
    // the table is all there is of names
    const names = Object.keys(metrics) as MetricName[];
    return names.map((name) => {
      const { type, help } = metrics[name];
      return { name: nameOf(name), type, help, samples: this.samples.get(name) ?? [] };
    });
  }

  private put(name: MetricName, sample: Sample): void {
    const known = this.samples.get(name);
    if (known) known.push(sample);
    else this.samples.set(name, [sample]);
  }
}

const numberText = (value: number): string => (Math.abs(value) === Infinity ? `${value > 0 ? '+' : '-'}Inf` : String(value));
const inHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
const inLabel = (text: string): string => inHelp(text).replaceAll('"', '\\"');

function line({ name, labels, value }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${inLabel(text)}"`);
  return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${numberText(value)}\n`;
}

/** For a scrape: served as `text/plain; version=0.0.4; charset=utf-8`. */
export const exposition = (families: readonly Family[]): string =>
  families
    .map(({ name, type, help, samples }) => `# HELP ${name} ${inHelp(help)}\n# TYPE ${name} ${type}\n${samples.map(line).join('')}`)
    .join('');
