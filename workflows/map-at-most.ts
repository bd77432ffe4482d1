/** Maps with at most so many going on at once; results are in the order of the items. The first failure ends it. */
export async function mapAtMost<Item, Result>(
  most: number,
  items: readonly Item[],
  act: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const remaining = items.entries();
  const work = async (): Promise<void> => {
    for (const [index, item] of remaining) results[index] = await act(item, index);
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, work));
  return results;
}
