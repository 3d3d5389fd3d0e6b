/**
 * config: says in words what the schema wants at a key, for errors and for the reference page alike.
 */
import * as z from 'zod';
import { configSchema } from './schema.js';

/** The part of JSON Schema that our schemas make. */
export interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
}

let known: SchemaNode | undefined;

/** The JSON Schema of what a file may hold. */
export const inputSchema = (): SchemaNode => (known ??= z.toJSONSchema(configSchema, { io: 'input' }) as SchemaNode);

export const choices = (node: SchemaNode): readonly SchemaNode[] => node.anyOf ?? node.oneOf ?? [node];

/** What may stand behind a key; where members of a shelf differ, any of theirs. */
function child(node: SchemaNode, key: string): SchemaNode | undefined {
  const found = choices(node).flatMap((choice) => {
    const { properties, additionalProperties, items } = choice;
    return properties?.[key] ?? (typeof additionalProperties === 'object' ? additionalProperties : items) ?? [];
  });
  const [only, ...others] = [...new Map(found.map((inner) => [JSON.stringify(inner), inner])).values()];
  return others.length > 0 && only ? { anyOf: [only, ...others] } : only;
}

/** The schema at a path of keys; undefined where no such key may be. */
export const nodeAt = (path: readonly string[]): SchemaNode | undefined =>
  path.reduce<SchemaNode | undefined>((node, key) => node && child(node, key), inputSchema());

/** Whether the schema knows a key, set or not. */
export const keyExists = (path: readonly string[]): boolean => {
  const open = path.length > 1 && ['databases', 'storages', 'schedules', 'alerts'].includes(path[0] ?? '');
  return !open && nodeAt(path) !== undefined;
};

/** The keys that an object at this path may have; none when any may be chosen. */
export const keysAt = (path: readonly string[]): string[] => {
  const node = nodeAt(path);
  return node ? [...new Set(choices(node).flatMap((choice) => Object.keys(choice.properties ?? {})))] : [];
};

function range(node: SchemaNode): string {
  const { minimum: low, maximum: high } = node;
  if (low !== undefined && high !== undefined) return ` from ${low} to ${high}`;
  return '';
}

const inWords: Readonly<Record<string, (node: SchemaNode) => string>> = {
  boolean: () => 'true or false',
  integer: (node) => `a whole number${range(node)}`,
  number: (node) => `a number${range(node)}`,
  array: (node) => `a list of ${node.items ? words(node.items).replace(/^a text$/, 'texts') : 'values'}`,
  object: () => 'an object',
  null: () => 'null',
};

function one(node: SchemaNode): string {
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.enum) return node.enum.map((value) => JSON.stringify(value)).join(', ');
  return [node.type ?? '']
    .flat()
    .map((type) => inWords[type]?.(node) ?? 'a text')
    .join(' or ');
}

/** `a whole number from 1 to 64`, `"text", "json"`, `a text or null`. */
export function words(node: SchemaNode): string {
  return [...new Set(choices(node).map(one))].join(' or ');
}
