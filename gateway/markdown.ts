/** What the generated references are written with. */

export const markdownTable = (head: string[], rows: string[][]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.map(cell).join(' | ')} |`).join('\n');

const cell = (text: string): string => text.replaceAll('|', '\\|');

export const markdownLines = (...parts: string[]): string => `${parts.join('\n\n')}\n`;
