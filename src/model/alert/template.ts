/**
 * model: a user's own words for alerts, with `{{...}}` for the facts. It knows no channel.
 */

/** What may stand between braces. */
export const placeholders = [
  'status',
  'severity',
  'kind',
  'schedule',
  'database',
  'host',
  'time',
  'title',
  'facts',
  'error',
  'class',
  'next',
  'command',
  'event',
  'subject',
  'body',
] as const;
export type Placeholder = (typeof placeholders)[number];

const pattern = /\{\{\s*([^{}]*?)\s*\}\}/g;
const isPlaceholder = (name: string): name is Placeholder => placeholders.some((one) => one === name);

/** The names between braces that stand for nothing. */
export const unknownPlaceholders = (template: string): string[] =>
  [...template.matchAll(pattern)].map(([, name = '']) => name).filter((name) => !isPlaceholder(name));

/** The template with its facts filled in; what a fact says is not looked through for braces again. */
export const fill = (template: string, facts: Readonly<Record<Placeholder, string>>): string =>
  template.replace(pattern, (whole, name: string) => (isPlaceholder(name) ? facts[name] : whole));
