export const USAGE = `usage: slipway host token [--cluster C | --host H] [--expiry S] [--credentials FILE]
       slipway host join --gateway URL --token TOKEN --pool DIR --temporal-address A [options]
       slipway host rotate-keys --gateway URL --token TOKEN [--drop-former]
       slipway host leave [--credentials FILE | --removed] [--stop-vms]
       slipway host revoke HOST [--force] [--credentials FILE]
       slipway doctor [--libvirt-uri URI]
       slipway migrate
       slipway create-admin --output FILE [--endpoint URL] [--force]

Where an admin is
  host token    makes a token that works once: for a new host of a cluster (name or
                id; the only one when absent), or for new keys of a host
  host revoke   a host was lost or stolen: it gets no work and no secrets any more.
                --force also when it is Up
  migrate       brings the database of DATABASE_URL up to date, and prepares the
                namespace of Temporal if TEMPORAL_… name one
  create-admin  makes the first root admin, and what an empty installation needs,
                in the database of DATABASE_URL with the key SLIPWAY_SECRET_KEY;
                writes the API keys to a file, mode 0600

On a KVM host
  host join         makes this machine a host: keys, host.json, a systemd unit
  host rotate-keys  gives it new keys; what is under way is not lost
  host leave        takes it out of the installation; disks of VMs are left alone
  doctor            tells what this machine has, and what it lacks

Options of host join and host rotate-keys
  --gateway URL             of the installation, https
  --token TOKEN             from slipway host token
  --ca FILE                 trust these certificates (PEM) for the gateway
  --allow-http              let the gateway's URL be http on another machine

Options of host join
  --name NAME               the host name when absent
  --pool DIR                a pool of this host's own; may be repeated
  --shared-pool [ID:]DIR    a file system that several hosts have; may be repeated
  --nfs-pool [ID:]DIR       the same on NFS; may be repeated. ID: of a pool that
                            createStoragePool made
  --temporal-address A      host:port; further TEMPORAL_… of the environment are kept
  --temporal-namespace N    as the control workers have it
  --libvirt-uri URI         qemu:///system for root, qemu:///session for others
  --guest-bridge NAME       bridge of guests in L2 networks
  --guest-vlan-interface N  where VLANs of guests arrive tagged
  --proxy URL               HTTP proxy to image servers
  --start                   enable and start the service
  --force                   overwrite the configuration of another installation

Options of commands on a host
  --config-dir DIR          /etc/slipway
  --state-dir DIR           /var/lib/slipway-host
  --unit-dir DIR            /etc/systemd/system
  --unit NAME               slipway-host

Options of all
  --credentials FILE        JSON with endpoint, apiKey and secretKey of a root admin, as
                            create-admin writes it; else the file that
                            SLIPWAY_CREDENTIALS names, or .slipway/credentials.json
  --json                    one JSON object on standard output, also for an error
  --help

Every user of a machine can see the arguments of a process. Give a token and a proxy
with a password as @FILE, or as - to have them read from standard input.

Exit codes: 0 done, 1 usage, 2 the gateway or the API refused or cannot be reached,
6 this machine lacks something.
`;
