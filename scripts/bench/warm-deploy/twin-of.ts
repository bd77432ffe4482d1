import { join } from 'node:path';

export interface Twin {
  xml: string;
  diskPath: string;
  /** What the disk stands on. */
  backingPath: string;
}

/**
 * A domain like a running one of Slipway's, with a disk of its own on the same template.
 *
 * @param xml what `virsh dumpxml --inactive` says
 */
export function twinOf(xml: string, { id, directory }: { id: string; directory: string }): Twin {
  const [, uuid] = /<uuid>(.+?)<\/uuid>/.exec(xml) ?? [];
  const [, name] = /<name>(.+?)<\/name>/.exec(xml) ?? [];
  const [disk = ''] = /<disk type='file' device='disk'>.*?<\/disk>/s.exec(xml) ?? [];
  const [oldPath, backingPath] = [...disk.matchAll(/<source file='(.+?)'/g)].map(([, path]) => path);
  if (!uuid || !name || !oldPath || !backingPath) throw new Error('The domain is not as Slipway makes them');
  const diskPath = join(directory, `by-hand-${id}`);
  return {
    diskPath,
    backingPath,
    xml: xml
      // libvirt gives it anew, and nothing of Slipway may follow the twin.
      .replaceAll(/<seclabel type='dynamic'.*?<\/seclabel>|<metadata>.*?<\/metadata>/gs, '')
      .replace(oldPath, diskPath)
      .replaceAll(`<name>${name}<`, `<name>by-hand-${id}<`)
      .replaceAll(`<uuid>${uuid}<`, `<uuid>${id}<`),
  };
}
