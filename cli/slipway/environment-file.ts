/**
 * A file for systemd's EnvironmentFile= (systemd.exec(5)) with one variable on each line, in double quotes. There no
 * `$` and no `%` means anything.
 */
export const renderEnvironmentFile = (variables: Readonly<Record<string, string>>): string =>
  Object.entries(variables)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, value]) => `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"\n`)
    .join('');

/** What `renderEnvironmentFile` has written, also after somebody changed a value by hand. */
export function parseEnvironmentFile(text: string): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const [, name, quoted, plain] = /^\s*([A-Z_][A-Z0-9_]*)=(?:"((?:[^"\\]|\\.)*)"|(\S*))\s*$/.exec(line) ?? [];
    if (name !== undefined) variables[name] = quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '';
  }
  return variables;
}

/** What a process needs of an environment to reach Temporal. */
export const temporalVariables = (environment: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).filter(
      (variable): variable is [string, string] => /^TEMPORAL_[A-Z0-9_]+$/.test(variable[0]) && !!variable[1],
    ),
  );
