import type { Database } from '../../db/client.js';
import { type Caller, mayWorkOn } from '../../db/reads/find-caller.js';
import { findHosts } from '../../db/reads/list-hosts.js';
import { findListedJobs } from '../../db/reads/list-jobs.js';
import { type ListedTemplate, listTemplates } from '../../db/reads/list-templates.js';
import { findVirtualMachines } from '../../db/reads/list-virtual-machines.js';
import type { Change } from '../../db/reads/read-changes.js';
import { readScopedSettings } from '../../db/scoped-settings.js';
import { isoEntries, templateEntries } from '../commands/template-responses.js';
import type { ResponseBody } from '../protocol/envelope.js';
import { hostResponse } from '../responses/host.js';
import { jobResponse } from '../responses/job.js';
import { virtualMachineResponse } from '../responses/virtual-machine.js';

/** Something that has changed, as it is now: read once for all, shown to each as a list would show it. */
export interface Entry {
  event: 'virtualmachine' | 'template' | 'iso' | 'job' | 'host';
  isFor(caller: Caller): boolean;
  show(caller: Caller): ResponseBody;
}

/** Reads for all: who may see what is decided by each entry. */
const EVERYTHING: Caller = { userId: '', accountId: '', role: 'Admin', domainId: '', domainPath: '' };
/** Rows of templates, one for each zone, that are read at once. */
const MOST_ROWS = 10_000;

export async function loadEntries(db: Database, changes: readonly Change[]): Promise<Entry[]> {
  const idsOf = (kind: Change['kind']): string[] => [
    ...new Set(changes.filter((change) => change.kind === kind).map(({ id }) => id)),
  ];
  const loaded = await Promise.all([
    hosts(db, idsOf('Host')),
    images(db, idsOf('Template')),
    virtualMachines(db, idsOf('VirtualMachine')),
    // The last: whoever waits for a job then looks at what it was about.
    jobs(db, idsOf('Job')),
  ]);
  return loaded.flat();
}

async function virtualMachines(db: Database, ids: string[]): Promise<Entry[]> {
  const rows = await findVirtualMachines(db, ids);
  return rows.map((row) => ({
    event: 'virtualmachine',
    isFor: (caller) => mayWorkOn(caller, { ...row, accountId: row.vm.accountId }),
    show: (caller) => virtualMachineResponse(row, caller),
  }));
}

async function jobs(db: Database, ids: string[]): Promise<Entry[]> {
  const rows = await findListedJobs(db, ids);
  return rows.map((row) => ({
    event: 'job',
    isFor: (caller) => mayWorkOn(caller, { ...row, accountId: row.job.accountId }),
    show: (caller) => jobResponse(row, caller),
  }));
}

async function hosts(db: Database, ids: string[]): Promise<Entry[]> {
  const rows = await findHosts(db, ids);
  if (rows.length === 0) return [];
  const settings = await readScopedSettings(db);
  return rows.map((row) => ({
    event: 'host',
    isFor: ({ role }) => role === 'Admin',
    show: () => hostResponse(row, settings.at({ zoneId: row.host.dataCenterId, clusterId: row.host.clusterId })),
  }));
}

async function images(db: Database, ids: string[]): Promise<Entry[]> {
  if (ids.length === 0) return [];
  const filter = {
    templateFilter: 'all',
    scope: { of: 'everybody' },
    isScopeNamed: false,
    ids,
    isRemovedShown: true,
    isAscending: true,
  } as const;
  const page = { limit: MOST_ROWS, offset: 0 };
  const [templates, isos] = await Promise.all([
    listTemplates(db, EVERYTHING, { ...filter, isIso: false }, page),
    listTemplates(db, EVERYTHING, { ...filter, isIso: true }, page),
  ]);
  const [showTemplate, showIso] = await Promise.all([templateEntries(db, templates.rows), isoEntries(db, isos.rows)]);
  const entry =
    (event: 'template' | 'iso', show: (row: ListedTemplate, caller: Caller) => ResponseBody) =>
    (row: ListedTemplate): Entry => ({
      event,
      isFor: (caller) => row.template.isPublic || mayWorkOn(caller, { ...row, accountId: row.template.accountId }),
      show: (caller) => show(row, caller),
    });
  return [...templates.rows.map(entry('template', showTemplate)), ...isos.rows.map(entry('iso', showIso))];
}
