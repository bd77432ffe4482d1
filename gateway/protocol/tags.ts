/** Of a comma-separated list: each once, in the order given. */
export const tagsOf = (text = ''): string[] => [
  ...new Set(
    text
      .split(',')
      .map((tag) => tag.trim())
      .filter((tag) => tag !== ''),
  ),
];
