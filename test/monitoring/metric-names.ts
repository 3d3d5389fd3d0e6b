/** test: which metrics and labels an expression of PromQL names, as far as ours go. */
import { metrics } from '../../src/model/metrics/names.js';

/** What a scrape adds, and what a histogram has. */
const added = ['job', 'instance', 'le'];
const suffix = /_(bucket|sum|count)$/;

const definitionOf = (name: string) => {
  const known = Object.entries(metrics).find(([one, { type }]) => one === (type === 'histogram' ? name.replace(suffix, '') : name));
  return known?.[1];
};

/** What is named and not exposed: a metric, or a label that it does not have. */
export function unknownIn(expression: string): string[] {
  return [...expression.matchAll(/backup_automation_(\w+)(?:\{([^}]*)\})?/g)].flatMap(([whole, name = '', matchers = '']) => {
    const definition = definitionOf(name);
    if (!definition) return [whole];
    const labels: readonly string[] = [...definition.labels, ...added];
    const asked = [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g)].map(([, label = '']) => label);
    return asked.filter((label) => !labels.includes(label)).map((label) => `${name}{${label}}`);
  });
}
