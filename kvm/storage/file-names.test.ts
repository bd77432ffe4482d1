import { partialFileName, parsePartialFileName, parseVolumeFileName, templateFileName } from './file-names.js';

const ref = { templateId: '6f5e4d3c-0000-4000-8000-000000000001', generation: 2, epoch: 30 };
const partial = partialFileName(ref);

test.each([
  partial,
  `${partial}.unpacked`,
  `${partial}.pieces`,
  `${partial}.journal`,
  `${partial}.journal.tmp`,
  `${partial}.journal.0a1b2c.tmp`,
  `${partial}.adopted`,
])('should know %s for a file of a download', (name) => {
  expect(parsePartialFileName(name)).toEqual(ref);
  expect(parseVolumeFileName(name)).toBeUndefined();
});

test.each([
  ['an installed template', templateFileName(ref)],
  ['a volume', `${ref.templateId}.3`],
  ['the marker of the pool', '.slipway-pool'],
  ['a name that goes on without a dot', `${partial}-of-somebody`],
  ['a name with something before it', `x${partial}`],
  ['a path', `../${partial}`],
  ['a second line', `${partial}\n.partial`],
])('should not take %s for one', (_name, name) => {
  expect(parsePartialFileName(name)).toBeUndefined();
});
