/**
 * config: reads JSON strictly and remembers where each value stands, so that an error has a line and an update touches one value only.
 */

/** A value and its place in the text: `text.slice(start, end)`. */
export interface JsonNode {
  readonly start: number;
  readonly end: number;
  readonly value: unknown;
  /** Of an object, by key, in their order. */
  readonly members?: ReadonlyMap<string, JsonNode>;
}

export class JsonError extends Error {
  /** From 1. */
  readonly line: number;
  readonly column: number;

  constructor(message: string, text: string, at: number) {
    super(message);
    const before = text.slice(0, at);
    this.line = before.split('\n').length;
    this.column = at - before.lastIndexOf('\n');
  }
}

const deepest = 64;
const space = /[ \t\r\n]*/y;
const scalar = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y;
// oxlint-disable-next-line no-control-regex -- JSON forbids raw control characters in strings
const string = /"[^"\\\u0000-\u001f]*(?:\\[^\u0000-\u001f][^"\\\u0000-\u001f]*)*"/y;

class Reader {
  readonly text: string;
  at = 0;
  depth = 0;

  constructor(text: string) {
    this.text = text;
  }

  fail(message: string, at = this.at): never {
    throw new JsonError(message, this.text, at);
  }

  /** What matches here, and moves behind it. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }

  /** Moves behind white space, and behind the character if it stands there. */
  skip(character = ''): boolean {
    this.take(space);
    if (!character || this.text[this.at] !== character) return false;
    this.at += 1;
    this.take(space);
    return true;
  }

  value(): JsonNode {
    if (this.depth >= deepest) this.fail(`nested deeper than ${deepest}`);
    const start = this.at;
    if (this.text[start] === '{') return this.object(start);
    if (this.text[start] === '[') return this.array(start);
    const value = this.text[start] === '"' ? this.string() : this.scalar();
    return { start, end: this.at, value };
  }

  scalar(): unknown {
    const found = this.take(scalar) ?? this.fail(this.at < this.text.length ? 'not a JSON value' : 'ends too early');
    return JSON.parse(found);
  }

  string(): string {
    const start = this.at;
    const found = this.take(string) ?? this.fail('a text that does not end on its line');
    try {
      return JSON.parse(found) as string;
    } catch {
      return this.fail('a text with a wrong escape', start);
    }
  }

  /** The items between two brackets, commas between them and none behind the last. */
  list(close: string, item: () => void): void {
    this.depth += 1;
    this.at += 1;
    this.skip();
    for (let first = true; first || this.text[this.at] !== close; first = false) {
      if (first && this.text[this.at] === close) break;
      if (!first && !this.skip(',')) this.fail(`no "," or "${close}" where one is needed`);
      item();
      this.skip();
    }
    this.at += 1;
    this.depth -= 1;
  }

  array(start: number): JsonNode {
    const value: unknown[] = [];
    this.list(']', () => value.push(this.value().value));
    return { start, end: this.at, value };
  }

  object(start: number): JsonNode {
    const value = Object.create(null) as Record<string, unknown>;
    const members = new Map<string, JsonNode>();
    this.list('}', () => {
      const at = this.at;
      if (this.text[at] !== '"') this.fail('no key in double quotes where one is needed');
      const key = this.string();
      if (members.has(key)) this.fail(`the key ${JSON.stringify(key.slice(0, 80))} a second time`, at);
      if (!this.skip(':')) this.fail('no ":" behind the key');
      const node = this.value();
      members.set(key, node);
      value[key] = node.value;
    });
    return { start, end: this.at, value, members };
  }
}

/** The whole text as one value. Objects have no prototype. Throws JsonError, for duplicate keys too. */
export function readJson(text: string): JsonNode {
  const reader = new Reader(text);
  reader.skip();
  const node = reader.value();
  reader.skip();
  if (reader.at < text.length) reader.fail('something behind the end of the value');
  return node;
}
