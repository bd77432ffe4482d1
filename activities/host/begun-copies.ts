import type { TemplateCopyRef } from '../../shared/templates.js';

/**
 * The template copies that this process has begun to download. The list of live ones that a sweep is given may be older
 * than they are: a sweep that took them for orphans would delete files under a running download.
 */
export class BegunCopies {
  readonly #copies = new Map<string, { poolId: string; copy: TemplateCopyRef }>();

  add(poolId: string, copy: TemplateCopyRef): void {
    this.#copies.set(keyOf(poolId, copy), { poolId, copy });
  }

  remove(poolId: string, copy: TemplateCopyRef): void {
    this.#copies.delete(keyOf(poolId, copy));
  }

  of(poolId: string): TemplateCopyRef[] {
    return [...this.#copies.values()].filter((begun) => begun.poolId === poolId).map(({ copy }) => copy);
  }
}

const keyOf = (poolId: string, { templateId, generation, epoch }: TemplateCopyRef): string =>
  [poolId, templateId, generation, epoch].join(' ');
