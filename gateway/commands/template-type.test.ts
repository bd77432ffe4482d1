import { templateType } from './template-type.js';

const none = { templatetype: undefined, isrouting: undefined };
const verb = 'update Template to' as const;

it.each([
  ['nothing', none, undefined],
  ['a type', { ...none, templatetype: 'SYSTEM' }, 'SYSTEM'],
  ['isrouting', { ...none, isrouting: true }, 'ROUTING'],
  ['no longer isrouting', { ...none, isrouting: false }, 'USER'],
  ['both, alike', { templatetype: 'ROUTING', isrouting: true }, 'ROUTING'],
  ['another type and no isrouting', { templatetype: 'SYSTEM', isrouting: false }, 'SYSTEM'],
] as const)('takes %s from a root admin', (_, asked, expected) => {
  expect(templateType(asked, { role: 'Admin' }, { verb, isInEveryZone: true })).toBe(expected);
});

it.each([
  ['USER', { ...none, templatetype: 'USER' }],
  ['nothing', none],
] as const)('takes %s from a user', (_, asked) => {
  expect(templateType(asked, { role: 'User' }, { verb, isInEveryZone: false })).toBe(asked.templatetype);
});

it.each([
  [
    'ROUTING',
    'User',
    { ...none, templatetype: 'ROUTING' },
    true,
    'Users can not update Template to template type ROUTING.',
  ],
  ['SYSTEM', 'DomainAdmin', { ...none, templatetype: 'SYSTEM' }, true, 'Users can not update Template to'],
  ['isrouting', 'User', { ...none, isrouting: false }, true, 'can only be specified by a Root Admin'],
  ['both, not alike,', 'Admin', { templatetype: 'USER', isrouting: true }, true, 'consistent with isrouting'],
  ['SYSTEM in some zones', 'Admin', { ...none, templatetype: 'SYSTEM' }, false, 'must be cross zone'],
] as const)('refuses %s from a %s', (_, role, asked, isInEveryZone, text) => {
  expect(() => templateType(asked, { role }, { verb, isInEveryZone })).toThrow(text);
});
