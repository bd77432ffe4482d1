/**
 * A file for systemd's EnvironmentFile= (systemd.exec(5)) with values in double quotes: there no `$` and no `%`
 * means anything, and a line end, as a certificate has, is one.
 */
export const renderEnvironmentFile = (variables: Readonly<Record<string, string>>): string =>
  Object.entries(variables)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, value]) => `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"\n`)
    .join('');

const VARIABLE = /^[ \t]*([A-Z_][A-Z0-9_]*)=(?:"((?:[^"\\]|\\[^])*)"|([^\s"]*))[ \t]*$/gm;

/** What `renderEnvironmentFile` has written, also after somebody changed a value by hand. */
export const parseEnvironmentFile = (text: string): Record<string, string> =>
  Object.fromEntries(
    [...text.matchAll(VARIABLE)].map(([, name, quoted, plain]) => [
      name!,
      quoted?.replace(/\\([^])/g, '$1') ?? plain ?? '',
    ]),
  );

/** What a process needs of an environment to reach Temporal. */
export const temporalVariables = (environment: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).filter(
      (variable): variable is [string, string] => /^TEMPORAL_[A-Z0-9_]+$/.test(variable[0]) && !!variable[1],
    ),
  );
