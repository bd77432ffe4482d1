/** CloudStack's names of what a setting may be set for, beside the whole installation. What is named later wins. */
export const SETTING_SCOPES = ['Zone', 'Cluster', 'StoragePool', 'Account'] as const;
export type SettingScope = (typeof SETTING_SCOPES)[number];

/** CloudStack's subgroups that have a setting here, each with its group. */
export const SETTING_SUBGROUPS = {
  Account: 'Access',
  Domain: 'Access',
  'Virtual Machine': 'Compute',
  Images: 'Storage',
  Volume: 'Storage',
  Network: 'Network',
  Events: 'Management Server',
  Limits: 'Management Server',
  Jobs: 'Management Server',
  Agent: 'Management Server',
  Hypervisor: 'Hypervisor',
  'Primary Storage': 'Infrastructure',
  'Secondary Storage': 'Infrastructure',
  Others: 'Miscellaneous',
} as const;
type SettingSubgroup = keyof typeof SETTING_SUBGROUPS;

/** A row of the table of settings. */
export type SettingEntry = {
  defaultValue: string;
  /** Beside the whole installation; nothing else when missing. */
  scopes?: readonly SettingScope[];
  /** CloudStack's; `Advanced` when missing. */
  category?: 'Alert' | 'Storage';
  /** `Others` when missing. */
  subgroup?: SettingSubgroup;
  /** The setting without which this one does nothing. */
  parent?: string;
  description: string;
} & (
  | {
      type: 'integer' | 'decimal';
      unit?: 'ms' | 's' | 'min' | 'hours' | 'days' | 'MB' | 'GB' | 'MiB/s';
      /** Both are allowed themselves. What lies outside is refused when it is set, and not used when it is read. */
      min: number;
      max: number;
    }
  | { type: 'boolean' }
  /** Comma-separated; empty for none. */
  | { type: 'cidrs' | 'servers' | 'countryCodes' }
);
