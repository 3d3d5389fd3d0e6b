/**
 * model: how a secret is named in the configuration without being in it; only `system/secrets` looks it up.
 */

export interface Reference {
  readonly scheme: 'env' | 'file' | 'command';
  readonly rest: string;
}

/** `env:NAME`, `file:PATH`, `command:PROGRAM ARGUMENTS`; null for anything else. */
export function parseReference(text: string): Reference | null {
  const [, scheme, rest] = /^(env|file|command):\s*(\S.*)$/s.exec(text) ?? [];
  return scheme && rest ? { scheme: scheme as Reference['scheme'], rest } : null;
}

export const isReference = (text: string): boolean => parseReference(text) !== null;

/** A URL that carries a password, or cannot be read well enough to be sure that it does not. */
export function carriesPassword(url: string): boolean {
  return /:\/\/[^/?#]*:[^/?#]*@/.test(url) || /:\/\/[^@]*:[^@]*@/.test(url) || /[?&](ssl)?password=/i.test(url);
}
