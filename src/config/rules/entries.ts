/**
 * config: the rules about entries: that each is whole, and that they name one another rightly; pure.
 */
import { placeholders, unknownPlaceholders } from '../../model/alert/template.js';
import { compressors } from '../../model/settings/compressors.js';
import { didYouMean } from '../../model/settings/nearest.js';
import { isReference } from '../../model/settings/reference.js';
import type { Compression } from '../../model/settings/settings.js';
import { storages, type StorageMember } from '../../storages/index.js';
import type { Path } from '../layers.js';
import type { Finding, Rule } from './rule.js';

export const knownNames: Rule = (config) =>
  Object.entries(config.schedules).flatMap(([name, schedule]) =>
    (['databases', 'storages'] as const).flatMap((section) => {
      const known = Object.keys(config[section]);
      const used = schedule[section] ?? [];
      return used.flatMap((entry, index) => {
        const path = ['schedules', name, section, String(index)];
        if (!known.includes(entry)) return [{ path, expected: `the name of an entry of \`${section}\`${didYouMean(entry, known)}` }];
        return used.indexOf(entry) < index ? [{ path, expected: 'each name once' }] : [];
      });
    }),
  );

export const someOfEach: Rule = (config) =>
  (['databases', 'storages'] as const)
    .filter((section) => Object.keys(config[section]).length === 0)
    .map((section) => ({ path: [section], expected: 'at least one entry' }));

export const databaseEntries: Rule = (config) =>
  Object.entries(config.databases).flatMap(([name, entry]) => {
    const found: Finding[] = [];
    const add = (key: keyof typeof entry, expected: string) => found.push({ path: ['databases', name, key], expected });
    if (name.includes('--'))
      found.push({ path: ['databases', name], found: 'a name with "--"', expected: 'that to the members of clusters' });
    for (const key of ['service', 'host', 'hostaddr', 'port', 'user', 'database'] as const)
      if (entry.url !== undefined && entry[key] !== undefined) add(key, 'either `url` or this');
    if (entry.password !== undefined && entry.passwordFile !== undefined) add('passwordFile', 'either `password` or this');
    if (entry.exclude && !entry.databases) add('exclude', '`databases` with globs beside it');
    if (entry.url !== undefined && !isReference(entry.url) && !/^postgres(ql)?:\/\//.test(entry.url))
      found.push({ path: ['databases', name, 'url'], found: 'something else', expected: 'postgresql://... or a reference to it' });
    const ports = String(entry.port ?? '').split(',');
    if (ports.some((port) => Number(port) > 65_535)) add('port', 'ports up to 65535');
    if (ports.length > 1 && ports.length !== (entry.host ?? entry.hostaddr ?? '').split(',').length) add('port', 'one port, or one a host');
    return found;
  });

export const storagePlaces: Rule = (config) => {
  const seen = new Map<string, string>();
  return Object.entries(config.storages).flatMap(([name, options]) => {
    const member: StorageMember = storages[options.kind];
    const { key, value, word } = member.place(options);
    const place = `${options.kind} ${value}`;
    const other = seen.get(place);
    seen.set(place, name);
    return other === undefined ? [] : [{ path: ['storages', name, key], expected: `another ${word} than that of "${other}"` }];
  });
};

/** More copies than there are storages can never be. */
export const quorums: Rule = (config) => {
  const all = Object.keys(config.storages).length;
  const own = Object.entries(config.schedules).flatMap(([name, { quorum = config.quorum, storages }]): Finding[] => {
    const most = storages?.length ?? all;
    if (quorum <= most || (config.quorum > all && quorum === config.quorum)) return [];
    return quorum === config.quorum
      ? [{ path: ['schedules', name, 'storages'], expected: `at least ${quorum} entries, as many as \`quorum\` asks for` }]
      : [{ path: ['schedules', name, 'quorum'], expected: `at most ${most}, the number of its storages` }];
  });
  return config.quorum > all ? [{ path: ['quorum'], expected: `at most ${all}, the number of storages` }, ...own] : own;
};

export const compressionLevels: Rule = (config) => {
  const all: [Path, Compression | undefined][] = [[['compression'], config.compression]];
  for (const [name, schedule] of Object.entries(config.schedules)) all.push([['schedules', name, 'compression'], schedule.compression]);
  return all.flatMap(([path, compression]) => {
    if (!compression || compression.algorithm === 'auto' || compression.algorithm === 'none') return [];
    const { algorithm, level } = compression;
    const { highestLevel } = compressors[algorithm];
    return level > highestLevel ? [{ path: [...path, 'level'], expected: `at most ${highestLevel} for ${algorithm}` }] : [];
  });
};

/** A placeholder that stands for nothing would be sent as it is. */
export const templates: Rule = (config) =>
  Object.entries(config.alerts).flatMap(([name, { template }]) =>
    (['subject', 'body'] as const).flatMap((key) =>
      unknownPlaceholders(template?.[key] ?? '').map((word) => ({
        path: ['alerts', name, 'template', key],
        found: `{{${word.slice(0, 80)}}}`,
        expected: `one of ${placeholders.map((one) => `{{${one}}}`).join(', ')}`,
      })),
    ),
  );
