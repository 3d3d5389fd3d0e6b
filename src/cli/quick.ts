/**
 * cli: the answer to `execute --due` when nothing is due, before anything else is loaded. It knows no other command, and does nothing.
 */
import { openQuiet } from '../wire/quiet.js';

interface Typed {
  readonly config?: string;
  readonly set: readonly string[];
  readonly json: boolean;
  readonly quiet: boolean;
}

const silent = new Set(['--due', '--verbose', '--no-color']);

/** Null: something else was typed than `execute --due` with global options. */
function readArguments([command, ...words]: readonly string[]): Typed | null {
  if (command !== 'execute' || !words.includes('--due')) return null;
  const typed = { set: [] as string[], json: false, quiet: false, config: undefined as string | undefined };
  for (let index = 0; index < words.length; index += 1) {
    const [word = '', value] = [words[index], words[index + 1]];
    if (word === '--json') typed.json = true;
    else if (word === '--quiet') typed.quiet = true;
    else if ((word === '--config' || word === '--set') && value !== undefined) {
      if (word === '--set') typed.set.push(value);
      else typed.config = value;
      index += 1;
    } else if (!silent.has(word)) return null;
  }
  const { config, ...rest } = typed;
  return config === undefined ? rest : { ...rest, config };
}

/** True: it was answered. False, whatever is wrong: the whole program tells. */
export async function answer(argv: readonly string[]): Promise<boolean> {
  try {
    const typed = readArguments(argv.slice(2));
    if (!typed) return false;
    const quiet = await openQuiet(typed);
    if (!quiet.isQuiet()) return false;
    quiet.tick();
    if (typed.quiet && !typed.json) return true;
    process.stdout.on('error', () => {});
    process.stdout.write(typed.json ? '{\n  "events": []\n}\n' : 'nothing is due\n');
    return true;
  } catch {
    return false;
  }
}
